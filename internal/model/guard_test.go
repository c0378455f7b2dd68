package model

import (
	"slices"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// guard looks at a call before it is made. No call may be about what is not ours, and none may remove what no
// declaration lets go.
func (w *world) guard(verb fakeengine.Verb, target string, deliberate bool) {
	switch verb {
	case fakeengine.Observe, fakeengine.EnsureNetwork, fakeengine.EnsureImage, fakeengine.Create:
		return
	case fakeengine.RemoveNetwork, fakeengine.RemoveVolume:
		w.guardThing(verb, target, deliberate)
		return
	}
	c, ok := w.engine.Container(target)
	if !ok {
		return
	}
	if c.Instance() != instance {
		w.fail("%s of container %s, which is not ours", verb, c.Name)
	}
	if verb == fakeengine.Remove || verb == fakeengine.Drain {
		w.guardRemoval(verb, c.SpecName(), deliberate)
	}
}

// guardThing guards networks and volumes.
func (w *world) guardThing(verb fakeengine.Verb, target string, deliberate bool) {
	s := w.engine.Snapshot()
	labels := map[string]string{}
	for _, n := range s.Networks {
		if n.ID == target {
			labels = n.Labels
			w.guardNetwork(n)
		}
	}
	for _, v := range s.Volumes {
		if v.Name == target {
			labels = v.Labels
		}
	}
	switch {
	case labels == nil || len(labels) > 0 && labels[labelInstance] != instance:
		w.fail("%s of %s, which is not ours", verb, target)
	case len(labels) > 0:
		w.guardRemoval(verb, labels[spec.Group+"/name"], deliberate)
	}
}

// guardNetwork holds that no network goes that every declaration that a plan in hand may follow still names for the spec for
// which it was made.
func (w *world) guardNetwork(n fakeengine.Network) {
	w.mu.Lock()
	by := w.files.past[w.files.base:]
	w.mu.Unlock()
	if !slices.ContainsFunc(by, func(d reconcile.Declared) bool {
		cp := declares(d, n.Labels[spec.Group+"/name"])
		return cp == nil || !refersTo(cp, n.Name)
	}) {
		w.fail("network %s is removed, which is in use", n.Name)
	}
}

// guardRemoval holds that a declaration which a plan in hand may follow lets what belongs to a name be removed.
func (w *world) guardRemoval(verb fakeengine.Verb, name string, deliberate bool) {
	s := w.engine.Snapshot()
	w.mu.Lock()
	by, hadSpecs := w.files.past[w.files.base:], w.now.hadSpecs
	w.mu.Unlock()
	if !slices.ContainsFunc(by, func(d reconcile.Declared) bool {
		return mayRemove(d, name) && (deliberate || declares(d, name) != nil || hadSpecs && !tooMany(s, d))
	}) {
		w.fail("%s of what belongs to %s, which no declaration in force permits", verb, name)
	}
}

// mayRemove reports whether a declaration lets what belongs to a name be removed, be it to make something better.
func mayRemove(d reconcile.Declared, name string) bool {
	if cp := declares(d, name); cp != nil {
		return !cp.Paused()
	}
	return !mentions(d, name) && d.Complete && !d.KeepAll && !d.KeepNames.Has(name)
}
