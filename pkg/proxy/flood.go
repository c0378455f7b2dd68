package proxy

import (
	"sync/atomic"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// toldASecond is how many refusals of one route for one reason get a line of their own in a second; the others are told together.
const toldASecond = 5

// flood keeps an agent that is refused again and again from filling the log. All are counted.
type flood struct {
	second, told, withheld atomic.Int64
}

// tells reports whether a refusal gets a line of its own. When a second turns for several at a time, a few more may.
func (f *flood) tells(now time.Time) bool {
	if second := now.Unix(); f.second.Swap(second) != second {
		f.told.Store(0)
	}
	if f.told.Add(1) <= toldASecond {
		return true
	}
	f.withheld.Add(1)
	return false
}

// tellRefused logs how many refusals of each route were withheld since the last time.
func (h *Handler) tellRefused() {
	h.tallies.none.tellRefused(h.audit)
	for _, t := range h.tallies.byPath {
		t.tellRefused(h.audit)
	}
}

func (t *tally) tellRefused(a *audit) {
	for i, reason := range routetable.RefusalReasons() {
		if n := t.refusals[i].flood.withheld.Swap(0); n > 0 {
			a.refused(t.route, reason, n)
		}
	}
}
