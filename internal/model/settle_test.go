package model

import (
	"time"

	"credproxy.dev/controller/internal/fakeengine"
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
