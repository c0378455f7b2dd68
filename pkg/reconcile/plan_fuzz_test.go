package reconcile

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// dice make choices from the bytes of a fuzzer. When those end, every choice is the first one.
type dice struct{ bytes []byte }

func (d *dice) roll(sides int) int {
	if len(d.bytes) == 0 {
		return 0
	}
	first := d.bytes[0]
	d.bytes = d.bytes[1:]
	return int(first) % sides
}

func (d *dice) flip() bool { return d.roll(2) == 1 }

func pick[T any](d *dice, of ...T) T { return of[d.roll(len(of))] }

// fuzzed is a declaration beside an engine.
type fuzzed struct {
	declared  Declared
	seen      Observation
	history   history
	opts      Options
	tokens    tokens
	delivered map[string]delivery
}

// fuzzedNames are names of specs and fuzzedNetworks those of networks; few, so that things meet.
func fuzzedNames() []string    { return []string{"ant", "bee", "cat", "dog", "elk"} }
func fuzzedNetworks() []string { return []string{"in", "out", "ant-in", "bee-out"} }

func fuzzWorld(data []byte) *fuzzed {
	d := &dice{data}
	w := &fuzzed{
		declared:  Declared{Complete: !d.flip(), Err: errors.New("unread"), KeepAll: d.roll(8) == 1, KeepNames: sets.New[string]()},
		history:   history{everDeclared: !d.flip()},
		opts:      Options{NamePrefix: "cred-proxy", Prune: !d.flip(), Deliberate: d.flip(), UpgradeSidecars: d.flip(), RequireIsolation: d.roll(4) == 1},
		delivered: map[string]delivery{},
	}
	if d.flip() {
		w.tokens = tokens{"CRED_PROXY_TOKEN_1": NewToken(pick(d, "one", "two"))}
	}
	for _, name := range fuzzedNames() {
		w.declare(d, name)
	}
	for i := range d.roll(6) {
		w.seen.Networks = append(w.seen.Networks, Network{
			ID: fmt.Sprint("net", i), Name: pick(d, fuzzedNetworks()...), Driver: "bridge", Internal: d.flip(), Subnets: []string{"10.0.0.0/24"},
			SpecName: pick(d, append(fuzzedNames(), "")...),
		})
	}
	for i := range d.roll(7) {
		w.seen.Sidecars = append(w.seen.Sidecars, w.sidecar(d, i))
	}
	for i := range d.roll(3) {
		w.seen.Others = append(w.seen.Others, OtherContainer{
			ID: fmt.Sprint("other", i), Name: pick(d, "cred-proxy-ant", "cred-proxy", "agent"), Endpoints: w.endpoints(d),
		})
	}
	for i := range d.roll(3) {
		w.seen.StrayVolumes = append(w.seen.StrayVolumes, Volume{Name: fmt.Sprint("volume", i), SpecName: pick(d, fuzzedNames()...)})
	}
	if d.roll(4) == 1 {
		w.seen.Unclear = map[string]error{pick(d, fuzzedNames()...): errors.New("no answer")}
	}
	return w
}

func (w *fuzzed) declare(d *dice, name string) {
	switch d.roll(6) {
	case 0:
	case 1:
		w.declared.Rejected = append(w.declared.Rejected, Rejected{Name: name, Reason: ReasonInvalidSpec})
	case 2:
		w.declared.KeepNames.Insert(name)
	default:
		cp := &spec.CredProxy{}
		cp.Name = name
		cp.Spec = spec.CredProxySpec{
			InternalNetwork: pick(d, fuzzedNetworks()...), EgressNetwork: pick(d, fuzzedNetworks()...), CreateNetworks: d.flip(),
			Hostname: pick(d, "", "other"), TokenDelivery: pick(d, spec.DeliverFile, spec.DeliverEnv, spec.DeliverMemory),
			Routes: []spec.Route{{Path: "/", Upstream: "https://example.com", Auth: &spec.Auth{
				Scheme: spec.SchemeBearer, TokenRef: spec.TokenRef{Env: "TOKEN"},
			}}},
		}
		if d.roll(4) == 1 {
			cp.Annotations = map[string]string{spec.AnnotationPaused: "true"}
		}
		spec.SetDefaults(cp, spec.Options{})
		w.declared.Specs = append(w.declared.Specs, cp)
	}
}

// spec returns the declaration of a name; nil when there is none.
func (w *fuzzed) spec(name string) *spec.CredProxy {
	for _, cp := range w.declared.Specs {
		if cp.Name == name {
			return cp
		}
	}
	return nil
}

func (w *fuzzed) endpoints(d *dice) (on []Endpoint) {
	for i, n := range w.seen.Networks {
		if d.flip() {
			on = append(on, Endpoint{NetworkID: fmt.Sprint("net", i), NetworkName: n.Name, Aliases: pick(d, nil, []string{"cred-proxy"}, []string{"other"})})
		}
	}
	return on
}

func (w *fuzzed) sidecar(d *dice, i int) Sidecar {
	name := pick(d, fuzzedNames()...)
	s := Sidecar{
		ID: fmt.Sprint("id", i), Name: pick(d, "cred-proxy-"+name, fmt.Sprint("cred-proxy-", name, "-", i)), SpecName: name,
		SpecHash: "v1:0", ImageID: "image", Created: time.Unix(int64(d.roll(3)), 0), Endpoints: w.endpoints(d),
		State: pick(d, StateRunning, StateRunning, StateCreated, StatePaused, StateRestarting, StateRemoving, StateExited, StateDead),
	}
	if cp := w.spec(name); cp != nil {
		if !d.flip() {
			s.SpecHash = spec.Hash(&cp.Spec)
		}
		if !d.flip() {
			s.Resources = LimitsOf(cp.Spec.Resources)
		}
	}
	if d.flip() {
		s.Report = &routetable.Report{Generation: int64(d.roll(3)), Serving: d.flip(), RoutesDigest: pick(d, "", "digest")}
	}
	if d.flip() {
		s.Env = map[string]Token{"CRED_PROXY_TOKEN_1": NewToken("one")}
	}
	if d.flip() {
		w.delivered[s.ID] = delivery{generation: int64(d.roll(3)), tokens: tokens{"CRED_PROXY_TOKEN_1": NewToken("one")}}
	}
	return s
}

// plan plans every name, and returns the inputs of each too.
func (w *fuzzed) plan() (plan Plan, of map[string]inputs) {
	s := newScene(w.declared, newView(&w.seen))
	of = map[string]inputs{}
	for _, name := range s.names() {
		in := s.inputs(name, w.history, w.opts)
		in.tokens, in.delivered, in.suffix, in.ownImage = w.tokens, w.delivered, "wxyz", "own"
		of[name] = in
		item, blocked := planName(in)
		if blocked != nil {
			plan.Blocked = append(plan.Blocked, *blocked)
		}
		if len(item.Steps) > 0 {
			plan.Items = append(plan.Items, item)
		}
	}
	return plan, of
}

// checkChanges holds that changes can be told whatever a sidecar has, the same each time, and that whatever is made or goes is among them.
func checkChanges(t *testing.T, in inputs, item Item) {
	t.Helper()
	for _, served := range []*routetable.Table{nil, {}, {Listen: "9099", Routes: []routetable.Route{{Path: "/"}, {Path: "/"}}}} {
		changes := changesOf(in, item, served)
		if again := changesOf(in, item, served); !slices.Equal(changes, again) {
			t.Errorf("first\n%v\nthen\n%v", changes, again)
		}
		tells := func(object spec.ChangedObject) bool {
			return slices.ContainsFunc(changes, func(c spec.PlannedChange) bool { return c.Object == object })
		}
		for _, s := range item.Steps {
			switch s.Step {
			case StepCreate, StepRemove, StepStart, StepDisconnect, StepUpdate:
				if !tells(spec.ChangedSidecar) {
					t.Errorf("%s is not among the changes %v", s.Step, changes)
				}
			case StepEnsureNetwork, StepRemoveNetwork:
				if !tells(spec.ChangedNetwork) {
					t.Errorf("%s is not among the changes %v", s.Step, changes)
				}
			}
		}
	}
}

// FuzzPlan holds, for any declaration beside any engine, that a plan can be made; that it is the same each time; that it
// touches nothing but the name's own things; that a name is not both blocked and acted on; that nothing is removed that
// the brake holds, or serves while nobody else does; and that nothing is left to do once it is done.
func FuzzPlan(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 3, 0, 1, 1, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 2, 0, 1, 0, 1, 0, 0, 2, 0, 0, 0, 1})
	f.Add([]byte{1, 1, 1, 1, 1, 1, 1, 5, 3, 1, 1, 1, 1, 5, 5, 5, 5, 5, 1, 0, 1, 0, 6, 6, 6, 6, 6, 6, 1, 1, 2, 2, 1, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		w := fuzzWorld(data)
		plan, of := w.plan()
		if again, _ := fuzzWorld(data).plan(); again.String() != plan.String() {
			t.Errorf("first\n%s\nthen\n%s", plan, again)
		}
		for _, b := range plan.Blocked {
			if slices.ContainsFunc(plan.Items, func(i Item) bool { return i.Name == b.Name }) {
				t.Errorf("%s is blocked, and acted on", b.Name)
			}
		}
		for _, item := range plan.Items {
			for _, s := range item.Steps {
				w.checkTarget(t, of[item.Name], s)
			}
			w.checkSuccession(t, of[item.Name], item)
			checkChanges(t, of[item.Name], item)
			w.checkWithdrawal(t, of[item.Name], item)
		}
		for name, in := range of {
			if cp := w.spec(name); cp != nil && in.refused == nil && !cp.Paused() {
				w.checkSettled(t, in)
			}
		}
	})
}

// checkTarget holds that a step is about the name's own things, and removes nothing that the brake holds.
func (w *fuzzed) checkTarget(t *testing.T, in inputs, s Step) {
	t.Helper()
	own := s.id == "" || slices.ContainsFunc(w.seen.Sidecars, func(c Sidecar) bool { return c.ID == s.id && c.SpecName == in.name })
	switch s.Step {
	case StepRemoveNetwork:
		own = slices.ContainsFunc(w.seen.Networks, func(n Network) bool { return n.ID == s.id && n.SpecName == in.name })
	case StepRemoveVolume:
		own = slices.Contains(w.seen.StrayVolumes, Volume{Name: s.Target, SpecName: in.name})
	}
	if !own {
		t.Errorf("%s: %s of %s, which is not its own", in.name, s.Step, s.Target)
	}
	kept := !w.declared.Complete || w.declared.KeepAll || w.declared.KeepNames.Has(in.name) || !w.opts.Prune
	if s.Step == StepRemove && in.spec == nil && kept {
		t.Errorf("%s: %s of %s, which the brake holds", in.name, s.Step, s.Target)
	}
}

// checkWithdrawal holds that with a breach that must not be nothing is made, started, or put on a network.
func (w *fuzzed) checkWithdrawal(t *testing.T, in inputs, item Item) {
	t.Helper()
	if in.spec == nil || in.bounds.shut == "" || in.spec.Paused() {
		return
	}
	for _, s := range item.Steps {
		switch s.Step {
		case StepDisconnect, StepResolveTokens, StepCopyRoutes, StepReload, StepUpdate:
		default:
			t.Errorf("%s in spite of a breach:\n%s", s.Step, item)
		}
	}
}

// checkSuccession holds that a sidecar of a declared name that serves is let go only once another one serves.
func (w *fuzzed) checkSuccession(t *testing.T, in inputs, item Item) {
	t.Helper()
	leaves := func(id string) bool {
		return slices.ContainsFunc(item.Steps, func(s Step) bool { return s.id == id && (s.Step == StepDrain || s.Step == StepRemove) })
	}
	if in.spec == nil || slices.ContainsFunc(in.view.sidecars[in.name], func(s Sidecar) bool { return serving(s) && !leaves(s.ID) }) {
		return
	}
	for _, step := range item.Steps {
		if (step.Step == StepWaitReady || step.Step == StepReload) && !step.early {
			return
		}
		for _, s := range in.view.sidecars[in.name] {
			if s.ID == step.id && s.State == StateRunning && serving(s) && (step.Step == StepDrain || step.Step == StepRemove) {
				t.Errorf("nobody serves after this:\n%s", item)
			}
		}
	}
}

// checkSettled holds that a name needs nothing whose sidecar is exactly as declared.
func (w *fuzzed) checkSettled(t *testing.T, in inputs) {
	t.Helper()
	s, internal := in.spec.Spec, Network{ID: "i", Name: in.spec.Spec.InternalNetwork, Internal: true, Subnets: []string{"10.1.0.0/24"}}
	egress := Network{ID: "e", Name: s.EgressNetwork}
	if internal.Name == egress.Name {
		return // such a spec is invalid
	}
	values := tokens{"CRED_PROXY_TOKEN_1": NewToken("one")}
	sidecar := Sidecar{
		ID: "id", Name: "cred-proxy-" + in.name, SpecName: in.name, SpecHash: spec.Hash(&s), State: StateRunning, ImageID: "own",
		Resources: LimitsOf(s.Resources), Env: values,
		Endpoints: []Endpoint{{NetworkID: "i", Aliases: []string{s.Hostname}}, {NetworkID: "e"}},
		Report:    &routetable.Report{Generation: 7, Serving: true, RoutesDigest: routetable.RoutesDigest(tableOf(&s, internal, nil, reach{}))},
	}
	in.view = newView(&Observation{Networks: []Network{internal, egress}, Sidecars: []Sidecar{sidecar}})
	in.tokens, in.bounds = values, bounds{}
	in.delivered = map[string]delivery{"id": {generation: 7, tokens: values, refs: s.Slots()}}
	if item, blocked := planName(in); len(item.Steps) > 0 || blocked != nil {
		t.Errorf("settled, and yet %v %s", blocked, item)
	}
}
