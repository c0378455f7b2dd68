package drivertest

import (
	"net/http"
	"sync"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

func counting() []story {
	return []story{
		{"what a sidecar counts is told up to its end, and is no news", tellsCounters},
		{"a driver that begins anew hears of all that was counted", tellsCountersAgain},
	}
}

// ledger is the last that was told of each route, and whether the sidecar has ended since.
type ledger struct {
	mu     sync.Mutex
	routes map[string]routetable.RouteCounters
	runs   map[int64]bool
	ended  bool
}

func (w *world) ledger(d reconcile.Driver) *ledger {
	l := &ledger{routes: map[string]routetable.RouteCounters{}, runs: map[int64]bool{}}
	d.OnCounted(func(c reconcile.Counted) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.ended = c.Counters == nil; l.ended || c.SpecName != specName {
			return
		}
		l.runs[c.Counters.Run] = true
		for _, r := range c.Counters.Routes {
			l.routes[r.Route] = r
		}
	})
	return l
}

// answered reports whether so many requests of the one route were answered with a class of statuses, all with a credential.
func (l *ledger) answered(status int, n int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.routes["/a"]
	all := int64(0)
	for _, class := range r.Requests {
		all += class
	}
	return r.Requests[routetable.CodeClass(status)] == n && r.Injections == all && r.Duration.Count() == all && r.InFlight == 0
}

func tellsCounters(w *world) {
	l := w.ledger(w.Driver)
	ask, renew := w.answered()
	watched := w.watch()
	ask(http.StatusOK, http.StatusOK, http.StatusNotFound)
	w.eventually("all of them are told", func(*reconcile.Observation) bool { return l.answered(200, 2) && l.answered(404, 1) })
	watched.wantNoReport()
	renew(2, "two")
	ask(http.StatusOK)
	w.noError(w.Driver.Drain(w.ctx(), w.sidecar().ID))
	w.eventually("what it counted up to its end is told", func(*reconcile.Observation) bool { return l.answered(200, 3) })
	w.eventually("its end is told", func(*reconcile.Observation) bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.ended && len(l.runs) == 1
	})
}

func tellsCountersAgain(w *world) {
	ask, _ := w.answered()
	ask(http.StatusOK, http.StatusInternalServerError)
	w.Driver = w.Again()
	l := w.ledger(w.Driver)
	w.eventually("another driver hears of it", func(*reconcile.Observation) bool { return l.answered(200, 1) && l.answered(500, 1) })
}
