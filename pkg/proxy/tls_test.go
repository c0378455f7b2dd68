package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

func tlsUpstream(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestUpstreamOverTLSSpeaksHTTP2UnderItsOwnName(t *testing.T) {
	upstream := tlsUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Saw", r.Proto+" "+r.TLS.ServerName+" "+r.Host+" "+r.Header.Get("Authorization"))
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.Copy(w, r.Body)
		w.Header().Set("X-Sum", "1")
	})
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	transport.TLSClientConfig.RootCAs.AddCert(upstream.Certificate())
	port := upstream.URL[len("https://127.0.0.1:"):]
	// The certificate is for example.com; the name is resolved by the dialler.
	dialDirect := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialDirect(ctx, network, "127.0.0.1:"+port)
	}
	proxy := serveThrough(t, transport, routetable.Route{Path: "/r", Upstream: "https://example.com", Auth: bearer()})

	res, body := raw(t, proxy.addr, lines("\nPOST /r/x HTTP/1.1\nHost: evil.test\nContent-Length: 5\nAuthorization: evil\n\nhello"))
	if want := "HTTP/2.0 example.com example.com Bearer " + token; res.Header.Get("X-Saw") != want || body != "hello" {
		t.Errorf("the upstream saw %q and sent %q", res.Header.Get("X-Saw"), body)
	}
	if res.Trailer.Get("X-Sum") != "1" {
		t.Errorf("trailers %v", res.Trailer)
	}
}

func TestUpstreamWithoutATrustedCertificateGetsNothing(t *testing.T) {
	upstream := tlsUpstream(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it received %v", r.Header) })
	upstream.Config.ErrorLog = log.New(io.Discard, "", 0)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()})
	res, body := get(t, proxy.url("/r/x"))
	wantRefusal(t, res, body, http.StatusBadGateway, "upstream_unreachable")
}
