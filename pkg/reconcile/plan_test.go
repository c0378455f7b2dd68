package reconcile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/spec"
)

// planStory is what is declared and observed, and the plan as it prints itself.
type planStory struct {
	name string
	give func(*world)
	want string
}

func tellPlans(t *testing.T, stories []planStory) {
	t.Helper()
	for _, tc := range stories {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			tc.give(w)
			want := strings.TrimPrefix(tc.want, "\n")
			if diff := cmp.Diff(want, w.plan().String()); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlan(t *testing.T) {
	tellPlans(t, []planStory{
		{"a new spec becomes a sidecar", func(*world) {}, `
web
  declared, and there is no sidecar
  resolve_tokens env TOKEN
  ensure_image   the controller's own
  create         cred-proxy-web
  copy_routes    cred-proxy-web
  connect_egress web-egress
  start          cred-proxy-web
  wait_ready     cred-proxy-web
`},
		{"a settled sidecar needs nothing", func(w *world) { w.running("a") }, ``},
		{"a route without a token needs none resolved", func(w *world) {
			w.spec.Spec.Routes[0].Auth = nil
		}, `
web
  declared, and there is no sidecar
  ensure_image   the controller's own
  create         cred-proxy-web
  copy_routes    cred-proxy-web
  connect_egress web-egress
  start          cred-proxy-web
  wait_ready     cred-proxy-web
`},
		{"an edited route is pushed in place", func(w *world) {
			w.running("a")
			w.spec.Spec.Routes[0].Path = "/other"
		}, `
web
  the routes, who may call, or the addresses of its internal network changed
  resolve_tokens env TOKEN
  copy_routes    cred-proxy-web
  reload         cred-proxy-web
`},
		{"a caller key is pushed in place", func(w *world) {
			w.running("a")
			w.spec.Spec.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{File: "key"}}
		}, `
web
  the routes, who may call, or the addresses of its internal network changed
  resolve_tokens env TOKEN, file key
  copy_routes    cred-proxy-web
  reload         cred-proxy-web
`},
		{"a caller key from elsewhere is pushed in place", func(w *world) {
			w.spec.Spec.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{File: "key"}}
			w.running("a")
			w.spec.Spec.CallerAuth.KeyRef.File = "other"
		}, `
web
  a token or the caller key comes from elsewhere now
  resolve_tokens env TOKEN, file other
  copy_routes    cred-proxy-web
  reload         cred-proxy-web
`},
		{"a sidecar that has not spoken is not signalled", func(w *world) {
			w.running("a").Report = nil
			w.spec.Spec.Routes[0].Path = "/other"
		}, ``},
		{"a changed token is pushed in place", func(w *world) {
			w.running("a")
			w.tokens = tokens{"CRED_PROXY_TOKEN_1": NewToken("new")}
		}, `
web
  a token changed at its source
  resolve_tokens env TOKEN
  copy_routes    cred-proxy-web
  reload         cred-proxy-web
`},
		{"after a restart of the controller tokens are delivered anew", func(w *world) {
			w.running("a")
			w.delivered = nil
		}, `
web
  tokens are delivered anew after a start of the controller
  resolve_tokens env TOKEN
  copy_routes    cred-proxy-web
  reload         cred-proxy-web
`},
		{"the plan verb, which resolves nothing, does not", func(w *world) {
			w.running("a")
			w.delivered, w.tokens = nil, nil
		}, ``},
		{"another hostname needs another container", func(w *world) {
			w.running("a")
			w.spec.Spec.Hostname = "proxy"
		}, `
web
  the declaration changed in a way that needs another container
  resolve_tokens env TOKEN
  ensure_image   the controller's own
  create         cred-proxy-web-x7q2
  copy_routes    cred-proxy-web-x7q2
  start          cred-proxy-web-x7q2
  wait_ready     cred-proxy-web-x7q2
  reconnect      web-internal
  wait_ready     cred-proxy-web-x7q2
  drain          cred-proxy-web
  remove         cred-proxy-web
  rename         cred-proxy-web
`},
		{"a changed token in the environment needs another container", func(w *world) {
			w.spec.Spec.TokenDelivery = spec.DeliverEnv
			w.running("a").Env = tokens{"CRED_PROXY_TOKEN_1": NewToken("old")}
		}, `
web
  a token in its environment changed
  resolve_tokens env TOKEN
  ensure_image   the controller's own
  create         cred-proxy-web-x7q2
  copy_routes    cred-proxy-web-x7q2
  start          cred-proxy-web-x7q2
  wait_ready     cred-proxy-web-x7q2
  reconnect      web-internal
  wait_ready     cred-proxy-web-x7q2
  drain          cred-proxy-web
  remove         cred-proxy-web
  rename         cred-proxy-web
`},
		{"limits are changed in place", func(w *world) {
			w.running("a")
			w.spec.Spec.Resources.Memory = "128Mi"
		}, `
web
  update         cred-proxy-web  (its limits differ from the declared ones)
`},
		{"limits that cannot be changed in place take another container", func(w *world) {
			w.running("a")
			w.spec.Spec.Resources.Memory, w.fixedLimits = "128Mi", true
		}, `
web
  its limits changed, and this engine cannot change them in place
  resolve_tokens env TOKEN
  ensure_image   the controller's own
  create         cred-proxy-web-x7q2
  copy_routes    cred-proxy-web-x7q2
  start          cred-proxy-web-x7q2
  wait_ready     cred-proxy-web-x7q2
  reconnect      web-internal
  wait_ready     cred-proxy-web-x7q2
  drain          cred-proxy-web
  remove         cred-proxy-web
  rename         cred-proxy-web
`},
		{"a sidecar that shows other limits than it was made with is not replaced again and again", func(w *world) {
			s := w.running("a")
			s.Resources.Memory, w.fixedLimits = 0, true
			pushed := w.delivered[s.ID]
			pushed.limits = LimitsOf(w.spec.Spec.Resources)
			w.delivered[s.ID] = pushed
		}, ``},
		{"a stopped sidecar is started with a generation of its own", func(w *world) {
			s := w.running("a")
			s.State, s.ExitCode = StateExited, 137
		}, `
web
  it was stopped (exit code 137)
  resolve_tokens env TOKEN
  copy_routes    cred-proxy-web
  start          cred-proxy-web
  wait_ready     cred-proxy-web
`},
		{"what an attempt left over is made anew", func(w *world) { w.running("a").State = StateCreated }, `
web
  it was left over by an attempt that did not finish
  resolve_tokens env TOKEN
  ensure_image   the controller's own
  remove         cred-proxy-web
  create         cred-proxy-web
  copy_routes    cred-proxy-web
  connect_egress web-egress
  start          cred-proxy-web
  wait_ready     cred-proxy-web
`},
		{"the engine's restarts are not fought", func(w *world) { w.running("a").State = StateRestarting }, ``},
		{"what the engine restarts gets the limits that it may lack", func(w *world) {
			s := w.running("a")
			s.State = StateRestarting
			s.Resources.Memory = 6 << 20
		}, `
web
  update         cred-proxy-web  (its limits differ from the declared ones)
`},
		{"a restart policy changed by hand is changed back", func(w *world) { w.running("a").NoRestart = true }, `
web
  update         cred-proxy-web  (the engine would not start it again by itself)
`},
		{"a stopped sidecar gets its limits before it is started", func(w *world) {
			s := w.running("a")
			s.State, s.NoRestart = StateExited, true
		}, `
web
  resolve_tokens env TOKEN  (it was stopped (exit code 0))
  update         cred-proxy-web  (the engine would not start it again by itself)
  copy_routes    cred-proxy-web  (it was stopped (exit code 0))
  start          cred-proxy-web  (it was stopped (exit code 0))
  wait_ready     cred-proxy-web  (it was stopped (exit code 0))
`},
		{"a lost alias is restored", func(w *world) { w.running("a").Endpoints[0].Aliases = nil }, `
web
  reconnect      web-internal  (it lacks its alias "cred-proxy")
`},
		{"a sidecar taken off its networks is put back", func(w *world) { w.running("a").Endpoints = nil }, `
web
  connect_egress web-egress  (it is not on its egress network)
  reconnect      web-internal  (it is not on its internal network)
`},
		{"another egress network is taken in place, the new before the old is left", func(w *world) {
			w.running("a")
			w.spec.Spec.EgressNetwork = "other"
			w.networks = append(w.networks, Network{ID: "n3", Name: "other"})
		}, `
web
  reconnect      other  (its egress network is another one now)
`},
		{"a network that it does not belong on is left", func(w *world) {
			s := w.running("a")
			s.Endpoints = append(s.Endpoints, Endpoint{NetworkID: "n3"})
		}, `
web
  reconnect      web-egress  (it is on a network that it does not belong on)
`},
		{"a volume that lost its container goes", func(w *world) {
			w.running("a")
			w.strayVolumes = []Volume{{Name: "v1", SpecName: "web"}}
		}, `
web
  remove_volume  v1  (no container uses it)
`},
		{"a replacement that was interrupted before the alias goes on from there", func(w *world) {
			fresh := w.running("new")
			fresh.Name = "cred-proxy-web-x7q2"
			fresh.Report.Serving = false
			fresh.Endpoints = fresh.Endpoints[1:]
			w.running("old").SpecHash = "v1:old"
		}, `
web
  reconnect      web-internal  (it is not on its internal network)
  wait_ready     cred-proxy-web-x7q2  (others leave once it serves)
  drain          cred-proxy-web  (another sidecar serves this spec)
  remove         cred-proxy-web  (another sidecar serves this spec)
  rename         cred-proxy-web  (it is named "cred-proxy-web-x7q2")
`},
		{"a replacement that was interrupted before its start is made anew beside the old", func(w *world) {
			fresh := w.running("new")
			fresh.Name, fresh.State = "cred-proxy-web-aaaa", StateCreated
			w.running("old").SpecHash = "v1:old"
			w.spec.Spec.Routes[0].Auth = nil
		}, `
web
  it was left over by an attempt that did not finish
  ensure_image   the controller's own
  remove         cred-proxy-web-aaaa
  create         cred-proxy-web-x7q2
  copy_routes    cred-proxy-web-x7q2
  start          cred-proxy-web-x7q2
  wait_ready     cred-proxy-web-x7q2
  reconnect      web-internal
  wait_ready     cred-proxy-web-x7q2
  drain          cred-proxy-web
  remove         cred-proxy-web
  rename         cred-proxy-web
`},
		{"of two that do not answer neither is taken away", func(w *world) {
			w.running("a").Report = nil
			other := w.running("b")
			other.Name, other.Report = "cred-proxy-web-old1", nil
		}, ``},
		{"a second sidecar for one spec goes", func(w *world) {
			w.running("a")
			w.running("b").Name = "cred-proxy-web-old1"
		}, `
web
  another sidecar serves this spec
  drain          cred-proxy-web-old1
  remove         cred-proxy-web-old1
`},
		{"a renamed sidecar gets its name back", func(w *world) { w.running("a").Name = "mine" }, `
web
  rename         cred-proxy-web  (it is named "mine")
`},
		{"an orphan is removed", func(w *world) {
			w.running("a")
			w.declared.Specs = nil
			w.everDeclared = true
		}, `
web
  remove         cred-proxy-web  (no file declares it)
`},
		{"an orphan waits for a whole scan", func(w *world) {
			w.running("a")
			w.declared.Specs, w.declared.Complete, w.declared.Err = nil, false, errNotRead
			w.everDeclared = true
		}, `
web
  blocked: PruneBlocked: nothing is removed until the directory has been read whole: the directory was not read yet
`},
		{"an orphan that a broken file may declare stays", func(w *world) {
			w.running("a")
			w.declared.Specs, w.declared.KeepNames, w.declared.BadFiles = nil, sets.New("web"), []string{"bad.yaml"}
			w.everDeclared = true
		}, `
web
  blocked: PruneBlocked: a file that is not valid might declare it; mend or remove bad.yaml
`},
		{"no usable spec at all removes nothing", func(w *world) {
			w.running("a")
			w.declared.Specs = nil
		}, `
web
  blocked: PruneBlocked: there is no usable spec at all, which looks like a wrong path or a missing mount; restore them, or run ` + "`controller apply --prune`" + `, with the other flags of this one, to remove web
`},
		{"what is being removed is not held back", func(w *world) {
			w.running("a").State = StateRemoving
			w.declared.Specs = nil
		}, `
web
  blocked: Progressing: no file declares it; its sidecar is being removed
`},
		{"a duplicate leaves what runs", func(w *world) {
			w.running("a")
			w.declared.Specs = nil
			w.declared.Rejected = []Rejected{{"web", ReasonDuplicateName, "declared in a.yaml:1 and b.yaml:1"}}
			w.everDeclared = true
		}, `
web
  blocked: DuplicateName: declared in a.yaml:1 and b.yaml:1
`},
		{"a paused spec takes no step", func(w *world) {
			w.spec.Annotations = map[string]string{spec.AnnotationPaused: "true"}
		}, `
web
  blocked: Paused: annotation credproxy.dev/paused is "true"
`},
		{"a missing network is said", func(w *world) { w.networks = w.networks[1:] }, `
web
  blocked: NetworkNotFound: internalNetwork "web-internal" does not exist; create it (` + "`docker network create --internal -o com.docker.network.bridge.inhibit_ipv4=true web-internal`" + `) or set createNetworks: true
`},
		{"a missing network is made where that is permitted", func(w *world) {
			w.networks = w.networks[:1]
			w.spec.Spec.CreateNetworks = true
			w.spec.Spec.Routes[0].Auth = nil
		}, `
web
  ensure_image   the controller's own  (declared, and there is no sidecar)
  ensure_network web-egress  (declared with createNetworks, and there is none)
  create         cred-proxy-web  (declared, and there is no sidecar)
  copy_routes    cred-proxy-web  (declared, and there is no sidecar)
  connect_egress web-egress  (declared, and there is no sidecar)
  start          cred-proxy-web  (declared, and there is no sidecar)
  wait_ready     cred-proxy-web  (declared, and there is no sidecar)
`},
	})
}
