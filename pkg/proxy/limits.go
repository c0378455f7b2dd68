package proxy

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"credproxy.dev/controller/pkg/routetable"
)

// limits bound what the requests of a route may take. What is zero is not bounded.
type limits struct {
	headerBytes, bodyBytes   int64
	concurrent, perMinute    int64
	bodyTimeout, idleTimeout time.Duration
	budget                   *budget
}

// budget is what the requests of a route use up. It outlives its table, so that a reload gives nothing back.
type budget struct {
	inFlight *atomic.Int64
	// rate is a bucket with the requests of a minute, which refills evenly; nil without such a limit.
	rate *rate.Limiter
}

func newLimits(l *routetable.Limits) *limits {
	if l == nil {
		return nil
	}
	made := &limits{
		headerBytes: l.HeaderBytes, bodyBytes: l.BodyBytes,
		concurrent: l.ConcurrentRequests, perMinute: l.RequestsPerMinute,
		bodyTimeout: time.Duration(l.BodyTimeout) * time.Millisecond, idleTimeout: time.Duration(l.IdleTimeout) * time.Millisecond,
		budget: &budget{inFlight: new(atomic.Int64)},
	}
	if n := l.RequestsPerMinute; n > 0 {
		made.budget.rate = rate.NewLimiter(rate.Limit(float64(n)/60), int(n))
	}
	return made
}

// keepBudgets goes on with the budgets of the table before: what is in flight on a route of the same path, and its bucket
// where it holds as many requests.
func (t *table) keepBudgets(before *table) {
	for _, rt := range t.routes {
		i := slices.IndexFunc(before.routes, func(old *route) bool { return old.path == rt.path })
		if i < 0 || rt.limits == nil || before.routes[i].limits == nil {
			continue
		}
		old := before.routes[i].limits
		rt.limits.budget.inFlight = old.budget.inFlight
		if old.perMinute == rt.limits.perMinute {
			rt.limits.budget.rate = old.budget.rate
		}
	}
}

// admission is one request within the limits of its route.
type admission struct {
	limits   *limits
	exchange *exchange
	// request is the one to forward, whose body and context are within the limits.
	request *http.Request
	// end ends its context, and body watches for its whole body; the exchange has what watches for silence.
	end  context.CancelCauseFunc
	body *watch
}

// enter decides whether a request is within the limits. If it is, it has to leave.
func (l *limits) enter(e *exchange, r *http.Request) (*admission, *refusal) {
	if l.headerBytes > 0 && headerBytes(r) > l.headerBytes {
		return nil, tooLarge(http.StatusRequestHeaderFieldsTooLarge, "header", l.headerBytes)
	}
	if l.bodyBytes > 0 && r.ContentLength > l.bodyBytes {
		return nil, tooLarge(http.StatusRequestEntityTooLarge, "body", l.bodyBytes)
	}
	if refused := l.spend(); refused != nil {
		return nil, refused
	}
	a := &admission{limits: l, exchange: e, request: r, end: func(error) {}}
	if l.idleTimeout > 0 || l.bodyTimeout > 0 {
		a.watch()
	}
	if l.bodyBytes > 0 && hasBody(r) {
		// The size that was announced has been judged; this is for the one that the body has.
		body := http.MaxBytesReader(e.ResponseWriter, a.request.Body, l.bodyBytes)
		a.request = a.request.WithContext(a.request.Context())
		a.request.Body = body
	}
	return a, nil
}

// watch has the request end when it takes too long.
func (a *admission) watch() {
	ctx, end := context.WithCancelCause(a.request.Context())
	a.end, a.request = end, a.request.WithContext(ctx)
	if timeout := a.limits.idleTimeout; timeout > 0 {
		a.exchange.idle = newWatch(timeout, errIdle, end, a.exchange)
	}
	if !hasBody(a.request) {
		return
	}
	if timeout := a.limits.bodyTimeout; timeout > 0 {
		a.body = newWatch(timeout, errSlowBody, end, a.exchange)
	}
	a.request.Body = &watchedBody{a.request.Body, a.exchange.idle, a.body}
}

// leave ends what enter began.
func (a *admission) leave() {
	a.limits.budget.inFlight.Add(-1)
	a.body.stop()
	if a.exchange.idle.stop() && a.exchange.code == "" {
		a.exchange.code = codeIdle
	}
	a.end(nil)
}

// spend takes one request out of the budget. One that is too many at a time takes none of the minute's.
func (l *limits) spend() *refusal {
	if n := l.budget.inFlight.Add(1); l.concurrent > 0 && n > l.concurrent {
		l.budget.inFlight.Add(-1)
		return tooMany("concurrency_limited", "it has "+strconv.FormatInt(l.concurrent, 10)+" requests in flight, which is its limit; wait until one of them has ended", 1)
	}
	if bucket := l.budget.rate; bucket != nil && !bucket.Allow() {
		l.budget.inFlight.Add(-1)
		wait := int(math.Ceil((1 - bucket.Tokens()) / float64(bucket.Limit())))
		return tooMany("rate_limited", "its limit is "+strconv.FormatInt(l.perMinute, 10)+" requests a minute", max(1, wait))
	}
	return nil
}

// headerBytes is the size of a request's header as HTTP/1.1 writes it, its first line included.
func headerBytes(r *http.Request) int64 {
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("  \r\n") + len("Host: \r\n") + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(": \r\n") + len(value)
		}
	}
	return int64(n)
}
