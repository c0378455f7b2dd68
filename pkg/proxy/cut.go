package proxy

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
)

// A token that is taken away must not go on working in what is in flight: a stream may last for hours. So each connection
// knows on which route its request is, and those of a route that lost its token are closed, which ends the exchange with the
// upstream too.

// guests are the connections that have a seat.
type guests struct {
	mu      sync.Mutex
	present map[*guest]struct{}
}

func (g *guests) enter(one *guest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.present == nil {
		g.present = map[*guest]struct{}{}
	}
	g.present[one] = struct{}{}
}

func (g *guests) leave(one *guest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.present, one)
}

// cut closes the connections whose request is on a route that a table serves without its token, and returns how many there
// were.
func (g *guests) cut(t *table) (n int) {
	if !t.withholds() {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for one := range g.present {
		if rt := one.on.Load(); rt != nil && !t.lets(rt) {
			// Not Close, which waits for the lock. Whoever reads or writes finds out, and closes it.
			_ = one.Conn.Close()
			n++
		}
	}
	return n
}

// guestKey is the context's key of a connection's guest.
type guestKey struct{}

// introduce is http.Server's ConnContext.
func introduce(ctx context.Context, conn net.Conn) context.Context {
	if g, ok := conn.(*guest); ok {
		return context.WithValue(ctx, guestKey{}, &g.on)
	}
	return ctx
}

// seatOf is where a request's connection says on which route it is; nil for one that has no seat.
func seatOf(ctx context.Context) *atomic.Pointer[route] {
	on, _ := ctx.Value(guestKey{}).(*atomic.Pointer[route])
	return on
}

// take has a connection be on a route, unless another table is served by now, which may have taken the route's token away:
// either the one who cuts sees the connection on its route, or this sees the new table.
func (h *Handler) take(on *atomic.Pointer[route], t *table, rt *route) (taken bool) {
	if on == nil {
		return true
	}
	on.Store(rt)
	return h.table.Load() == t
}

// letGo has a connection be on no route.
func letGo(on *atomic.Pointer[route]) {
	if on != nil {
		on.Store(nil)
	}
}

// withholds reports whether the table serves any route without its token.
func (t *table) withholds() bool {
	return slices.ContainsFunc(t.routes, func(rt *route) bool { return rt.withheld != "" })
}

// lets reports whether a request on a route of an earlier table may go on: while tokens are withheld, only if there is still
// a route of that path with a token.
func (t *table) lets(earlier *route) bool {
	return slices.ContainsFunc(t.routes, func(rt *route) bool { return rt.path == earlier.path && rt.withheld == "" })
}
