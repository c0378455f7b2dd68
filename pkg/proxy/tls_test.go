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

// exampleRoute is to the name in httptest's certificate.
func exampleRoute() routetable.Route {
	return routetable.Route{Path: "/r", Upstream: "https://example.com", Auth: bearer(), Unscrubbed: true}
}

// trusting reaches one upstream under whatever name, and trusts its certificate.
func trusting(t *testing.T, upstream *httptest.Server) *http.Transport {
	t.Helper()
	transport := mustTransport(anywhere())
	t.Cleanup(transport.CloseIdleConnections)
	transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	transport.TLSClientConfig.RootCAs.AddCert(upstream.Certificate())
	dialDirect := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialDirect(ctx, network, upstream.Listener.Addr().String())
	}
	return transport
}

func TestUpstreamOverTLSSpeaksHTTP2UnderItsOwnName(t *testing.T) {
	upstream := tlsUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Saw", r.Proto+" "+r.TLS.ServerName+" "+r.Host+" "+r.Header.Get("Authorization"))
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.Copy(w, r.Body)
		w.Header().Set("X-Sum", "1")
	})
	proxy := serveThrough(t, trusting(t, upstream), exampleRoute())

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

func TestWebSocketOverTLSFallsBackToHTTP1(t *testing.T) {
	proxy := serveThrough(t, trusting(t, tlsUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Saw", r.Proto+" "+r.Header.Get("Upgrade"))
	})), exampleRoute())
	res, _ := raw(t, proxy.addr, lines("\nGET /r/x HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n"))
	if got := res.Header.Get("X-Saw"); got != "HTTP/1.1 websocket" {
		t.Errorf("the upstream saw %q", got)
	}
}
