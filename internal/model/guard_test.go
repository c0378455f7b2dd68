package model

import (
	"slices"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// patience is how long a controller may go on by a declaration that is no more in force: a plan may be in hand in which calls
// hang.
const patience = 3 * time.Minute

// guard looks at a call before it is made. No call may be about what is not ours, and none may remove what no
// declaration of late lets go.
func (w *world) guard(verb fakeengine.Verb, target string) {
	switch verb {
	case fakeengine.Observe, fakeengine.EnsureNetwork, fakeengine.EnsureImage, fakeengine.Create:
		return
	case fakeengine.RemoveNetwork, fakeengine.RemoveVolume:
		w.guardThing(verb, target)
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
		w.guardRemoval(verb, c.SpecName())
	}
}

// guardThing guards networks and volumes.
func (w *world) guardThing(verb fakeengine.Verb, target string) {
	s := w.engine.Snapshot()
	labels := map[string]string{}
	for _, n := range s.Networks {
		if n.ID == target {
			labels = n.Labels
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
		w.guardRemoval(verb, labels[spec.Group+"/name"])
	}
}

func (w *world) guardRemoval(verb fakeengine.Verb, name string) {
	w.mu.Lock()
	of := w.files.inForce(time.Now().Add(-patience))
	w.mu.Unlock()
	if !slices.ContainsFunc(of, func(d reconcile.Declared) bool { return mayRemove(d, name) }) {
		w.fail("%s of what belongs to %s, which no declaration of the last %s permits", verb, name, patience)
	}
}
