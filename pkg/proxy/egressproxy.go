package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// errTunnel is why an upstream is not reached behind an egress proxy that answered.
var errTunnel = errors.New("the egress proxy made no tunnel")

// throughProxy has a transport reach its upstreams through an egress proxy, which is asked for a tunnel (CONNECT, RFC 9110 section
// 9.3.6) and sees nothing of what TLS protects. What is dialled, and judged, is the proxy. Of the upstream the name is
// judged: where that leads is for the proxy to find out.
func throughProxy(t *http.Transport, d *dialer, w way) error {
	proxy, err := url.Parse(w.proxy)
	if err != nil {
		return errors.New("its proxy is not a URL")
	}
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		if err := d.judgeName(r.URL.Hostname(), w.allowPrivate); err != nil {
			return nil, err
		}
		return proxy, nil
	}
	direct := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := direct(ctx, network, address)
		if refused := (*destinationError)(nil); errors.As(err, &refused) {
			return nil, &destinationError{block: refused.block, ofProxy: true}
		}
		return conn, err
	}
	t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, res *http.Response) error {
		if res.StatusCode != http.StatusOK {
			return errTunnel
		}
		return nil
	}
	return nil
}

// judgeName returns why a host may not be asked for that somebody else looks up: an address is judged as if it was dialled,
// and the names that stand for the machine of whoever looks them up are refused (RFC 6761 section 6.3).
func (d *dialer) judgeName(host string, allowPrivate bool) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		around, err := d.around()
		if err != nil {
			return err
		}
		return d.atlas.judge(addr, around, allowPrivate)
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") || namesHost(name) {
		return &destinationError{block: block{kind: never, what: "that of the host that looks it up"}}
	}
	return nil
}
