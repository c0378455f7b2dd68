package reconcile

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

func revoked() *Withheld {
	return &Withheld{Word: routetable.WithheldRevoked, Reason: ReasonRevoked, Message: "revoked by the operator"}
}

// withhold withholds everything of the world's spec.
func (w *world) withhold(refused bool) {
	w.declared.Withheld = map[string]Withholding{"web": {All: revoked(), Refused: refused}}
}

// The story of each case: whose tokens are withheld, and the plan as it prints itself.
func TestPlanWithWithheldTokens(t *testing.T) {
	taken := `
web
  revoked by the operator
  copy_routes    cred-proxy-web
  reload         cred-proxy-web
`
	removed := `
web
  remove         cred-proxy-web  (it may hold tokens that are withheld)
`
	second := func(w *world) {
		w.spec.Spec.Routes = append(w.spec.Spec.Routes, spec.Route{
			Path: "/git", Upstream: "https://git.example.org",
			Auth: &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: spec.TokenRef{File: "git"}},
		})
		w.tokens = tokens{"CRED_PROXY_TOKEN_1": NewToken("value"), "CRED_PROXY_TOKEN_2": NewToken("other")}
	}
	tellPlans(t, []planStory{
		{"they are taken in place", func(w *world) {
			w.running("a")
			w.withhold(false)
		}, taken},
		{"an annotation takes them too", func(w *world) {
			w.running("a")
			w.spec.Annotations = map[string]string{spec.AnnotationSuspended: "true"}
		}, `
web
  annotation credproxy.dev/suspended is "true"
  copy_routes    cred-proxy-web
  reload         cred-proxy-web
`},
		{"a pause does not keep them", func(w *world) {
			w.running("a")
			w.spec.Annotations = map[string]string{spec.AnnotationPaused: "true"}
			w.withhold(false)
		}, taken},
		{"nor does a conflict with what is on the engine", func(w *world) {
			w.running("a")
			w.networks = append(w.networks, Network{ID: "n3", Name: "web-egress"})
			w.withhold(false)
		}, taken},
		{"one route's are taken, and the other's delivered", func(w *world) {
			second(w)
			w.running("a")
			w.declared.Withheld = map[string]Withholding{"web": {Routes: map[string]Withheld{"/git": *revoked()}}}
		}, `
web
  route /git: revoked by the operator
  resolve_tokens env TOKEN
  copy_routes    cred-proxy-web
  reload         cred-proxy-web
`},
		{"they go before anything else is done", func(w *world) {
			w.running("a")
			w.spec.Spec.Image = "other"
			w.withhold(false)
		}, taken},
		{"once they are taken, there is nothing more to do", func(w *world) {
			s := w.running("a")
			w.withhold(false)
			in := newScene(w.declared, w.view()).inputs("web", history{}, w.opts)
			s.Report.RoutesDigest = routetable.RoutesDigest(tableOf(&in.spec.Spec, w.networks[0], in.withheld, reach{}))
			w.delivered["a"] = delivery{generation: 7, withheld: map[string]Withheld{"/anthropic": *revoked()}}
			w.tokens = tokens{}
		}, ``},
		{"and they come back when they are not withheld any more", func(w *world) {
			w.running("a")
			w.delivered["a"] = delivery{generation: 7, withheld: map[string]Withheld{"/anthropic": *revoked()}}
		}, `
web
  its tokens are not withheld any more
  resolve_tokens env TOKEN
  copy_routes    cred-proxy-web
  reload         cred-proxy-web
`},
		{"from an environment they go only with the container", func(w *world) {
			w.spec.Spec.TokenDelivery = spec.DeliverEnv
			w.running("a").Env = w.tokens
			w.withhold(false)
		}, removed},
		{"a stopped container may hold them as well", func(w *world) {
			w.running("a").State = StateExited
			w.withhold(false)
		}, removed},
		{"without a declaration that can be used the container goes", func(w *world) {
			w.running("a")
			w.declared.Specs, w.declared.Rejected = nil, []Rejected{{Name: "web", Reason: ReasonDuplicateName, Message: "twice"}}
			w.withhold(true)
		}, removed},
		{"a network that is not there keeps none after a start of the controller", func(w *world) {
			w.running("a")
			w.delivered = nil
			w.spec.Spec.InternalNetwork = "elsewhere"
			w.withhold(false)
		}, removed},
		{"nor does it keep a token where another route has the same", func(w *world) {
			w.spec.Spec.Routes = append(w.spec.Spec.Routes, w.spec.Spec.Routes[0])
			w.spec.Spec.Routes[1].Path = "/git"
			w.running("a")
			w.spec.Spec.InternalNetwork = "elsewhere"
			w.declared.Withheld = map[string]Withholding{"web": {Routes: map[string]Withheld{"/git": *revoked()}}}
		}, removed},
		{"once they are taken, such a network changes nothing", func(w *world) {
			w.running("a")
			w.spec.Spec.InternalNetwork = "elsewhere"
			w.withhold(false)
			w.delivered["a"] = delivery{generation: 7, withheld: map[string]Withheld{"/anthropic": *revoked()}}
		}, `
web
  blocked: NetworkNotFound: internalNetwork "elsewhere" does not exist; create it (` + "`docker network create --internal -o com.docker.network.bridge.inhibit_ipv4=true elsewhere`" + `) or set createNetworks: true
`},
		{"one that is about to speak is waited for", func(w *world) {
			w.running("a").Report = nil
			w.delivered = nil
			w.withhold(true)
		}, `
web
  blocked: Revoked: revoked by the operator
`},
		{"a spec that is refused gets no sidecar", func(w *world) { w.withhold(true) }, `
web
  blocked: Revoked: revoked by the operator
`},
		{"one that is not gets one without tokens", func(w *world) { w.withhold(false) }, `
web
  declared, and there is no sidecar
  ensure_image   the controller's own
  create         cred-proxy-web
  copy_routes    cred-proxy-web
  connect_egress web-egress
  start          cred-proxy-web
  wait_ready     cred-proxy-web
`},
	})
}

// A sidecar that was there before the controller, and says nothing, may have anything.
func TestTokensOfASidecarThatSaysNothingAreNotKnownToBeGone(t *testing.T) {
	w := newWorld()
	w.running("a").Report = nil
	w.withhold(false)
	in := newScene(w.declared, w.view()).inputs("web", history{}, w.opts)
	for _, known := range []bool{true, false} {
		if known {
			in.delivered = map[string]delivery{"a": {withheld: in.withheld}}
		} else {
			in.delivered = nil
		}
		v := (&Controller{}).verdict(in, nil, nil)
		if c := v.tokens(); (c.Status == metav1.ConditionFalse) != known {
			t.Errorf("known %v: %s %s", known, c.Status, c.Message)
		}
	}
}
