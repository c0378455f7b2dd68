package proxy

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
)

// seat is where a request is while it is served: its connection's own, or over HTTP/2 one beside it.
type seat struct {
	// on is the route of the request in hand; nil between two.
	on atomic.Pointer[route]
	// free gives a seat of HTTP/2 back; nil for a connection's own.
	free func()
}

// lost reports whether its request is on a route that lost its token.
func (s *seat) lost(t *table) bool {
	rt := s.on.Load()
	return rt != nil && !t.lets(rt)
}

// leave has no request be there any more.
func (s *seat) leave() {
	switch {
	case s == nil:
	case s.free != nil:
		s.free()
	default:
		s.on.Store(nil)
	}
}

// guestKey is the context's key of a connection's guest.
type guestKey struct{}

// introduce is http.Server's ConnContext.
func introduce(ctx context.Context, conn net.Conn) context.Context {
	if g, ok := conn.(*guest); ok {
		return context.WithValue(ctx, guestKey{}, g)
	}
	return ctx
}

// guestOf is the guest that makes the request of a context; nil where nobody is seated.
func guestOf(ctx context.Context) *guest {
	g, _ := ctx.Value(guestKey{}).(*guest)
	return g
}

// closer is what closes a request's connection; nil for one that has no seat.
func closer(ctx context.Context) func() {
	if g := guestOf(ctx); g != nil {
		return func() { _ = g.Conn.Close() }
	}
	return nil
}

// seatOf gives a request its seat, which has to be left; nil for one on a connection that has none itself. It is false when all are
// taken: a connection of HTTP/2 had to wait for one, but who has waited has no more to wait for.
func seatOf(r *http.Request) (*seat, bool) {
	g := guestOf(r.Context())
	switch {
	case g == nil:
		return nil, true
	case r.ProtoMajor == 2:
		return g.another()
	}
	return &g.own, true
}

// another takes a seat for one more request of a connection. At the last call everybody gets one, as in the doorway.
func (g *guest) another() (*seat, bool) {
	s := &seat{}
	select {
	case g.doorway.seats <- struct{}{}:
		s.free = func() { g.forget(s); <-g.doorway.seats }
	case <-g.doorway.leaving:
		s.free = func() { g.forget(s) }
	default:
		return nil, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.others == nil {
		g.others = map[*seat]struct{}{}
	}
	g.others[s] = struct{}{}
	return s, true
}

func (g *guest) forget(s *seat) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.others, s)
}
