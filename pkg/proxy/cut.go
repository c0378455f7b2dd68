package proxy

import (
	"slices"
	"sync"
)

// A token that is taken away must not go on working in what is in flight: a stream may last for hours. So each connection
// knows on which routes its requests are, and those with one of a route that lost its token are closed, which ends the exchange
// with the upstream too. Of HTTP/2 that takes along requests of other routes: a stream alone could not be ended while its
// client reads nothing.

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
		if one.lost(t) {
			// Not Close, which waits for the lock. Whoever reads or writes finds out, and closes it.
			_ = one.Conn.Close()
			n++
		}
	}
	return n
}

// lost reports whether a request of the connection is on a route that lost its token.
func (g *guest) lost(t *table) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range g.others {
		if s.lost(t) {
			return true
		}
	}
	return g.own.lost(t)
}

// take has a request be on a route, unless another table is served by now, which may have taken the route's token away:
// either the one who cuts sees the request on its route, or this sees the new table.
func (h *Handler) take(at *seat, t *table, rt *route) (taken bool) {
	if at == nil {
		return true
	}
	at.on.Store(rt)
	return h.table.Load() == t
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
