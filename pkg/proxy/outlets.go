package proxy

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
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
	// identity tells who the sidecar is to the upstream; zero for nobody.
	identity identity
}

// identity is the digest of a client certificate and its key.
type identity [sha256.Size]byte

// wayOf returns the way of a route, and the certificate that goes with it. A key that is missing makes no certificate: the
// route is not served then.
func wayOf(loaded *routetable.Loaded, r routetable.Route) (way, *tls.Certificate, error) {
	w := way{allowPrivate: r.AllowPrivate, roots: r.Roots, proxy: r.ProxyURL}
	if r.ClientCertificate == nil {
		return w, nil, nil
	}
	key, ok := loaded.Key(r.ClientCertificate)
	if !ok {
		return w, nil, nil
	}
	pair, err := tls.X509KeyPair([]byte(r.ClientCertificate.Certificates), routetable.UnfoldKey(key.Reveal()))
	if err != nil {
		// The cause is left out: it may tell of the key.
		return w, nil, errors.New("its client certificate and the private key do not belong together")
	}
	w.identity = sha256.Sum256([]byte(r.ClientCertificate.Certificates + key.Reveal()))
	return w, &pair, nil
}

// outlets has a transport for each way that is taken. It outlives tables, so that a reload keeps the connections.
type outlets struct {
	open map[way]http.RoundTripper
	make func(way, *tls.Certificate) (http.RoundTripper, error)
}

func newOutlets(make func(way, *tls.Certificate) (http.RoundTripper, error)) *outlets {
	return &outlets{map[way]http.RoundTripper{}, make}
}

// through returns the transport of a way, with the certificate of its identity.
func (o *outlets) through(w way, certificate *tls.Certificate) (http.RoundTripper, error) {
	if t, ok := o.open[w]; ok {
		return t, nil
	}
	t, err := o.make(w, certificate)
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
