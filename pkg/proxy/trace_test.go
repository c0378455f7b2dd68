package proxy

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

func TestTraceTellsRouteAndWhetherACredentialIsAdded(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()},
		routetable.Route{Path: "/päth", Upstream: upstream.URL}, routetable.Route{Path: "/query", Upstream: upstream.URL, Auth: keyInQuery()},
		routetable.Route{Path: "/own", Upstream: upstream.URL, PassCredentials: true})
	for _, tt := range []struct{ path, trace, route, credential string }{
		{"/r/x", "true", "/r", "added"},
		{"/p%C3%A4th", "true", "/p%C3%A4th", "none"},
		{"/query", "true", "/query", "added"},
		{"/own", "true", "/own", "none"},
		{"/nowhere", "true", "", "none"},
		{"/r/x", "", "", ""},
		{"/r/x", "yes", "", ""},
	} {
		res, _ := get(t, proxy.url(tt.path), routetable.FieldTrace, tt.trace)
		if route, credential := res.Header.Get(routetable.FieldRoute), res.Header.Get(routetable.FieldCredential); route != tt.route || credential != tt.credential {
			t.Errorf("%s with trace %q tells %q %q", tt.path, tt.trace, route, credential)
		}
		if strings.Contains(strings.Join(res.Header.Values(routetable.FieldCredential), ""), token) {
			t.Error("the trace tells the token")
		}
	}
}

// What is between client and sidecar does not reach the upstream, however it is spelled.
func TestFieldsOfTheSidecarsOwnDoNotGoUpstream(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL})
	raw(t, proxy.addr, lines("\nGET /r HTTP/1.1\nHost: a\nCred-Proxy-Trace: true\ncred_proxy_key: k\nCRED-PROXY-Anything: 1\nCred-Proxyless: stays\n\n"))
	header := upstream.only(t).Header
	for name := range header {
		if isOwn(name) {
			t.Errorf("%s arrived", name)
		}
	}
	if header.Get("Cred-Proxyless") != "stays" {
		t.Errorf("another field was taken: %v", header)
	}
}

// An upstream can claim neither a route nor a credential, nor a stage, not even in an interim answer.
func TestForgedTraceDoesNotPass(t *testing.T) {
	const forged = "Cred-Proxy-Route: /forged\r\ncred_proxy_credential: added\r\nCred-Proxy-Stage: tls\r\nCred-Proxy-New: 1\r\n"
	upstream := rawUpstream(t, func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n"+forged+"\r\nHTTP/1.1 200 OK\r\n"+forged+"Content-Length: 2\r\n\r\nok")
	})
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream})
	conn := dial(t, proxy.addr)
	if _, err := io.WriteString(conn, lines("\nGET /r HTTP/1.1\nHost: a\nCred-Proxy-Trace: true\nConnection: close\n\n")); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ToLower(string(all))
	for _, word := range []string{"forged", "added", "stage", "cred-proxy-new", "cred_proxy"} {
		if strings.Contains(got, word) {
			t.Errorf("%q passed:\n%s", word, all)
		}
	}
	if !strings.Contains(got, "cred-proxy-route: /r\r\n") || strings.Count(got, "cred-proxy-credential: none") != 1 {
		t.Errorf("the sidecar's own trace is not told once:\n%s", all)
	}
}

// refusedAddress is one of this machine on which nothing listens.
func refusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// silent accepts connections, and leaves them as they are.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return l.Addr().String()
}

func TestStageTellsWhereARequestStopped(t *testing.T) {
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	plain := newRecorder(t)
	broken := rawUpstream(t, func(conn net.Conn, _ *http.Request) { _ = conn.Close() })
	for name, tt := range map[string]struct {
		upstream, stage string
		status          int
	}{
		"a name that is none":            {"https://upstream.invalid", "dns", 502},
		"a port on which nobody listens": {"https://" + refusedAddress(t), "connect", 502},
		"a certificate of nobody's":      {untrusted.URL, "tls", 502},
		"no TLS at all":                  {strings.Replace(plain.URL, "http", "https", 1), "tls", 502},
		"a handshake without an answer":  {"https://" + silent(t), "tls", 504},
		"a request without an answer":    {"http://" + silent(t), "timeout", 504},
		"an answer that breaks off":      {broken, "exchange", 502},
	} {
		t.Run(name, func(t *testing.T) {
			transport := mustTransport(anywhere())
			transport.TLSHandshakeTimeout, transport.ResponseHeaderTimeout = 300*time.Millisecond, 300*time.Millisecond
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				if strings.HasPrefix(address, "upstream.invalid") {
					return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}}
				}
				return new(net.Dialer).DialContext(ctx, network, address)
			}
			t.Cleanup(transport.CloseIdleConnections)
			proxy := serveThrough(t, transport, routetable.Route{Path: "/r", Upstream: tt.upstream, Auth: bearer()})
			res, body := get(t, proxy.url("/r"))
			var said struct{ Stage, Message string }
			if err := json.Unmarshal([]byte(body), &said); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tt.status || said.Stage != tt.stage || res.Header.Get(routetable.FieldStage) != tt.stage {
				t.Errorf("status %d, stage %q, %s", res.StatusCode, res.Header.Get(routetable.FieldStage), body)
			}
		})
	}
}

func TestStagesOfErrors(t *testing.T) {
	for want, errs := range map[string][]error{
		"dns":      {&net.OpError{Op: "dial", Err: &net.DNSError{}}, &net.DNSError{IsTimeout: true}},
		"connect":  {&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}},
		"tls":      {&net.OpError{Op: "remote error", Err: tls.AlertError(40)}, http.ErrSchemeMismatch, tls.RecordHeaderError{}},
		"timeout":  {context.DeadlineExceeded},
		"exchange": {io.ErrUnexpectedEOF, &net.OpError{Op: "read", Err: syscall.ECONNRESET}, errors.New("some")},
	} {
		for _, err := range errs {
			if got := stageOf(err); got != want {
				t.Errorf("%v is of stage %s, want %s", err, got, want)
			}
		}
	}
}

func TestARequestThatIsNotRefusedHasNoStage(t *testing.T) {
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: newRecorder(t).URL})
	for _, path := range []string{"/r", "/none"} {
		if res, body := get(t, proxy.url(path)); res.Header.Get(routetable.FieldStage) != "" || strings.Contains(body, "stage") {
			t.Errorf("%s: %v %s", path, res.Header, body)
		}
	}
}
