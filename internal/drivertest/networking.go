package drivertest

import (
	"slices"

	"credproxy.dev/controller/pkg/reconcile"
)

func networking() []story {
	return []story{
		{"a network is made once", networkMadeOnce},
		{"a network that is there is used, and is not ours", networkIsUsed},
		{"a network of which the name is only a part is not the one", partOfNameIsNotIt},
		{"another instance's network is not ours", strangersNetworkIsNotOurs},
		{"removing a network twice succeeds", networkGoes},
		{"a network in use stays", networkInUseStays},
		{"connecting twice is one connection", connectsOnce},
		{"a container can have several names on a network", connectsWithAliases},
		{"disconnecting twice succeeds", disconnects},
		{"disconnecting what is gone succeeds", disconnectsGone},
		{"connecting to a network that is gone is told as that", connectsToNothing},
		{"connecting a container that is gone is told as that", connectsNobody},
	}
}

func networkMadeOnce(w *world) {
	first, second := w.internal(), w.internal()
	if first != second {
		w.Errorf("made twice: %s and %s", first, second)
	}
	n, ok := w.seen(first)
	if !ok || n.Name != w.name("internal") || !n.Internal || n.HostReachable || n.SpecName != specName || len(n.Subnets) == 0 {
		w.Errorf("it is seen as %+v", n)
	}
	if out, _ := w.seen(w.egress()); out.Internal {
		w.Errorf("the way out is internal: %+v", out)
	}
	if theirs, _ := w.seen(w.Hands.AddNetwork(w.T, w.name("plain"), true)); !theirs.HostReachable {
		w.Errorf("the host has no address on a network as people make it: %+v", theirs)
	}
}

func networkIsUsed(w *world) {
	theirs := w.Hands.AddNetwork(w.T, w.name("internal"), true)
	if id := w.internal(); id != theirs {
		w.Errorf("another was made: %s instead of %s", id, theirs)
	}
	if n, _ := w.seen(theirs); n.SpecName != "" {
		w.Errorf("it is seen as made for %q", n.SpecName)
	}
}

func partOfNameIsNotIt(w *world) {
	longer := w.Hands.AddNetwork(w.T, w.name("internal-2"), true)
	if id := w.internal(); id == longer {
		w.Error("the network of the longer name was taken")
	}
}

func strangersNetworkIsNotOurs(w *world) {
	id, err := w.Stranger.EnsureNetwork(w.ctx(), reconcile.NetworkRequest{Name: w.name("strange"), SpecName: specName})
	w.noError(err)
	if n, ok := w.seen(id); !ok || n.SpecName != "" {
		w.Errorf("it is seen as %+v", n)
	}
}

func networkGoes(w *world) {
	id := w.internal()
	w.noError(w.Driver.RemoveNetwork(w.ctx(), id))
	w.noError(w.Driver.RemoveNetwork(w.ctx(), id))
	if n, ok := w.seen(id); ok {
		w.Errorf("it is still seen: %+v", n)
	}
}

func networkInUseStays(w *world) {
	id := w.egress()
	w.Hands.AddContainer(w.T, Container{Name: w.name("foreign"), NetworkID: id})
	if err := w.Driver.RemoveNetwork(w.ctx(), id); err == nil {
		w.Error("it was removed under a container")
	}
	if _, ok := w.seen(id); !ok {
		w.Error("it is gone")
	}
}

func connectsOnce(w *world) {
	id, egress := w.serve(), w.egress()
	w.noError(w.Driver.Connect(w.ctx(), id, egress))
	w.noError(w.Driver.Connect(w.ctx(), id, egress))
	s := w.sidecar()
	if e, on := place(s.Endpoints, egress); !on || len(s.Endpoints) != 2 || e.IPv4 == "" {
		w.Errorf("its places are %+v", s.Endpoints)
	}
}

func connectsWithAliases(w *world) {
	id, internal := w.serve(), w.internal()
	w.noError(w.Driver.Disconnect(w.ctx(), id, internal))
	w.noError(w.Driver.Connect(w.ctx(), id, internal, hostname, "other"))
	e, _ := place(w.sidecar().Endpoints, internal)
	slices.Sort(e.Aliases)
	if !slices.Equal(e.Aliases, []string{hostname, "other"}) {
		w.Errorf("its names are %q", e.Aliases)
	}
}

func disconnects(w *world) {
	id, internal := w.serve(), w.internal()
	w.noError(w.Driver.Disconnect(w.ctx(), id, internal))
	w.noError(w.Driver.Disconnect(w.ctx(), id, internal))
	if s := w.sidecar(); len(s.Endpoints) != 0 {
		w.Errorf("its places are %+v", s.Endpoints)
	}
}

func disconnectsGone(w *world) {
	id, internal, egress := w.create(), w.internal(), w.egress()
	w.noError(w.Driver.RemoveNetwork(w.ctx(), egress))
	w.noError(w.Driver.Disconnect(w.ctx(), id, egress))
	w.noError(w.Driver.Remove(w.ctx(), id))
	w.noError(w.Driver.Disconnect(w.ctx(), id, internal))
}

func connectsToNothing(w *world) {
	id, egress := w.create(), w.egress()
	w.noError(w.Driver.RemoveNetwork(w.ctx(), egress))
	err := w.Driver.Connect(w.ctx(), id, egress)
	if err == nil {
		// Engine 20.10 finds out only when the container is started.
		err = w.Driver.Start(w.ctx(), id)
	}
	w.wants(err, reconcile.ErrNetworkNotFound)
}

func connectsNobody(w *world) {
	id, egress := w.create(), w.egress()
	w.noError(w.Driver.Remove(w.ctx(), id))
	w.wants(w.Driver.Connect(w.ctx(), id, egress), reconcile.ErrNotFound)
}
