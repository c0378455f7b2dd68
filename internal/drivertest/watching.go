package drivertest

import (
	"context"
	"slices"

	"credproxy.dev/controller/pkg/reconcile"
)

func watching() []story {
	return []story{
		{"a watch begins with a change that may be anything", watchBegins},
		{"a watch ends with its context", watchEnds},
		{"what happens to a sidecar is told with its spec", tellsOfSidecars},
		{"what happens to a network is told with its name, or seen at the next look", tellsOfNetworks},
		{"a name that was lost is seen after it was told", seesLostAlias},
	}
}

// watched is a stream of changes that a story listens to.
type watched struct {
	*world
	changes chan reconcile.Change
	ended   chan error
	cancel  context.CancelFunc
}

// watch returns once the driver has subscribed.
func (w *world) watch() *watched {
	w.Helper()
	ctx, cancel := context.WithCancel(w.ctx())
	l := &watched{world: w, changes: make(chan reconcile.Change, 1000), ended: make(chan error, 1), cancel: cancel}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		l.ended <- w.Driver.Watch(ctx, func(c reconcile.Change) { l.changes <- c })
	}()
	w.Cleanup(func() { cancel(); <-gone })
	if first := l.next(); first != (reconcile.Change{}) {
		w.Errorf("the first change is %+v, and has to be empty", first)
	}
	return l
}

func (l *watched) next() reconcile.Change {
	l.Helper()
	select {
	case c := <-l.changes:
		return c
	case err := <-l.ended:
		l.Fatalf("the watch ended: %v", err)
	case <-l.ctx().Done():
		l.Fatal("no change was told")
	}
	return reconcile.Change{}
}

// until reads changes up to one that fits.
func (l *watched) until(fits func(reconcile.Change) bool) {
	l.Helper()
	for !fits(l.next()) {
	}
}

func watchBegins(w *world) { w.watch() }

func watchEnds(w *world) {
	l := w.watch()
	l.cancel()
	w.wants(<-l.ended, context.Canceled)
}

func tellsOfSidecars(w *world) {
	l := w.watch()
	id := w.serve()
	of := func(kind string) func(reconcile.Change) bool {
		return func(c reconcile.Change) bool { return c.SpecName == specName && c.Kind == kind }
	}
	l.until(of("create"))
	l.until(of("start"))
	w.Hands.Kill(w.T, id)
	l.until(of("die"))
	w.noError(w.Driver.Remove(w.ctx(), id))
	l.until(of("destroy"))
}

func tellsOfNetworks(w *world) {
	l := w.watch()
	id := w.Hands.AddNetwork(w.T, w.name("late"), true)
	if n, ok := w.seen(id); !ok || n.Name != w.name("late") {
		w.Errorf("it is seen as %+v", n)
	}
	if w.Podman {
		return
	}
	of := func(kind string) func(reconcile.Change) bool {
		return func(c reconcile.Change) bool { return c.Network == w.name("late") && c.Kind == kind }
	}
	l.until(of("create"))
	w.Hands.AddContainer(w.T, Container{Name: w.name("foreign"), NetworkID: id})
	l.until(of("connect"))
}

func seesLostAlias(w *world) {
	id, internal := w.serve(), w.internal()
	w.observe()
	l := w.watch()
	w.Hands.Disconnect(w.T, id, internal)
	w.Hands.Connect(w.T, id, internal)
	l.until(func(c reconcile.Change) bool { return c.Kind == "connect" && c.SpecName == specName })
	e, on := place(w.sidecar().Endpoints, internal)
	if !on || slices.Contains(e.Aliases, hostname) {
		w.Errorf("its place is %+v", e)
	}
}
