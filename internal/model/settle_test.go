package model

import (
	"strings"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
)

// settle lets time pass until all is at rest as declared, and then holds that it stays so without any call but looks.
func (w *world) settle() {
	var wrong []string
	for waited, step := time.Duration(0), time.Second; waited < 10*time.Minute; waited += step {
		w.rest(step)
		w.revive()
		if wrong = w.unrest(); wrong == nil {
			break
		}
		step = min(2*step, 10*time.Second)
	}
	for _, problem := range wrong {
		w.fail("it does not come to rest: %s", problem)
	}
	w.checkForeign()
	w.checkTold()
	if wrong == nil {
		w.checkQuiet()
	}
}

// checkQuiet holds that a second pass makes no call but looks.
func (w *world) checkQuiet() {
	w.rest(deepResync + 5*time.Second) // of a spec that need not be in force, only a deep look may have seen all
	w.engine.ResetCalls()
	w.rest(35 * time.Second) // a resync
	for verb, n := range w.engine.Calls() {
		switch verb {
		case fakeengine.Observe, fakeengine.Inspect, fakeengine.ListVolumes, fakeengine.Watch:
		default:
			w.fail("%d calls of %s at rest", n, verb)
		}
	}
	for _, problem := range w.unrest() {
		w.fail("it did not stay at rest: %s", problem)
	}
}

// peace ends all faults and accidents. What people have to mend themselves they mend if tidy is set; an image that a
// spec asks for is there again in any case.
func (w *world) peace(tidy bool) {
	w.log("* peace, tidy %v", tidy)
	w.rest(0)
	w.now.driver.spare()
	w.engine.Heal()
	w.rest(5 * time.Second) // calls in hand meet the faults that were theirs
	w.revive()
	w.engine.SetDown(false)
	w.engine.SetEvents(fakeengine.EventsArrive)
	w.hand(func() {
		w.engine.FinishRemovals()
		w.engine.AddImage(customImage, fakeengine.Sidecar, nil)
		for _, c := range w.engine.Snapshot().Containers {
			if c.State == reconcile.StateRestarting {
				w.engine.RetryContainer(c.ID)
			}
			if now, _ := w.engine.Container(c.ID); now.State == reconcile.StateRestarting {
				w.engine.RemoveContainer(c.ID, true) // its image is another than the one that was mended
			}
		}
	})
	if tidy {
		w.tidy()
	}
}

func (w *world) tidy() {
	w.hand(func() {
		w.shut(true)
		for _, c := range w.engine.Snapshot().Containers {
			if c.Instance() == "" && (strings.HasPrefix(c.Name, prefix) || strings.HasPrefix(c.Name, "holder")) {
				w.engine.RemoveContainer(c.ID, true)
			}
		}
		for _, name := range names() {
			for variant := range 2 {
				network, _ := which(name, variant)
				ids := networkIDs(w.engine.Snapshot(), network)
				if len(ids) == 0 {
					w.addNetwork(name, variant)
				}
				for _, id := range ids[min(1, len(ids)):] {
					w.engine.RemoveNetwork(id)
				}
			}
		}
	})
	for _, ref := range refs() {
		if w.tokens.value(ref) == "" {
			w.tokens.put(ref)
		}
	}
	w.files.heal()
	w.files.root = 1
	w.declare()
}
