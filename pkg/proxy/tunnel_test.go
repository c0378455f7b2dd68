package proxy

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/testcert"
	"credproxy.dev/controller/pkg/routetable"
)

// tunneller is an egress proxy that notes what it is asked for, and connects to one upstream.
func tunneller(t *testing.T, upstream *httptest.Server, heard *sink) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.Write(heard)
		to, err := net.Dial("tcp", upstream.Listener.Addr().String())
		if r.Method != http.MethodConnect || err != nil || strings.HasPrefix(r.Host, "unknown.") {
			http.Error(w, "no such host "+r.Host, http.StatusServiceUnavailable)
			return
		}
		defer to.Close()
		w.WriteHeader(http.StatusOK)
		from, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer from.Close()
		// The client may have spoken between the answer and the hijacking: its first byte is in the buffer then.
		go func() { _, _ = io.Copy(to, io.TeeReader(buffered, heard)) }()
		_, _ = io.Copy(from, to)
	}))
	t.Cleanup(server.Close)
	return server
}

// certificatesOf is a server's certificate in PEM.
func certificatesOf(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

func TestThroughAnEgressProxyGoesATunnelAndNoToken(t *testing.T) {
	upstream := tlsUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto+" "+r.Host+" "+r.Header.Get("Authorization"))
	})
	heard := &sink{}
	f := &faraway{
		answers: map[string][][]netip.Addr{"proxy.example": {addrs("10.0.0.5")}},
		at:      map[string]string{"10.0.0.5:3128": tunneller(t, upstream, heard).Listener.Addr().String()},
	}
	through := func(upstreamURL string, private bool) routetable.Route {
		r := routeTo(upstreamURL)
		r.Roots, r.ProxyURL, r.AllowPrivate = certificatesOf(upstream), "http://proxy.example:3128", private
		r.Unscrubbed = true
		return r
	}
	proxy := serveFaraway(t, f, through("https://example.com", true))
	if res, body := get(t, proxy.url("/r/x")); res.StatusCode != http.StatusOK || body != "HTTP/2.0 example.com Bearer "+token {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if said := heard.String(); !strings.HasPrefix(said, "CONNECT example.com:443 HTTP/1.1") || strings.Contains(said, token) {
		t.Errorf("the proxy heard %q", said)
	}
	if !slices.Equal(f.asked, []string{"proxy.example"}) {
		t.Errorf("it looked up %q", f.asked)
	}
	for _, tt := range []struct {
		route  routetable.Route
		status int
		want   string
	}{
		{through("https://example.com", false), 403, "the address of its egress proxy is in a private range; if it is meant"},
		{through("https://169.254.169.254", true), 403, "link-local"},
		{through("https://127.0.0.1:8443", true), 403, "loopback"},
		{through("https://172.20.0.9", true), 403, "internal network"},
		{through("https://localhost", true), 403, "that of the host"},
		{through("https://a.LocalHost.", true), 403, "that of the host"},
		{through("https://host.docker.internal", true), 403, "that of the host"},
		{through("https://unknown.example", true), 502, "the egress proxy did not connect to it"},
	} {
		proxy := serveFaraway(t, f, tt.route)
		res, body := get(t, proxy.url("/r/x"))
		if res.StatusCode != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: %d %s", tt.route.Upstream, res.StatusCode, body)
		}
		if tt.status == 502 && res.Header.Get(routetable.FieldStage) != routetable.StageConnect {
			t.Errorf("%s: it stopped at %s", tt.route.Upstream, res.Header.Get(routetable.FieldStage))
		}
	}
}

func TestAnEgressProxyThatIsGone(t *testing.T) {
	r := routeTo("https://example.com")
	r.ProxyURL = "http://93.184.216.40:3128"
	res, body := get(t, serveFaraway(t, &faraway{}, r).url("/r/x"))
	wantRefusal(t, res, body, http.StatusBadGateway, "upstream_unreachable")
	if res.Header.Get(routetable.FieldStage) != routetable.StageConnect {
		t.Errorf("%s", body)
	}
}

// A route's own authorities are the only ones for it, and for nobody else.
func TestARoutesOwnRootsAreItsAlone(t *testing.T) {
	upstream := tlsUpstream(t, func(http.ResponseWriter, *http.Request) {})
	upstream.Config.ErrorLog = log.New(io.Discard, "", 0)
	f := &faraway{
		answers: map[string][][]netip.Addr{"example.com": {addrs("93.184.216.34")}},
		at:      map[string]string{"93.184.216.34:443": upstream.Listener.Addr().String()},
	}
	own := routetable.Route{Path: "/own", Upstream: "https://example.com", Roots: certificatesOf(upstream)}
	other := routetable.Route{Path: "/other", Upstream: "https://example.com", Roots: testcert.Authority}
	proxy := serveFaraway(t, f, own, other, routeTo("https://example.com"))
	if res, body := get(t, proxy.url("/own")); res.StatusCode != http.StatusOK {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	for _, path := range []string{"/r/x", "/other"} {
		res, body := get(t, proxy.url(path))
		wantRefusal(t, res, body, http.StatusBadGateway, "upstream_unreachable")
		if !strings.Contains(body, "its certificate was not accepted") {
			t.Errorf("%s: %s", path, body)
		}
	}
}
