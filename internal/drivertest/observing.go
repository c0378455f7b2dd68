package drivertest

import (
	"context"
	"slices"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

func observing() []story {
	return []story{
		{"the engine answers a ping", pings},
		{"a sidecar is seen as it was made", seenAsMade},
		{"a settled engine is looked at with two lists", settledTakesTwoLists},
		{"what was forgotten is inspected anew", forgottenIsInspected},
		{"a foreign container is among the others", foreignIsOther},
		{"another instance's sidecar is among the others", strangersIsOther},
		{"labels of an image make nothing ours", imageLabelsDoNotCount},
		{"a foreign name on an internal network is seen", foreignAliasIsSeen},
		{"a foreign name on a network that leads out is seen", foreignAliasOutsideIsSeen},
		{"a driver that begins anew hears the sidecars that run", begunAnewHears},
		{"a look that is given up fails as a whole", givenUpFails},
	}
}

func pings(w *world) { w.noError(w.Driver.Ping(w.ctx())) }

func seenAsMade(w *world) {
	req := w.request()
	id, err := w.Driver.Create(w.ctx(), req)
	w.noError(err)
	s := w.sidecar()
	type identity struct {
		id, name, spec, hash, image string
		state                       reconcile.ContainerState
	}
	got := identity{s.ID, s.Name, s.SpecName, s.SpecHash, s.ImageID, s.State}
	want := identity{id, req.ContainerName, specName, specHash, req.ImageID, reconcile.StateCreated}
	if got != want {
		w.Errorf("got %+v, want %+v", got, want)
	}
	if s.ImageTag == "" || s.ImageTag != w.observe().ImageTag {
		w.Errorf("it was made from the image %q, which is the controller's own", s.ImageTag)
	}
	if limits := reconcile.LimitsOf(req.Resources); s.Resources != limits {
		w.Errorf("its limits are %+v, want %+v", s.Resources, limits)
	}
	if s.Created.IsZero() || !s.StartedAt.IsZero() || s.RestartCount != 0 || len(s.Env) != 0 || s.Report != nil {
		w.Errorf("it never ran, and is seen as %+v", s)
	}
	e, on := place(s.Endpoints, req.Network)
	if !on || len(s.Endpoints) != 1 || e.NetworkName != w.name("internal") || !slices.Equal(e.Aliases, []string{hostname}) {
		w.Errorf("its places are %+v", s.Endpoints)
	}
}

func settledTakesTwoLists(w *world) {
	w.serve()
	w.Hands.AddContainer(w.T, Container{Name: w.name("agent"), NetworkID: w.internal()})
	// The look after the last change may inspect.
	w.observe()
	w.takesTwoLists(func() { w.observe() })
}

// takesTwoLists fails the story unless a look soon takes a list of containers and one of networks, and no more. On an
// engine that others use too, it may have to inspect what they have just made.
func (w *world) takesTwoLists(look func()) {
	w.Helper()
	made := 0
	for deadline := time.Now().Add(patience); made != 2 && time.Now().Before(deadline); {
		before := w.Requests()
		look()
		made = w.Requests() - before
	}
	if made != 2 {
		w.Errorf("%d requests instead of a list of containers and one of networks", made)
	}
}

func forgottenIsInspected(w *world) {
	w.serve()
	w.observe()
	before := w.Requests()
	w.Driver.Forget()
	w.observe()
	if made := w.Requests() - before; made <= 2 {
		w.Errorf("%d requests; the sidecar was not inspected", made)
	}
}

// other fails the story unless the container is seen, and as nobody's.
func (w *world) other(id string) reconcile.OtherContainer {
	w.Helper()
	o := w.observe()
	if slices.ContainsFunc(o.Sidecars, func(s reconcile.Sidecar) bool { return s.ID == id }) {
		w.Errorf("container %s is seen as a sidecar", id)
	}
	i := slices.IndexFunc(o.Others, func(c reconcile.OtherContainer) bool { return c.ID == id })
	if i < 0 {
		w.Fatalf("container %s is not seen", id)
	}
	return o.Others[i]
}

func foreignIsOther(w *world) {
	network := w.egress()
	id := w.Hands.AddContainer(w.T, Container{Name: w.name("foreign"), NetworkID: network})
	c := w.other(id)
	if _, on := place(c.Endpoints, network); !on || c.Name != w.name("foreign") || c.State != reconcile.StateRunning || c.Instance != "" {
		w.Errorf("it is seen as %+v", c)
	}
}

func strangersIsOther(w *world) {
	mine := w.create()
	req := w.request()
	req.ContainerName = w.name("stranger")
	id, err := w.Stranger.Create(w.ctx(), req)
	w.noError(err)
	if c := w.other(id); c.Instance == "" || c.Instance == w.Instance {
		w.Errorf("it is seen as a sidecar of instance %q", c.Instance)
	}
	o, err := w.Stranger.Observe(w.ctx())
	w.noError(err)
	if len(o.Sidecars) != 1 || o.Sidecars[0].ID != id {
		w.Errorf("the stranger sees %+v as its own; mine is %s", o.Sidecars, mine)
	}
}

func imageLabelsDoNotCount(w *world) {
	id := w.Hands.AddContainer(w.T, Container{Name: w.name("foreign"), NetworkID: w.internal(), ImageLabels: map[string]string{
		spec.Group + "/instance": w.Instance, spec.Group + "/name": specName, spec.Group + "/spec-hash": specHash,
	}})
	if c := w.other(id); c.Instance != "" {
		w.Errorf("it is seen as a sidecar of instance %q", c.Instance)
	}
}

func foreignAliasIsSeen(w *world)        { w.seesAlias(w.internal()) }
func foreignAliasOutsideIsSeen(w *world) { w.seesAlias(w.egress()) }

// seesAlias fails the story unless a foreign container's name on a network is seen.
func (w *world) seesAlias(network string) {
	w.Helper()
	id := w.Hands.AddContainer(w.T, Container{Name: w.name("foreign"), NetworkID: network, Aliases: []string{hostname}})
	c := w.other(id)
	if e, on := place(c.Endpoints, network); !on || !slices.Contains(e.Aliases, hostname) {
		w.Errorf("its places are %+v", c.Endpoints)
	}
}

func begunAnewHears(w *world) {
	w.serve()
	o, err := w.Again().Observe(w.ctx())
	w.noError(err)
	if len(o.Sidecars) != 1 || o.Sidecars[0].Report == nil {
		w.Fatalf("nothing is heard of %+v", o.Sidecars)
	}
	if r := *o.Sidecars[0].Report; !r.Serving || r.Generation != 1 {
		w.Errorf("it reports %+v", r)
	}
}

func givenUpFails(w *world) {
	ctx, cancel := context.WithCancel(w.ctx())
	cancel()
	o, err := w.Driver.Observe(ctx)
	if o != nil {
		w.Errorf("got a partial observation: %+v", o)
	}
	w.wants(err, context.Canceled)
}
