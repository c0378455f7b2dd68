package proxy

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

// TestRefusedRequestsReachNobody sends what no polite client sends. Nothing of it may arrive.
func TestRefusedRequestsReachNobody(t *testing.T) {
	tests := map[string]struct {
		request string
		status  int
		code    string
	}{
		"forward proxy":            {"GET http://evil.test/r/x HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"forward proxy, https":     {"GET https://evil.test/r/x HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"opaque target":            {"GET mailto:a@b HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"CONNECT":                  {"CONNECT evil.test:443 HTTP/1.1\nHost: evil.test:443\n\n", 403, "denied"},
		"CONNECT of a path":        {"CONNECT /r/x HTTP/1.1\nHost: a\n\n", 403, "denied"},
		"TRACE":                    {"TRACE /r/x HTTP/1.1\nHost: a\n\n", 403, "denied"},
		"OPTIONS of the server":    {"OPTIONS * HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"dot segments":             {"GET /r/../x HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"encoded dot segments":     {"GET /r/%2e%2e%2fx HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"dots into another route":  {"GET /r/../other/x HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"backslash":                {"GET /r/..\\x HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"NUL":                      {"GET /r/%00 HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"CRLF into the target":     {"GET /r/%0d%0aX-Api-Key:x HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"authority below prefix":   {"GET /r//evil.test/x HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"encoded authority":        {"GET /r/%2fevil.test/x HTTP/1.1\nHost: a\n\n", 400, "bad_path"},
		"authority before prefix":  {"GET //evil.test/r/x HTTP/1.1\nHost: a\n\n", 404, "no_route"},
		"prefix of a segment":      {"GET /rx HTTP/1.1\nHost: a\n\n", 404, "no_route"},
		"other case":               {"GET /R/x HTTP/1.1\nHost: a\n\n", 404, "no_route"},
		"encoded slash in prefix":  {"GET /a%2fb/x HTTP/1.1\nHost: a\n\n", 404, "no_route"},
		"space before the colon":   {"GET /r/x HTTP/1.1\nHost: a\nAuthorization : evil\n\n", 400, ""},
		"NUL in a header":          {"GET /r/x HTTP/1.1\nHost: a\nX-A: a\x00b\n\n", 400, ""},
		"NUL in the target":        {"GET /r/\x00 HTTP/1.1\nHost: a\n\n", 400, ""},
		"lone CR in a header":      {"GET /r/x HTTP/1.1\nHost: a\nX-A: a\rAuthorization: evil\n\n", 400, ""},
		"two hosts":                {"GET /r/x HTTP/1.1\nHost: a\nHost: b\n\n", 400, ""},
		"no host":                  {"GET /r/x HTTP/1.1\n\n", 400, ""},
		"two lengths":              {"POST /r/x HTTP/1.1\nHost: a\nContent-Length: 1\nContent-Length: 2\n\nab", 400, ""},
		"length with a sign":       {"POST /r/x HTTP/1.1\nHost: a\nContent-Length: +1\n\na", 400, ""},
		"unknown encoding":         {"POST /r/x HTTP/1.1\nHost: a\nTransfer-Encoding: xchunked\n\n0\n\n", 501, ""},
		"chunked twice":            {"POST /r/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, chunked\n\n0\n\n", 501, ""},
		"endless header":           {"GET /r/x HTTP/1.1\nHost: a\nX-A: " + strings.Repeat("a", 2*maxHeaderBytes) + "\n\n", 431, ""},
		"unknown version":          {"GET /r/x HTTP/3.0\nHost: a\n\n", 505, ""},
		"method of several words":  {"GET /r/x y HTTP/1.1\nHost: a\n\n", 400, ""},
		"too many fields":          {"GET /r/x HTTP/1.1\nHost: a\n" + fields(maxFields+1) + "\n", 400, "bad_request"},
		"half a greeting of HTTP2": {"PRI * HTTP/2.0\n\nXX\n\n", 400, "bad_path"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			upstream := newRecorder(t)
			proxy := serve(t,
				routetable.Route{Path: "/r", Upstream: upstream.URL + "/base", Auth: bearer()},
				routetable.Route{Path: "/other", Upstream: upstream.URL},
				routetable.Route{Path: "/a/b", Upstream: upstream.URL, Auth: bearer()})
			res, body := raw(t, proxy.addr, lines(tt.request))
			if tt.code != "" {
				wantRefusal(t, res, body, tt.status, tt.code)
			} else if res.StatusCode != tt.status {
				t.Errorf("status %d, not %d: %q", res.StatusCode, tt.status, body)
			}
			if got := upstream.all(); len(got) != 0 {
				t.Errorf("the upstream received %+v", got)
			}
			if strings.Contains(body+fmt.Sprint(res.Header), token) {
				t.Errorf("the answer shows the token")
			}
		})
	}
}

// TestLengthAndChunksTogetherAreOneRequest: net/http takes the length away before a handler sees the request, so that it
// cannot be refused here; it is read and sent on by its chunks alone, as RFC 9112 section 6.1 allows.
func TestLengthAndChunksTogetherAreOneRequest(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()})
	conn := dial(t, proxy.addr)
	_, err := io.WriteString(conn, lines("\nPOST /r/one HTTP/1.1\nHost: a\nContent-Length: 3\nTransfer-Encoding: chunked\nConnection: close\n\n"+
		"2c\nGET /r/smuggled HTTP/1.1\nHost: a\nX-Long: abc\n\n0\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(conn)
	for _, got := range upstream.all() {
		if got.Target != "/one" || got.Header.Get("Content-Length") != "" {
			t.Errorf("the upstream received %+v", got)
		}
	}
}

func TestPipelinedRequestAfterARefusalIsItsOwn(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()})
	conn := dial(t, proxy.addr)
	_, err := io.WriteString(conn, lines("\nGET /r/../x HTTP/1.1\nHost: a\n\nGET /r/y HTTP/1.1\nHost: a\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(conn)
	res, body := readResponse(t, from)
	wantRefusal(t, res, body, http.StatusBadRequest, "bad_path")
	if res, body = readResponse(t, from); res.StatusCode != http.StatusOK {
		t.Errorf("the second request got %d %q", res.StatusCode, body)
	}
	if got := upstream.only(t); got.Target != "/y" {
		t.Errorf("the upstream received %+v", got)
	}
}

func TestFoldedHeaderStaysOneHeader(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()})
	res, _ := raw(t, proxy.addr, lines("\nGET /r/x HTTP/1.1\nHost: a\nX-A: a\n Authorization: folded\n\n"))
	if res.StatusCode == http.StatusOK {
		if got := upstream.only(t).Header["Authorization"]; len(got) != 1 || got[0] != "Bearer "+token {
			t.Errorf("Authorization arrived as %q", got)
		}
	}
}

func TestErrorsOfUpstreams(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	garbage := rawUpstream(t, func(conn net.Conn, _ *http.Request) { _, _ = io.WriteString(conn, "SSH-2.0-"+token+"\r\n") })
	silent := rawUpstream(t, func(net.Conn, *http.Request) {})
	uninvited := rawUpstream(t, func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	})
	flood := rawUpstream(t, func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-A: "+strings.Repeat("a", 2*maxResponseHeaderBytes)+"\r\n\r\n")
	})
	for name, upstream := range map[string]string{
		"nobody listens": "http://" + closed.Addr().String(), "not HTTP": garbage, "hangs up": silent,
		"switches protocols uninvited": uninvited, "endless header": flood, "not TLS": strings.Replace(garbage, "http:", "https:", 1),
	} {
		t.Run(name, func(t *testing.T) {
			proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream, Auth: bearer()})
			res, body := get(t, proxy.url("/r/x"))
			wantRefusal(t, res, body, http.StatusBadGateway, "upstream_unreachable")
			if strings.Contains(body+proxy.log.String(), token) {
				t.Errorf("what the upstream sent is shown: %s %s", body, proxy.log)
			}
		})
	}
}

// rawUpstream answers each request by hand and hangs up.
func rawUpstream(t *testing.T, answer func(net.Conn, *http.Request)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				answer(conn, req)
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return "http://" + listener.Addr().String()
}

func TestForgedErrorHeaderDoesNotPass(t *testing.T) {
	upstream := rawUpstream(t, func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, "HTTP/1.1 503 No\r\nCred-Proxy-Error: no_token\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-Stay: 1\r\nContent-Length: 2\r\n\r\nno")
	})
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream})
	res, body := get(t, proxy.url("/r"))
	if res.StatusCode != http.StatusServiceUnavailable || body != "no" || res.Header.Get(routetable.FieldError) != "" ||
		res.Header.Get("X-Hop") != "" || res.Header.Get("X-Stay") != "1" {
		t.Errorf("got %d %q %v", res.StatusCode, body, res.Header)
	}
	if _, ok := res.Header["Content-Type"]; ok {
		t.Errorf("a content type was invented: %v", res.Header)
	}
}

func TestReasonsAreInWordsOfOurOwn(t *testing.T) {
	for want, err := range map[string]error{
		"its name could not be resolved":         &net.DNSError{Err: "no such host " + token},
		"its certificate was not accepted":       x509.UnknownAuthorityError{},
		"it does not speak TLS as expected":      tls.AlertError(40),
		"it refused the connection":              &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"is the egress network connected?":       &net.OpError{Op: "dial", Err: syscall.ENETUNREACH},
		"the connection failed":                  errors.New(token),
		"u.test could not be reached: the conne": io.ErrUnexpectedEOF,
	} {
		refused := upstreamRefusal(&route{upstream: &url.URL{Host: "u.test"}}, err)
		if !strings.Contains(refused.message, want) || strings.Contains(refused.message, token) || refused.code != "upstream_unreachable" {
			t.Errorf("%v: %+v", err, refused)
		}
	}
}
