package reconcile

import (
	"time"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// world is one spec, its networks and its sidecars, to be bent by each case.
type world struct {
	spec         *spec.CredProxy
	declared     Declared
	networks     []Network
	sidecars     []*Sidecar
	others       []OtherContainer
	strayVolumes []Volume
	tokens       tokens
	delivered    map[string]delivery
	everDeclared bool
	fixedLimits  bool
	withdrawn    bool
	opts         Options
}

func newWorld() *world {
	cp := &spec.CredProxy{}
	cp.Name = "web"
	cp.Spec = spec.CredProxySpec{
		InternalNetwork: "web-internal", EgressNetwork: "web-egress",
		Routes: []spec.Route{{
			Path: "/anthropic", Upstream: "https://api.anthropic.com",
			Auth: &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: spec.TokenRef{Env: "TOKEN"}},
		}},
	}
	spec.SetDefaults(cp, spec.Options{})
	return &world{
		spec:     cp,
		declared: Declared{Complete: true, Specs: []*spec.CredProxy{cp}},
		networks: []Network{
			{ID: "n1", Name: "web-internal", Driver: "bridge", Internal: true, Subnets: []string{"172.30.0.0/24"}},
			{ID: "n2", Name: "web-egress"},
		},
		opts:   Options{NamePrefix: "cred-proxy", Prune: true},
		tokens: tokens{"CRED_PROXY_TOKEN_1": NewToken("value")},
	}
}

// running adds a settled sidecar of the spec as it is now.
func (w *world) running(id string) *Sidecar {
	s := &Sidecar{
		ID: id, Name: "cred-proxy-web", SpecName: "web", SpecHash: spec.Hash(&w.spec.Spec), State: StateRunning,
		Created:   time.Unix(1000-int64(len(w.sidecars)), 0),
		Resources: LimitsOf(w.spec.Spec.Resources),
		Endpoints: []Endpoint{
			{NetworkID: "n1", Aliases: []string{"cred-proxy"}},
			{NetworkID: "n2"},
		},
		Report: &routetable.Report{
			Generation: 7, Serving: true, RoutesDigest: routetable.RoutesDigest(tableOf(&w.spec.Spec, w.networks[0], nil, reach{})),
		},
	}
	if w.delivered == nil {
		w.delivered = map[string]delivery{}
	}
	w.delivered[id] = delivery{generation: 7, tokens: w.tokens, refs: w.spec.Spec.Slots()}
	w.sidecars = append(w.sidecars, s)
	return s
}

// renamed leaves the sidecar of a spec that had another name, in the place of this one's.
func (w *world) renamed() {
	s := w.running("a")
	s.Name, s.SpecName, w.everDeclared = "cred-proxy-old", "old", true
}

// opened puts a privileged container on the internal network.
func (w *world) opened() {
	w.others = append(w.others, OtherContainer{
		ID: "bad", Name: "bad", State: StateRunning, Reach: &Reach{Privileged: true}, Endpoints: []Endpoint{{NetworkID: "n1"}},
	})
}

func (w *world) view() *view {
	o := &Observation{Networks: w.networks, Others: w.others, StrayVolumes: w.strayVolumes}
	for _, s := range w.sidecars {
		o.Sidecars = append(o.Sidecars, *s)
	}
	return newView(o)
}

func (w *world) plan() Plan {
	s := newScene(w.declared, w.view())
	var plan Plan
	for _, name := range s.names() {
		in := s.inputs(name, history{everDeclared: w.everDeclared}, w.opts)
		in.withdrawn = w.withdrawn
		in.fixedLimits = w.fixedLimits
		in.tokens, in.delivered, in.suffix = w.tokens, w.delivered, "x7q2"
		item, blocked := planName(in)
		if blocked != nil {
			plan.Blocked = append(plan.Blocked, *blocked)
		} else if len(item.Steps) > 0 {
			plan.Items = append(plan.Items, item)
		}
	}
	return plan
}
