package proxy

import (
	"net/http"

	"credproxy.dev/controller/pkg/routetable"
)

// way is how a route reaches its upstream. Routes of one way share a transport and its connections; a connection that one
// route may have is never another's that may not.
type way struct {
	// allowPrivate is whether the upstream may be in a private network.
	allowPrivate bool
	// roots are the certificates of the authorities that count, in PEM; empty for those that the sidecar carries.
	roots string
	// proxy is the URL of an egress proxy; empty for none.
	proxy string
}

func wayOf(r routetable.Route) way {
	return way{allowPrivate: r.AllowPrivate, roots: r.Roots, proxy: r.ProxyURL}
}

// outlets has a transport for each way that is taken. It outlives tables, so that a reload keeps the connections.
type outlets struct {
	open map[way]http.RoundTripper
	make func(way) (http.RoundTripper, error)
}

func newOutlets(make func(way) (http.RoundTripper, error)) *outlets {
	return &outlets{map[way]http.RoundTripper{}, make}
}

// through returns the transport of a way.
func (o *outlets) through(w way) (http.RoundTripper, error) {
	if t, ok := o.open[w]; ok {
		return t, nil
	}
	t, err := o.make(w)
	if err == nil {
		o.open[w] = t
	}
	return t, err
}

// keep forgets the transports of all ways that a table does not take. What is in flight on them is finished, and its connection
// closed then.
func (o *outlets) keep(t *table) {
	taken := map[way]bool{}
	for _, rt := range t.routes {
		taken[rt.way] = true
	}
	for w, transport := range o.open {
		if taken[w] {
			continue
		}
		delete(o.open, w)
		if idle, ok := transport.(interface{ CloseIdleConnections() }); ok {
			idle.CloseIdleConnections()
		}
	}
}
