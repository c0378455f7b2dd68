package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"credproxy.dev/controller/pkg/routetable"
)

// TestHTTP2IsTreatedAsHTTP1 makes the same requests over both: what arrives, what is answered, logged and counted is the same.
func TestHTTP2IsTreatedAsHTTP1(t *testing.T) {
	requests := map[string]struct {
		method, target, body string
		header               []string
	}{
		"a request":              {"GET", "/r/x?q=%20a", "", []string{"X-Keep", "me", "Accept-Encoding", "br"}},
		"a body":                 {"POST", "/r/x", "hello", []string{"Content-Type", "text/plain"}},
		"a body without end":     {"PUT", "/r/chunked", "hello", nil},
		"a credential":           {"GET", "/r/x", "", []string{"Authorization", "evil", "X-Api-Key", "evil", "Cred-Proxy-Key", "evil", "X_Api_Key", "evil"}},
		"nothing is added":       {"GET", "/open/x", "", []string{"Authorization", "evil"}},
		"forwarding":             {"GET", "/r/x", "", []string{"X-Forwarded-For", "1.2.3.4", "Forwarded", "for=1.2.3.4"}},
		"a trace":                {"GET", "/r/x", "", []string{"Cred-Proxy-Trace", "true"}},
		"a scoped package":       {"GET", "/r/@a%2fb", "", nil},
		"no route":               {"GET", "/none", "", nil},
		"dot segments":           {"GET", "/r/%2e%2e/x", "", nil},
		"two slashes":            {"GET", "/r//evil.test/x", "", nil},
		"TRACE":                  {"TRACE", "/r/x", "", nil},
		"a method not permitted": {"DELETE", "/gated/x", "", nil},
		"an override of it":      {"GET", "/gated/x", "", []string{"X-HTTP-Method-Override", "DELETE"}},
		"a body too large":       {"POST", "/small/x", "123456789", nil},
		"too large, no length":   {"POST", "/small/chunked", "123456789", nil},
		"a header too large":     {"GET", "/small/x", "", []string{"X-A", strings.Repeat("a", 500)}},
		"an upstream that fails": {"GET", "/gone/x", "", nil},
		"a token is withheld":    {"GET", "/withheld/x", "", nil},
		"a token repeated":       {"GET", "/r/echo", "", nil},
		"a status":               {"HEAD", "/r/teapot", "", nil},
	}
	for name, tt := range requests {
		t.Run(name, func(t *testing.T) {
			told := map[string]any{}
			for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
				told[protocol] = tellOf(t, protocol, tt.method, tt.target, tt.body, tt.header)
			}
			if diff := cmp.Diff(told["HTTP/1.1"], told["HTTP/2.0"]); diff != "" {
				t.Errorf("over HTTP/2 it is otherwise (-HTTP/1.1 +HTTP/2):\n%s", diff)
			}
		})
	}
}

// told is all that is known of one request.
type told struct {
	Status   int
	Body     string
	Header   http.Header
	Trailer  http.Header
	Arrived  []seen
	Lines    []map[string]any
	Counters []routetable.RouteCounters
}

// tellOf makes a request by a protocol through a sidecar of its own.
func tellOf(t *testing.T, protocol, method, target, body string, header []string) told {
	t.Helper()
	upstream := newRecorder(t)
	upstream.Config.Handler = byPath(upstream.Config.Handler)
	proxy := serve(t,
		routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()},
		routetable.Route{Path: "/open", Upstream: upstream.URL},
		routetable.Route{Path: "/gated", Upstream: upstream.URL, Auth: bearer(), Methods: []string{"GET"}},
		routetable.Route{Path: "/small", Upstream: upstream.URL, Auth: bearer(), Limits: &routetable.Limits{BodyBytes: 8, HeaderBytes: 400}},
		routetable.Route{Path: "/gone", Upstream: "http://127.0.0.1:1", Auth: bearer()},
		routetable.Route{Path: "/withheld", Upstream: upstream.URL, Withheld: routetable.WithheldRevoked})
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r := newRequest(t, method, proxy.url(target), content, header...)
	if strings.Contains(target, "chunked") {
		r.ContentLength = -1
	}
	var client http.RoundTripper = &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	if protocol == "HTTP/2.0" {
		client = overHTTP2(t)
	}
	r.Header.Set("User-Agent", "test")
	res, text := does(t, client, r)
	all := told{Status: res.StatusCode, Body: text, Header: res.Header, Trailer: res.Trailer, Lines: requestLines(t, proxy.log, 1)}
	all.Arrived, all.Counters = upstream.all(), proxy.counters()
	all.forget(strings.TrimPrefix(upstream.URL, "http://"))
	return all
}

// forget takes out what differs from run to run, or is the protocol's own.
func (a *told) forget(upstream string) {
	a.Body = strings.ReplaceAll(a.Body, upstream, "upstream")
	a.Header.Del("Date")
	a.Header.Del("Connection")
	for i := range a.Arrived {
		a.Arrived[i].Host = ""
		// The test's own client of HTTP/1.1 asks for it.
		a.Arrived[i].Header.Del("Connection")
	}
	for _, line := range a.Lines {
		delete(line, "duration_ms")
		delete(line, "first_byte_ms")
	}
	for i := range a.Counters {
		a.Counters[i].Duration, a.Counters[i].FirstByte = routetable.Histogram{}, routetable.Histogram{}
	}
	slices.SortFunc(a.Counters, func(a, b routetable.RouteCounters) int { return strings.Compare(a.Route, b.Route) })
}

// byPath has an upstream answer by the path, and repeat what it should not.
func byPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/echo"):
			w.Header().Set("X-Saw", r.Header.Get("Authorization"))
			w.Header().Set("Trailer", "X-Trailer")
			_, _ = fmt.Fprintf(w, "saw %s\n", r.Header.Get("Authorization"))
			w.Header().Set("X-Trailer", r.Header.Get("Authorization"))
		case strings.HasSuffix(r.URL.Path, "/teapot"):
			w.WriteHeader(http.StatusTeapot)
		default:
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return // it is known of a request that is whole only that it arrives
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r)
		}
	})
}

func TestATokenDoesNotArriveOverHTTP2(t *testing.T) {
	got := tellOf(t, "HTTP/2.0", "GET", "/r/echo", "", nil)
	if got.Body != "saw Bearer "+hidden+"\n" || got.Header.Get("X-Saw") != "Bearer "+hidden || got.Trailer.Get("X-Trailer") != "Bearer "+hidden {
		t.Errorf("got %+v", got)
	}
	if text, _ := json.Marshal(got); strings.Contains(string(text), token) {
		t.Errorf("the token is in %s", text)
	}
}

// TestRequestsThatHTTP2CannotHaveAreRefused sends by hand what no client's library does.
func TestRequestsThatHTTP2CannotHaveAreRefused(t *testing.T) {
	tests := map[string]struct {
		// fields are all of the request; status is that of the answer, or empty for a stream that is reset.
		fields []string
		status string
	}{
		"a good one":              {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x"}, "200"},
		"the path is a URL":       {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "http://evil.test/r/x"}, "400"},
		"another scheme":          {[]string{":method", "GET", ":scheme", "ftp", ":authority", "a", ":path", "/r/x"}, ""},
		"no path":                 {[]string{":method", "GET", ":scheme", "http", ":authority", "a"}, ""},
		"a path of nothing":       {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", ""}, ""},
		"all of the server":       {[]string{":method", "OPTIONS", ":scheme", "http", ":authority", "a", ":path", "*"}, "400"},
		"CONNECT":                 {[]string{":method", "CONNECT", ":authority", "evil.test:443"}, "403"},
		"CONNECT of WebSocket":    {[]string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "a", ":path", "/r/x"}, ""},
		"a method with a line":    {[]string{":method", "GET /r/smuggled HTTP/1.1\r\nX:", ":scheme", "http", ":authority", "a", ":path", "/r/x"}, ""},
		"a method of two words":   {[]string{":method", "GET /r/smuggled", ":scheme", "http", ":authority", "a", ":path", "/r/x"}, "400"},
		"a path of two words":     {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x HTTP/1.0"}, "400"},
		"a query of two words":    {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x?a HTTP/1.0"}, "400"},
		"a length and no body":    {[]string{":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/r/x", "content-length", "5"}, "400"},
		"a length that is none":   {[]string{":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/r/x", "content-length", "+0"}, "400"},
		"two lengths":             {[]string{":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/r/x", "content-length", "0", "content-length", "1"}, "400"},
		"the length of no body":   {[]string{":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/r/x", "content-length", "0"}, "200"},
		"a path with a line":      {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x HTTP/1.1\r\nX: y"}, ""},
		"a value with a line":     {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x", "x-a", "b\r\nauthorization: evil"}, ""},
		"a value with a NUL":      {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x", "x-a", "b\x00c"}, ""},
		"a name in capitals":      {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x", "Authorization", "evil"}, ""},
		"a name with a colon":     {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x", "x-a: b", "c"}, ""},
		"a pseudo-field behind":   {[]string{":method", "GET", ":scheme", "http", ":authority", "a", "x-a", "b", ":path", "/r/x"}, ""},
		"two paths":               {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x", ":path", "/r/y"}, ""},
		"Connection":              {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x", "connection", "authorization"}, "400"},
		"Transfer-Encoding":       {[]string{":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/r/x", "transfer-encoding", "chunked"}, "400"},
		"Upgrade":                 {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x", "upgrade", "websocket"}, "400"},
		"TE":                      {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x", "te", "gzip"}, "400"},
		"a header that is long":   {append([]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x"}, longField(maxHeaderBytes+250)...), "431"},
		"more fields than may be": {append([]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x"}, manyFields(maxFields+1)...), "400"},
		"as many as may be":       {append([]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/r/x"}, manyFields(maxFields)...), "200"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			upstream := newRecorder(t)
			proxy := serve(t, routeTo(upstream.URL))
			f := newFramed(t, dial(t, proxy.addr))
			f.send(1, true, tt.fields...)
			if tt.status == "" {
				f.reset(1)
			} else if got := f.status(1); got != tt.status {
				t.Errorf("status %s, not %s", got, tt.status)
			}
			f.ask(3, "/r/after", true)
			if got := f.status(3); got != "200" {
				t.Errorf("the next request gets %s", got)
			}
			want := []string{"/after"}
			if tt.status == "200" {
				want = []string{"/x", "/after"}
			}
			var got []string
			for _, arrived := range upstream.all() {
				got = append(got, arrived.Target)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("what arrived (-want +got):\n%s", diff)
			}
		})
	}
}

// manyFields are so many lines of one field.
func manyFields(n int) (fields []string) {
	for range n {
		fields = append(fields, "x", "")
	}
	return fields
}

func TestHostAndAuthorityNameNobody(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routeTo(upstream.URL))
	f := newFramed(t, dial(t, proxy.addr))
	f.ask(1, "/r/x", true, "host", "evil.test")
	if got := f.status(1); got != "200" {
		t.Fatalf("status %s", got)
	}
	if got := upstream.only(t); got.Host != strings.TrimPrefix(upstream.URL, "http://") || len(got.Header["Host"]) > 0 {
		t.Errorf("the upstream received %+v", got)
	}
}

// TestABodyOtherThanAnnouncedIsNotSentOn: neither more nor less than the length that was announced.
func TestABodyOtherThanAnnouncedIsNotSentOn(t *testing.T) {
	for name, body := range map[string]string{"more": "hello, world", "less": "hel"} {
		t.Run(name, func(t *testing.T) {
			var whole atomic.Bool
			// After the upstream's end, which waits for what it has in hand.
			t.Cleanup(func() {
				if whole.Load() {
					t.Error("the upstream took it for whole")
				}
			})
			upstream := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err == nil {
					whole.Store(true)
				}
			})
			proxy := serve(t, routeTo(upstream))
			f := newFramed(t, dial(t, proxy.addr))
			f.ask(1, "/r/x", false, "content-length", "5")
			f.must(0, f.WriteData(1, true, []byte(body)))
			f.next(func(frame http2.Frame) bool {
				end, ok := frame.(*http2.MetaHeadersFrame)
				_, reset := frame.(*http2.RSTStreamFrame)
				return reset || ok && end.PseudoValue("status") == "400"
			})
		})
	}
}
