package drivertest

import (
	"net/http"
	"slices"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

func rejecting() []story {
	return []story{
		{"a token that worked and is rejected is seen, until there is another", seesRejections},
		{"a token that is rejected once more is no news", countsQuietly},
	}
}

// answered makes a sidecar whose route has an upstream that answers, and returns how to have it asked, and how to give it
// another token.
func (w *world) answered() (ask func(statuses ...int), renew func(generation int64, token string)) {
	w.Helper()
	egress, ok := w.seen(w.egress())
	if !ok {
		w.Fatalf("the egress network is seen as %+v", egress)
	}
	id := w.create()
	upstream := w.Hands.Upstream(w.T, id)
	w.noError(w.Driver.Connect(w.ctx(), id, egress.ID))
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealedFor(1, "one", upstream)))
	w.noError(w.Driver.Start(w.ctx(), id))
	_, err := w.Driver.WaitReady(w.ctx(), id, 1)
	w.noError(err)
	q := Question{ContainerID: id, NetworkID: w.internal(), Route: "/a"}
	serves, _ := place(w.sidecar().Endpoints, q.NetworkID)
	q.Address = serves.IPv4 + ":9099"
	ask = func(statuses ...int) {
		for _, q.Status = range statuses {
			w.Hands.Ask(w.T, q)
		}
	}
	renew = func(generation int64, token string) {
		w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealedFor(generation, token, upstream)))
		_, err := w.Driver.Reload(w.ctx(), id, generation)
		w.noError(err)
	}
	return ask, renew
}

// rejects reports whether an observation shows that the one sidecar's token was rejected that often; 0 for not at all.
func rejects(o *reconcile.Observation, count int64) bool {
	var want []routetable.Rejection
	if count > 0 {
		want = []routetable.Rejection{{Route: "/a", Count: count}}
	}
	return len(o.Sidecars) == 1 && o.Sidecars[0].Report != nil && slices.Equal(o.Sidecars[0].Report.Rejected, want)
}

func seesRejections(w *world) {
	ask, renew := w.answered()
	ask(http.StatusUnauthorized, http.StatusOK, http.StatusForbidden)
	renew(2, "one")
	if o := w.observe(); !rejects(o, 0) {
		w.Errorf("before it was rejected it is seen as %+v", o.Sidecars)
	}
	ask(http.StatusUnauthorized)
	w.eventually("the token is rejected", func(o *reconcile.Observation) bool { return rejects(o, 1) })
	// The same token is as it was, also for a driver that begins anew.
	renew(3, "one")
	w.Driver = w.Again()
	w.eventually("another driver hears of it", func(o *reconcile.Observation) bool { return rejects(o, 1) })
	renew(4, "two")
	if o := w.observe(); !rejects(o, 0) {
		w.Errorf("with another token it is seen as %+v", o.Sidecars)
	}
	ask(http.StatusOK, http.StatusUnauthorized)
	w.eventually("the other one is rejected too", func(o *reconcile.Observation) bool { return rejects(o, 2) })
}

func countsQuietly(w *world) {
	ask, _ := w.answered()
	l := w.watch()
	ask(http.StatusOK, http.StatusUnauthorized)
	l.until(func(c reconcile.Change) bool { return c.Kind == "report" && c.SpecName == specName })
	w.eventually("the token is rejected", func(o *reconcile.Observation) bool { return rejects(o, 1) })
	ask(http.StatusUnauthorized, http.StatusUnauthorized)
	w.eventually("all of them are counted", func(o *reconcile.Observation) bool { return rejects(o, 3) })
	l.wantNoReport()
}

// wantNoReport looks at what was told up to now.
func (l *watched) wantNoReport() {
	l.Helper()
	for {
		select {
		case c := <-l.changes:
			if c.Kind == "report" {
				l.Errorf("it was told: %+v", c)
			}
		default:
			return
		}
	}
}
