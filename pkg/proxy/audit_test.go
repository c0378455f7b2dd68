package proxy

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
)

// logged are the lines of a log with a message, without what differs from run to run.
func logged(t testing.TB, from *sink, message string) (lines []map[string]any) {
	t.Helper()
	for text := range strings.Lines(from.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if line["msg"] == message {
			if _, err := time.Parse(time.RFC3339Nano, line["time"].(string)); err != nil {
				t.Error(err)
			}
			delete(line, "time")
			lines = append(lines, line)
		}
	}
	return lines
}

// requestLines waits for so many lines of requests.
func requestLines(t testing.TB, from *sink, n int) (lines []map[string]any) {
	t.Helper()
	eventually(t, "all requests are logged", func() bool {
		lines = logged(t, from, "request")
		return len(lines) >= n
	})
	return lines
}

func TestLineOfARequest(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short")
	}))
	t.Cleanup(upstream.Close)
	long := strings.Repeat("a", maxLoggedPath)
	for name, c := range map[string]struct {
		request string
		want    map[string]any
	}{
		"answered": {"POST /r/a%2fb//c;d?private=1 HTTP/1.1\nHost: a\nContent-Length: 4\n\nbody", map[string]any{
			"route": "/r", "method": "POST", "path": "/r/a%2fb//c;d", "status": 418., "upstream_status": 418.,
			"request_bytes": 4., "response_bytes": 5., "credential": true}},
		"in chunks": {"PUT /r HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n", map[string]any{
			"route": "/r", "method": "PUT", "path": "/r", "status": 418., "upstream_status": 418.,
			"request_bytes": 3., "response_bytes": 5., "credential": true}},
		"nothing added": {"GET /open HTTP/1.1\nHost: a\n\n", map[string]any{
			"route": "/open", "method": "GET", "path": "/open", "status": 418., "upstream_status": 418.,
			"request_bytes": 0., "response_bytes": 5., "credential": false}},
		"refused": {"GET /r/../x HTTP/1.1\nHost: a\n\n", map[string]any{
			"route": "", "method": "GET", "path": "/r/../x", "status": 400., "request_bytes": 0., "credential": false, "error": "bad_path"}},
		"unreachable": {"GET /gone HTTP/1.1\nHost: a\n\n", map[string]any{
			"route": "/gone", "method": "GET", "path": "/gone", "status": 502., "request_bytes": 0., "credential": true, "error": "upstream_unreachable"}},
		"long": {"GET /none/" + long + " HTTP/1.1\nHost: a\n\n", map[string]any{
			"route": "", "method": "GET", "path": "/none/" + long[:maxLoggedPath-6] + "…", "status": 404., "request_bytes": 0.,
			"credential": false, "error": "no_route"}},
		"of raw bytes": {"INVENTED /none/\x7f\xff\xe2\x80\xae\" HTTP/1.1\nHost: a\n\n", nil}, // net/http does not take it
		"a forward proxy's": {"GET http://user:private@evil.test/none/%1b%5b HTTP/1.1\nHost: a\n\n", map[string]any{
			"route": "", "method": "GET", "path": "/none/%1b%5b", "status": 400., "request_bytes": 0., "credential": false, "error": "bad_path"}},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := serve(t, routeTo(upstream.URL), routetable.Route{Path: "/open", Upstream: upstream.URL},
				routetable.Route{Path: "/gone", Upstream: "http://127.0.0.1:1", Auth: bearer()})
			_, body := raw(t, proxy.addr, lines(c.request))
			if c.want == nil {
				return
			}
			got := requestLines(t, proxy.log, 1)[0]
			c.want["level"], c.want["msg"], c.want["spec"] = "INFO", "request", "web"
			if _, ok := c.want["response_bytes"]; !ok {
				c.want["response_bytes"] = float64(len(body))
			}
			took, ok := got["duration_ms"].(float64)
			first, answered := got["first_byte_ms"].(float64)
			if !ok || answered != (c.want["upstream_status"] != nil) || first > took {
				t.Errorf("it took %v, and the first byte %v", got["duration_ms"], got["first_byte_ms"])
			}
			delete(got, "duration_ms")
			delete(got, "first_byte_ms")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-wanted +logged)\n%s", diff)
			}
		})
	}
}

func TestATunnelIsLoggedWithWhatWentThroughIt(t *testing.T) {
	upstream := rawUpstream(t, func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.CopyN(conn, conn, 5)
		_, _ = io.WriteString(conn, "!")
	})
	route := routeTo(upstream)
	route.Unscrubbed = true // these are no frames
	proxy := serve(t, route)
	client := dial(t, proxy.addr)
	conn := newTalk(client)
	write(t, conn, "GET /r/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	wantSwitch(t, conn.from)
	write(t, conn, "hello")
	if _, err := io.ReadFull(conn.from, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	got := requestLines(t, proxy.log, 1)[0]
	if got["status"] != 101. || got["upstream_status"] != 101. || got["request_bytes"] != 5. || got["response_bytes"] != 6. {
		t.Errorf("it is logged as %v", got)
	}
	if c := proxy.counters()[1]; c.Requests[0] != 1 || c.RequestBytes != 5 || c.ResponseBytes != 6 || c.InFlight != 0 || c.Duration.Count() != 1 {
		t.Errorf("it is counted as %+v", c)
	}
}

func TestABrokenAnswerIsLoggedAsCutOff(t *testing.T) {
	upstream := rawUpstream(t, func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
	})
	proxy := serve(t, routeTo(upstream))
	conn := newTalk(dial(t, proxy.addr))
	write(t, conn, "GET /r/x HTTP/1.1\r\nHost: a\r\n\r\n")
	_, _ = io.Copy(io.Discard, conn.from)
	if got := requestLines(t, proxy.log, 1)[0]; got["status"] != 200. || got["error"] != "cut_off" {
		t.Errorf("it is logged as %v", got)
	}
}

// TestAFloodOfRefusalsIsLoggedTogether refuses on two routes, for two reasons, and looks at what is counted too.
func TestAFloodOfRefusalsIsLoggedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &sink{}
		h := NewHandler(always(upstreamFunc(ok)), slog.New(slog.DiscardHandler), log, "web")
		if err := h.Swap(load(t, routetable.Route{Path: "/r", Upstream: "https://a.test", Auth: &routetable.Auth{Scheme: "Bearer", TokenEnv: "CRED_PROXY_TOKEN_2"}})); err != nil {
			t.Fatal(err)
		}
		ask := func(n int, method, path string) {
			for range n {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, http.NoBody))
			}
		}
		ask(100, http.MethodGet, "/r")
		ask(30, http.MethodGet, "/none")
		ask(2, http.MethodTrace, "/r")
		if n := len(logged(t, log, "request")); n != 2*toldASecond+2 {
			t.Errorf("%d lines at once", n)
		}
		h.tellRefused()
		h.tellRefused()
		want := []map[string]any{
			{"level": "WARN", "msg": "more requests were refused", "spec": "web", "route": "", "error": "no_route", "requests": 25.},
			{"level": "WARN", "msg": "more requests were refused", "spec": "web", "route": "/r", "error": "no_token", "requests": 95.},
		}
		if diff := cmp.Diff(want, logged(t, log, "more requests were refused")); diff != "" {
			t.Errorf("(-wanted +logged)\n%s", diff)
		}
		<-time.After(time.Second)
		ask(1, http.MethodGet, "/r")
		if n := len(logged(t, log, "request")); n != 2*toldASecond+3 {
			t.Errorf("%d lines a second later", n)
		}
		counts := h.counters()
		if counts[0].Refusals[routetable.RefusalReason("no_route")] != 30 || counts[1].Refusals[routetable.RefusalReason("no_token")] != 101 {
			t.Errorf("counted are %+v", counts)
		}
	})
}

// FuzzLogText holds that a text in the log is one string of JSON that says the same, in which nothing acts on a terminal.
func FuzzLogText(f *testing.F) {
	for _, text := range []string{"", "/r/a", "\x1b[2J\"\\\n\u2028\u0085é€😀\xff\xc3", "\u202e"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line := string(appendText([]byte("{"), `"t":`, text)) + "}"
		var got map[string]string
		if err := json.Unmarshal([]byte(line), &got); err != nil || got["t"] != strings.ToValidUTF8(text, "\ufffd") && got["t"] != string([]rune(text)) {
			t.Errorf("%q is logged as %s: %q, %v", text, line, got["t"], err)
		}
		if strings.ContainsFunc(line, unicode.IsControl) {
			t.Errorf("%q has control characters", line)
		}
	})
}

// BenchmarkLine is what a line costs, beside what slog takes for the same.
func BenchmarkLine(b *testing.B) {
	lines := bufio.NewWriter(io.Discard)
	r := httptest.NewRequest(http.MethodPost, "/api/v1/messages?beta=true", http.NoBody)
	e := &exchange{begun: time.Now(), route: "/api", status: 200, upstream: 200, firstByte: time.Millisecond, credential: true, written: 1 << 10, finished: true}
	b.Run("ours", func(b *testing.B) {
		a := newAudit(lines, "web")
		b.ReportAllocs()
		for b.Loop() {
			a.request(e, r, 3*time.Millisecond)
		}
	})
	b.Run("slog", func(b *testing.B) {
		log := slog.New(slog.NewJSONHandler(lines, nil))
		b.ReportAllocs()
		for b.Loop() {
			log.LogAttrs(b.Context(), slog.LevelInfo, "request", slog.String("spec", "web"), slog.String("route", e.route),
				slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()), slog.Int("status", e.status),
				slog.Int("upstream_status", e.upstream), slog.Int64("request_bytes", e.received()), slog.Int64("response_bytes", e.sent()),
				slog.Float64("duration_ms", 3), slog.Float64("first_byte_ms", 1), slog.Bool("credential", e.credential))
		}
	})
}
