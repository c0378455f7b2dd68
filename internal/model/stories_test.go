package model

import (
	"testing"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
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
			w.rest(35 * time.Second)
			w.tokens.putBack("RED")
			w.rest(10 * time.Second)
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
			w.rest(time.Second)
			if wrong := w.unrest(); wrong != nil {
				w.fail("a second after the engine's return: %q", wrong)
			}
		}},
		{"a call fails once", func(w *world) {
			w.engine.Inject(fakeengine.Create, 1, fakeengine.DiskFull(0))
			w.files.edit(hero, editHostname(1))
			w.declare()
			w.rest(3 * time.Second)
			if wrong := w.unrest(); wrong != nil {
				w.fail("three seconds after: %q", wrong)
			}
		}},
		{"one look fails while the stream of events stays", func(w *world) {
			w.engine.Inject(fakeengine.Observe, 1, fakeengine.FailsBefore(nil))
			for w.engine.Hits()[fakeengine.Hit{Fault: "fails before", Verb: fakeengine.Observe}] == 0 {
				w.rest(time.Second)
			}
			w.rest(2 * time.Second)
			if wrong := w.unrest(); wrong != nil {
				w.fail("two seconds after: %q", wrong)
			}
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
