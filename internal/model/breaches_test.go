package model

import (
	"slices"
	"strings"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// intruder begins the names of the containers that open an environment.
const intruder = "bad"

// editIsolation requires that nothing is served with a breach, or does not.
func editIsolation(variant int) func(*spec.CredProxy) {
	return func(cp *spec.CredProxy) { cp.Spec.RequireIsolation = variant%3 != 0 }
}

func breachKinds() []kind {
	return []kind{
		{"isolation", 6, func(w *world, name string, variant int) {
			w.files.edit(name, editIsolation(variant))
			w.declare()
		}},
		{"breach", 6, func(w *world, name string, variant int) {
			if f := w.files.byName[name]; f != nil && w.network(f.spec.Spec.InternalNetwork) != "" {
				w.hand(func() { w.intrude(f.spec, variant) })
			}
		}},
		{"breaches end", 3, func(w *world, _ string, variant int) { w.hand(func() { w.shut(variant%2 == 0) }) }},
	}
}

// intrude opens an environment in one of a few ways.
func (w *world) intrude(cp *spec.CredProxy, variant int) {
	in := w.network(cp.Spec.InternalNetwork)
	bad := fakeengine.Foreign{Name: w.fresh(intruder), Restarts: true, Networks: map[string][]string{in: nil}}
	mine := sidecars(w.engine.Snapshot(), cp.Name)
	switch variant % 5 {
	case 0:
		bad.Reach.Privileged = true
	case 1:
		bad.Networks[w.network("foreign-out")] = nil
	case 2:
		w.engine.AlterNetwork(in, func(n *fakeengine.Network) { n.HostReachable = true }) // of which no event tells
		return
	case 3:
		if len(mine) > 0 {
			bad.Networks = nil
			bad.Reach.Shared = []reconcile.SharedNamespace{{Kind: reconcile.NamespacePID, Container: mine[0].ID}}
		}
	case 4:
		if len(mine) > 0 {
			bad.Networks = nil
			bad.Reach.Mounts = []reconcile.Mount{{Volume: mine[0].Volume}}
		}
	}
	w.engine.AddContainer(bad)
}

// shut ends all breaches: intruders go, or are only stopped.
func (w *world) shut(remove bool) {
	s := w.engine.Snapshot()
	for _, c := range s.Containers {
		switch {
		case !strings.HasPrefix(c.Name, intruder):
		case remove:
			w.engine.RemoveContainer(c.ID, true)
		default:
			w.engine.StopContainer(c.ID)
		}
	}
	for _, n := range s.Networks {
		if n.Internal {
			w.engine.AlterNetwork(n.ID, func(n *fakeengine.Network) { n.HostReachable = false })
		}
	}
}

// breached says what opens the environment that a container of a spec is in; empty when nothing does.
func (o *oracle) breached(cp *spec.CredProxy) string {
	for _, n := range o.snapshot.Networks {
		if n.Name == cp.Spec.InternalNetwork && (n.HostReachable || !n.Internal) {
			return "its network is open"
		}
	}
	for _, c := range o.snapshot.Containers {
		if c.Instance() != instance && c.State == reconcile.StateRunning && (o.insideOut(c, cp) || o.takesFrom(c, cp)) {
			return c.Name + " opens it"
		}
	}
	return ""
}

// insideOut reports whether a container on the internal network can do more than one there may.
func (o *oracle) insideOut(c fakeengine.Container, cp *spec.CredProxy) bool {
	inside := slices.ContainsFunc(c.Endpoints, func(e reconcile.Endpoint) bool { return e.NetworkName == cp.Spec.InternalNetwork })
	outside := slices.ContainsFunc(c.Endpoints, func(e reconcile.Endpoint) bool {
		return slices.ContainsFunc(o.snapshot.Networks, func(n fakeengine.Network) bool { return n.ID == e.NetworkID && !n.Internal })
	})
	return inside && (c.Reach.Privileged || outside)
}

// takesFrom reports whether a container is where only a sidecar of the spec has to be.
func (o *oracle) takesFrom(c fakeengine.Container, cp *spec.CredProxy) bool {
	return slices.ContainsFunc(sidecars(o.snapshot, cp.Name), func(mine fakeengine.Container) bool {
		return slices.ContainsFunc(c.Reach.Shared, func(s reconcile.SharedNamespace) bool { return s.Container == mine.ID }) ||
			slices.ContainsFunc(c.Reach.Mounts, func(m reconcile.Mount) bool { return m.Volume == mine.Volume })
	})
}

// keptOff holds that with a breach no sidecar of a spec that requires isolation is where agents are.
func (o *oracle) keptOff(cp *spec.CredProxy) {
	if len(networkIDs(o.snapshot, cp.Spec.InternalNetwork)) != 1 {
		return // of several one may be shut
	}
	for _, c := range sidecars(o.snapshot, cp.Name) {
		if c.State == reconcile.StateRunning && slices.ContainsFunc(c.Endpoints, func(e reconcile.Endpoint) bool {
			return e.NetworkName == cp.Spec.InternalNetwork
		}) {
			o.say("%s is on %s, and %s", c.Name, cp.Spec.InternalNetwork, o.breached(cp))
		}
	}
	if status, words := o.ready(cp.Name); status == "True" {
		o.say("%s is Ready=True %s, and %s", cp.Name, words, o.breached(cp))
	}
}
