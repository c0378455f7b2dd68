package model

import (
	"testing"
	"time"
)

// testDeaths kills the controller at every call of every plan, before and after that call takes effect. Another one takes
// over, and ends in the declared state without litter; and where the predecessor served, the agent is served at every
// moment.
func testDeaths(t *testing.T, census *census) {
	deaths := 0
	for _, p := range plots() {
		calls := p.calls(t)
		if calls == 0 {
			t.Errorf("%s: no call is made", p.name)
		}
		for n := 1; n <= calls; n++ {
			for _, after := range []bool{false, true} {
				p.die(t, census, n, after)
				deaths++
			}
		}
	}
	t.Logf("the controller died %d times: at each call of %d kinds of plans", deaths, len(plots()))
}

// calls is how many calls a plot takes up to the last that is more than a look, when nothing goes wrong.
func (p plot) calls(t *testing.T) (n int) {
	t.Helper()
	w, err := play(t, 1, func(w *world) {
		p.open(w)
		before := w.tally()
		p.change(w)
		w.mend()
		w.settle()
		n = w.tally().acts - before.calls
	})
	if err != nil {
		t.Errorf("%s: %v\n%s", p.name, err, w.story())
	}
	return n
}

// die has the controller die at the nth call of a plot.
func (p plot) die(t *testing.T, census *census, n int, after bool) {
	t.Helper()
	w, err := play(t, 1, func(w *world) {
		p.open(w)
		w.now.driver.doom(n, after)
		p.change(w)
		for range 120 {
			if w.now.driver.isDead() {
				break
			}
			w.rest(time.Second)
		}
		w.revive()
		w.mend()
		w.settle()
	})
	census.add(w)
	if err != nil {
		t.Errorf("%s, %s call %d: %v\n%s", p.name, death{n, after}, n, err, w.story())
	}
}
