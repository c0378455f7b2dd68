package model

import (
	"time"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// plot is one kind of plan: a settled world, and a change that leads to the plan.
type plot struct {
	name string
	// before declares what there is first; nil declares the usual spec.
	before func(*world)
	change func(*world)
	// served means that at every moment somebody serves the agent, before the change, during it and after.
	served bool
}

// hero is the spec of which all plots tell.
const hero = "ant"

// plots are all kinds of plans.
func plots() []plot {
	return append(declaredPlots(), driftPlots()...)
}

// edit changes the hero's file.
func edit(changes ...func(*spec.CredProxy)) func(*world) {
	return func(w *world) {
		for _, change := range changes {
			w.files.edit(hero, change)
		}
		w.declare()
	}
}

func declaredPlots() []plot {
	empty := func(*world) {}
	withEnv, inMemory, withNetworks := edit(editDelivery(1)), edit(editDelivery(2)), edit(editInternal(2), editEgress(2))
	token := func(w *world) { w.tokens.put("RED") }
	remove := func(w *world) { delete(w.files.byName, hero); w.declare() }
	return []plot{
		{"create", empty, edit(editRoutes(0)), false},
		{"create with Env", empty, withEnv, false},
		{"create in Memory", empty, inMemory, false},
		{"create with networks", empty, withNetworks, false},
		{"reload routes", nil, edit(editRoutes(3)), true},
		{"reload a token", nil, token, true},
		{"update limits", nil, edit(editResources(1)), true},
		{"replace for an Env token", withEnv, token, true},
		{"replace for the delivery", nil, withEnv, true},
		{"replace to keep tokens in memory", nil, inMemory, true},
		{"reload a token in Memory", inMemory, token, true},
		{"replace for the image", nil, edit(editImage(1)), true},
		{"move to a hostname", nil, edit(editHostname(1)), true},
		{"ask callers for a key", nil, edit(editCallers(1)), true},
		{"move to a port", nil, edit(editPort(1)), true},
		{"move to an internal network", nil, edit(editInternal(1)), true},
		{"move to networks of its own", nil, withNetworks, true},
		{"change egress", nil, edit(editEgress(1)), true},
		{"change everything", nil, edit(editRoutes(3), editHostname(1), editPort(1), editEgress(1), editInternal(1), editResources(1), editDelivery(1), editCallers(1)), true},
		{"remove", nil, remove, false},
		{"remove with networks", withNetworks, remove, false},
	}
}

func driftPlots() []plot {
	inMemory := edit(editDelivery(2))
	by := func(do func(e *fakeengine.Engine, id string)) func(*world) {
		return func(w *world) {
			onSidecar(func(w *world, c fakeengine.Container, _ int) { do(w.engine, c.ID) })(w, hero, 0)
		}
	}
	off := func(network string, back ...string) func(*world) {
		return func(w *world) {
			onSidecar(func(w *world, c fakeengine.Container, _ int) {
				w.engine.DisconnectContainer(c.ID, w.network(network))
				for _, alias := range back {
					w.engine.ConnectContainer(c.ID, w.network(network), alias)
				}
			})(w, hero, 0)
		}
	}
	anew := func(variant int) func(*world) {
		return func(w *world) {
			w.hand(func() { w.removeNetwork(hero, variant); w.addNetwork(hero, variant) })
		}
	}
	return []plot{
		{"repair stopped", nil, by((*fakeengine.Engine).StopContainer), false},
		{"repair killed", nil, by((*fakeengine.Engine).KillContainer), false},
		{"repair crashed", nil, by(func(e *fakeengine.Engine, id string) { e.CrashContainer(id, 1) }), true},
		{"deliver after a stop in Memory", inMemory, by((*fakeengine.Engine).StopContainer), false},
		{"deliver after a crash in Memory", inMemory, by(func(e *fakeengine.Engine, id string) { e.CrashContainer(id, 1) }), false},
		{"deliver after the engine's restart in Memory", inMemory, func(w *world) { w.hand(w.engine.Restart) }, false},
		{"controller restarts in Memory", inMemory, func(w *world) { w.restart() }, true},
		{"repair paused", nil, by((*fakeengine.Engine).PauseContainer), false},
		{"repair removed", nil, by(func(e *fakeengine.Engine, id string) { e.RemoveContainer(id, true) }), false},
		{"volume without container", nil, by(func(e *fakeengine.Engine, id string) { e.RemoveContainer(id, false) }), false},
		{"repair removing", nil, by((*fakeengine.Engine).StallRemoval), false},
		{"repair renamed", nil, by(func(e *fakeengine.Engine, id string) { e.RenameContainer(id, "renamed") }), true},
		{"repair limits", nil, by(func(e *fakeengine.Engine, id string) { e.UpdateContainer(id, reconcile.Limits{Memory: 1}) }), true},
		{"repair off internal", nil, off(hero + "-in"), false},
		{"repair off egress", nil, off(hero + "-out"), true},
		{"repair lost alias", nil, off(hero+"-in", "wrong"), false},
		{"repair attached", nil, onHero(func(w *world, c fakeengine.Container) { w.engine.ConnectContainer(c.ID, w.network("foreign-out")) }), true},
		{"repair internal anew", nil, anew(0), false},
		{"repair egress anew", nil, anew(1), true},
		{"repair image gone", nil, func(w *world) { w.hand(func() { w.engine.RemoveImage(ownImage) }) }, true},
		{"leftover created", nil, func(w *world) { w.leftover(false) }, true},
		{"leftover running", nil, func(w *world) { w.leftover(true) }, true},
		{"withdraw for a breach", edit(editIsolation(1)), func(w *world) { w.hand(func() { w.intrude(newSpec(hero), 0) }) }, false},
		{"return after a breach", func(w *world) {
			edit(editIsolation(1))(w)
			w.hand(func() { w.intrude(newSpec(hero), 0) })
		}, func(w *world) { w.hand(func() { w.shut(true) }) }, false},
		{"reload during a breach", func(w *world) {
			edit(editIsolation(1))(w)
			w.rest(time.Second)
			w.hand(func() { w.intrude(newSpec(hero), 0) })
		}, edit(editRoutes(3)), false},
		{"streams cut", nil, func(w *world) { w.engine.CutWatches() }, true},
		{"engine restarts", nil, func(w *world) { w.hand(w.engine.Restart) }, true},
		{"controller restarts", nil, func(w *world) { w.restart() }, true},
	}
}

func onHero(do func(*world, fakeengine.Container)) func(*world) {
	return func(w *world) {
		onSidecar(func(w *world, c fakeengine.Container, _ int) { do(w, c) })(w, hero, 0)
	}
}

// leftover makes a second container for the hero, as a controller that died leaves it.
func (w *world) leftover(started bool) {
	w.hand(func() {
		cp, driver := newSpec(hero), w.engine.Driver(instance)
		image, err := driver.EnsureImage(w.ctx, "")
		w.must(err)
		id, err := driver.Create(w.ctx, reconcile.CreateRequest{
			ContainerName: prefix + "-" + hero + "-left", SpecName: hero, SpecHash: spec.Hash(&cp.Spec), ImageID: image,
			Network: w.network(hero + "-out"), Resources: cp.Spec.Resources,
		})
		w.must(err)
		if started {
			w.must(driver.Start(w.ctx, id))
		}
	})
}

// open brings a world to where the plot begins.
func (p plot) open(w *world) {
	if p.before != nil {
		p.before(w)
	} else {
		w.files.put(newSpec(hero))
		w.declare()
	}
	w.settle()
	if p.served {
		w.sample = w.checkServed
		w.checkServed()
	}
}

// checkServed holds that somebody serves the agent where the hero was first, or where it is declared now.
func (w *world) checkServed() {
	w.mu.Lock()
	past := w.files.past
	w.mu.Unlock()
	s := w.engine.Snapshot()
	for _, d := range past {
		for _, cp := range d.Specs {
			for _, id := range networkIDs(s, cp.Spec.InternalNetwork) {
				if len(w.engine.Ask(id, cp.Spec.Hostname, int(cp.Spec.Port), "/a")) > 0 {
					return
				}
			}
		}
	}
	w.fail("nobody serves the agent")
}

// mend ends removals that stall, after some time.
func (w *world) mend() {
	w.rest(time.Minute)
	w.hand(w.engine.FinishRemovals)
}
