package model

import (
	"testing"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
)

// testStories plays what is told in two or three operations and what random scripts seldom tell.
func testStories(t *testing.T, census *census) {
	for _, story := range []struct {
		name string
		tell func(*world)
	}{
		{"a token returns after a reload of which nothing was heard", func(w *world) {
			w.engine.Inject(fakeengine.Reload, 1, fakeengine.HangsAfter())
			w.tokens.put("RED")
			w.await(fakeengine.Hit{Fault: "hung after", Verb: fakeengine.Reload})
			w.tokens.putBack("RED")
			w.rest(30 * time.Second)
		}},
		{"an agent is on a network that is not needed any more", func(w *world) {
			w.files.edit(hero, editInternal(2))
			w.declare()
			w.rest(time.Second)
			w.hand(func() {
				w.engine.AddContainer(fakeengine.Foreign{Name: "guest", Restarts: true, Networks: map[string][]string{w.network(hero + "-new-in"): nil}})
			})
			delete(w.files.byName, hero)
			w.declare()
			w.atRestWithin(time.Second)
			w.hand(func() { w.engine.RemoveContainer("guest", true) })
			w.atRestWithin(time.Second)
		}},
		{"a spec waits for a network that was made for one that is gone, while an agent is on it", func(w *world) {
			w.files.edit(hero, editInternal(3))
			w.declare()
			w.rest(time.Second)
			w.hand(func() {
				w.engine.AddContainer(fakeengine.Foreign{Name: "guest", Restarts: true, Networks: map[string][]string{w.network("shared-new-in"): nil}})
			})
			delete(w.files.byName, hero)
			w.files.edit("bee", editInternal(3))
			w.declare()
			w.atRestWithin(time.Second)
			w.hand(func() { w.engine.DisconnectContainer("guest", w.network("shared-new-in")) })
			w.atRestWithin(time.Second)
		}},
		{"two specs want the same missing networks made", func(w *world) {
			for _, name := range []string{"bee", hero} {
				w.files.edit(name, editInternal(3))
				w.files.edit(name, editEgress(3))
			}
			w.files.edit("bee", editHostname(1))
			w.declare()
			w.atRestWithin(time.Second)
			delete(w.files.byName, hero)
			w.declare()
			w.atRestWithin(2 * time.Second)
		}},
		{"a spec wants the place of one that is paused there", func(w *world) {
			w.files.edit(hero, editInternal(1))
			w.declare()
			w.rest(time.Second)
			w.files.edit(hero, editPaused(1))
			w.files.edit(hero, editInternal(0))
			w.files.edit("bee", editInternal(1))
			w.declare()
		}},
		{"a spec wants the place of one that is held by the brake", func(w *world) {
			w.files.edit(hero, editInternal(1))
			w.declare()
			w.rest(time.Second)
			w.files.byName[hero].standing = broken
			w.files.edit("bee", editInternal(1))
			w.declare()
		}},
		{"two specs change places", func(w *world) {
			w.files.edit("bee", editHostname(1))
			w.files.edit("bee", editInternal(1))
			w.files.edit(hero, editInternal(1))
			w.declare()
			w.rest(time.Second)
			w.files.edit("bee", editHostname(0))
			w.files.edit(hero, editHostname(1))
			w.declare()
		}},
		{"the engine is gone for minutes while all changes", func(w *world) {
			w.engine.SetDown(true)
			for _, name := range names() {
				w.files.edit(name, editRoutes(3))
			}
			w.files.edit(hero, editDelivery(1))
			w.declare()
			w.rest(5 * time.Minute)
			w.engine.SetDown(false)
			w.atRestWithin(time.Second)
		}},
		{"limits are changed while the stream of events is broken", func(w *world) {
			w.engine.LoseEvents(true)
			onHero(func(w *world, c fakeengine.Container) { w.engine.UpdateContainer(c.ID, reconcile.Limits{Memory: 1}) })(w)
			w.engine.CutWatches()
			w.engine.LoseEvents(false)
			w.atRestWithin(2 * time.Second)
		}},
		{"a sidecar is killed", func(w *world) {
			onHero(func(w *world, c fakeengine.Container) { w.engine.KillContainer(c.ID) })(w)
			w.atRestWithin(time.Second)
		}},
		{"a call fails once", func(w *world) {
			w.engine.Inject(fakeengine.Create, 1, fakeengine.DiskFull(0))
			w.files.edit(hero, editHostname(1))
			w.declare()
			w.atRestWithin(3 * time.Second)
		}},
		{"one look fails while the stream of events stays", func(w *world) {
			w.engine.Inject(fakeengine.Observe, 1, fakeengine.FailsBefore(nil))
			w.await(fakeengine.Hit{Fault: "fails before", Verb: fakeengine.Observe})
			w.atRestWithin(2 * time.Second)
		}},
	} {
		w, err := play(t, 2, func(w *world) {
			w.files.put(newSpec(hero))
			w.declare()
			w.settle()
			story.tell(w)
			w.settle()
		})
		census.add(w)
		if err != nil {
			t.Errorf("%s: %v\n%s", story.name, err, w.story())
		}
	}
}

// await lets time pass until a fault has met its call.
func (w *world) await(hit fakeengine.Hit) {
	for range 60 {
		if w.engine.Hits()[hit] > 0 {
			return
		}
		w.rest(time.Second)
	}
	w.fail("%s never meets %s", hit.Fault, hit.Verb)
}

// atRestWithin holds that all is at rest as declared after so long.
func (w *world) atRestWithin(d time.Duration) {
	w.rest(d)
	if wrong := w.unrest(); wrong != nil {
		w.fail("%s later: %q", d, wrong)
	}
}
