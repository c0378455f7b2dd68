package drivertest

import (
	"slices"

	"credproxy.dev/controller/pkg/reconcile"
)

func reaching() []story {
	return []story{
		{"what a foreign container may do is seen", foreignReachIsSeen},
		{"a container in a sidecar's namespaces is seen there, and told of", lodgerIsSeen},
		{"who mounts a sidecar's volume is seen", volumesUserIsSeen},
	}
}

func foreignReachIsSeen(w *world) {
	for name, reach := range map[string]reconcile.Reach{
		"harmless":   {},
		"usual":      {Capabilities: []string{"NET_RAW"}},
		"mighty":     {Capabilities: []string{"NET_ADMIN", "SYS_ADMIN"}},
		"privileged": {Privileged: true},
		"the host's": {Shared: []reconcile.SharedNamespace{{Kind: reconcile.NamespacePID}, {Kind: reconcile.NamespaceIPC}}},
	} {
		id := w.Hands.AddContainer(w.T, Container{Name: w.name("foreign"), NetworkID: w.internal(), Reach: reach})
		got := w.other(id).Reach
		if got == nil || got.Privileged != reach.Privileged || !slices.Equal(got.Capabilities, reach.Capabilities) || !slices.Equal(got.Shared, reach.Shared) {
			w.Errorf("%s: it is seen with %+v", name, got)
		}
		w.Hands.RemoveContainer(w.T, id)
	}
}

// lodgerIsSeen tells that such a container has no place of its own on any network, and that no network's event tells of it.
func lodgerIsSeen(w *world) {
	sidecar := w.serve()
	w.observe()
	l := w.watch()
	shared := []reconcile.SharedNamespace{{Kind: reconcile.NamespaceNetwork, Container: sidecar}, {Kind: reconcile.NamespacePID, Container: sidecar}}
	id := w.Hands.AddContainer(w.T, Container{Name: w.name("lodger"), Reach: reconcile.Reach{Shared: shared}})
	l.until(func(c reconcile.Change) bool { return c.Kind == "start" && c.Stranger })
	c := w.other(id)
	if len(c.Endpoints) != 0 || c.Reach == nil || !slices.Equal(c.Reach.Shared, shared) {
		w.Errorf("it is seen as %+v, with %+v", c, c.Reach)
	}
}

func volumesUserIsSeen(w *world) {
	volume := w.Hands.Volume(w.T, w.create())
	has := func(mounts []reconcile.Mount) bool {
		return slices.ContainsFunc(mounts, func(m reconcile.Mount) bool { return m.Volume == volume && m.Source != "" })
	}
	if s := w.sidecar(); !has(s.Mounts) {
		w.Errorf("the sidecar's mounts are %+v, want %s", s.Mounts, volume)
	}
	id := w.Hands.AddContainer(w.T, Container{
		Name: w.name("foreign"), NetworkID: w.egress(), Reach: reconcile.Reach{Mounts: []reconcile.Mount{{Volume: volume}}},
	})
	if c := w.other(id); c.Reach == nil || !has(c.Reach.Mounts) {
		w.Errorf("it is seen with %+v", c.Reach)
	}
}
