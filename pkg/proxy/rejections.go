package proxy

import (
	"cmp"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

const (
	// rejectionPause is how far behind the report before it one stays that says of other routes than that one did that
	// their tokens are rejected, and growthPause one that says the same of more answers.
	rejectionPause = time.Second
	growthPause    = 10 * time.Second
	// quietTime is how long a token must not have been rejected before it counts as one that works again, so that an
	// agent who asks for what it may have and what it may not by turns does not make it come and go.
	quietTime = 10 * time.Second
)

// rejections is what the standings of all generations have in common.
type rejections struct {
	begun time.Time
	// news says that a token was rejected that was not before.
	news chan struct{}
}

func newRejections() *rejections {
	return &rejections{begun: time.Now(), news: make(chan struct{}, 1)}
}

// standing is what a route's upstream makes of its credential. It is written by every request and locks nothing.
type standing struct {
	*rejections
	// worked is true once the upstream took the credential.
	worked atomic.Bool
	// rejected is when, in nanoseconds since begun, the upstream last answered 401 to a credential that had worked; zero when
	// it did not, or the credential works again. taken is true if it has taken the credential since.
	rejected atomic.Int64
	taken    atomic.Bool
	// count is how often it did so, with every credential that the route has had in this process.
	count *atomic.Int64
}

// note takes the status of an answer to a request with the credential. 401 says that the credential is not valid (RFC 9110
// section 15.5.2); success, and a protocol that was switched to, that it is. No other answer says either: 403 is about what
// it may be used for, 407 about another proxy's, and many servers answer 302, 404, 429 or 5xx before they look at one.
func (s *standing) note(status int) {
	switch {
	case s == nil:
	case status == http.StatusUnauthorized:
		s.reject()
	case status == http.StatusSwitchingProtocols, status >= 200 && status < 300:
		s.take()
	}
}

// take loads before it stores, so that routes that work share what they read.
func (s *standing) take() {
	if !s.worked.Load() {
		s.worked.Store(true)
	}
	if s.rejected.Load() != 0 && !s.taken.Load() {
		s.taken.Store(true)
	}
}

func (s *standing) reject() {
	if !s.worked.Load() {
		return
	}
	s.count.Add(1)
	s.taken.Store(false)
	if s.rejected.Swap(s.now()) != 0 {
		return
	}
	select {
	case s.news <- struct{}{}:
	default: // it is said already
	}
}

// now is never zero.
func (r *rejections) now() int64 { return max(1, int64(time.Since(r.begun))) }

// isRejected reports whether the token is rejected, and lets it work again.
func (s *standing) isRejected() bool {
	at := s.rejected.Load()
	if at == 0 || !s.taken.Load() || s.now()-at < int64(quietTime) {
		return at != 0
	}
	return !s.rejected.CompareAndSwap(at, 0)
}

// inherit gives each route with a credential its standing: that of the route of the same path in the table before, where
// neither upstream nor credential has changed, and otherwise one that goes on with its count.
func (t *table) inherit(before *table, r *rejections) {
	for _, rt := range t.routes {
		if rt.credential == nil || !rt.credential.present {
			continue
		}
		rt.standing = &standing{rejections: r, count: new(atomic.Int64)}
		i := slices.IndexFunc(before.routes, func(old *route) bool { return old.path == rt.path && old.standing != nil })
		if i < 0 {
			continue
		}
		old := before.routes[i]
		rt.standing.count = old.standing.count
		if *old.upstream == *rt.upstream && old.credential.sameAs(rt.credential) {
			rt.standing = old.standing
		}
	}
}

// rejected lists the routes whose tokens are rejected now, in order of paths.
func (h *Handler) rejected() []routetable.Rejection {
	var found []routetable.Rejection
	for _, rt := range h.table.Load().routes {
		if rt.standing != nil && rt.standing.isRejected() {
			found = append(found, routetable.Rejection{Route: rt.path, Count: rt.standing.count.Load()})
		}
	}
	slices.SortFunc(found, func(a, b routetable.Rejection) int { return cmp.Compare(a.Route, b.Route) })
	return found[:min(len(found), routetable.MaxRejected)]
}

// tellRejections reports a change of which tokens are rejected, and how often, in moderation.
func (s *sidecar) tellRejections() {
	now, pause := s.handler.rejected(), growthPause
	if slices.Equal(now, s.toldRejected) {
		return
	}
	if !slices.EqualFunc(now, s.toldRejected, routetable.Rejection.SameRoute) {
		pause = rejectionPause
	}
	if time.Since(s.toldAt) >= pause {
		s.report(routetable.EventState)
	}
}

// rejects reports whether a rejection is to be told, or its end may be before long.
func (s *sidecar) rejects() bool { return len(s.toldRejected) > 0 || len(s.handler.rejected()) > 0 }
