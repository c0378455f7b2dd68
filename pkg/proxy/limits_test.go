package proxy

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

// bounded is the route /r with limits.
func bounded(upstream string, l routetable.Limits) routetable.Route {
	return gated(upstream, func(r *routetable.Route) { r.Limits = &l })
}

func TestAHeaderBeyondItsLimitIsRefused(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, bounded(upstream.URL, routetable.Limits{HeaderBytes: 300}))
	for name, tt := range map[string]struct {
		request string
		passes  bool
	}{
		"small":          {"GET /r/x HTTP/1.1\nHost: a\n\n", true},
		"just so":        {"GET /r/x HTTP/1.1\nHost: a\nX: " + strings.Repeat("a", 300-19-9-5) + "\n\n", true},
		"one too many":   {"GET /r/x HTTP/1.1\nHost: a\nX: " + strings.Repeat("a", 300-19-9-4) + "\n\n", false},
		"many fields":    {"GET /r/x HTTP/1.1\nHost: a\n" + fields(50) + "\n", false},
		"a long path":    {"GET /r/" + strings.Repeat("a", 300) + " HTTP/1.1\nHost: a\n\n", false},
		"a long query":   {"GET /r/x?" + strings.Repeat("a", 300) + " HTTP/1.1\nHost: a\n\n", false},
		"a long host":    {"GET /r/x HTTP/1.1\nHost: " + strings.Repeat("a", 300) + "\n\n", false},
		"a field often":  {"GET /r/x HTTP/1.1\nHost: a\n" + strings.Repeat("A: b\n", 60) + "\n", false},
		"a long trailer": {"POST /r/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTrailer: X\n\n0\nX: " + strings.Repeat("a", 300) + "\n\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(upstream.all())
			res, body := raw(t, proxy.addr, lines(tt.request))
			if passed := len(upstream.all()) > before; passed != tt.passes {
				t.Errorf("passed: %v; %d %s", passed, res.StatusCode, body)
			}
			if !tt.passes {
				wantRefusal(t, res, body, http.StatusRequestHeaderFieldsTooLarge, "header_too_large")
			}
		})
	}
}

func TestABodyBeyondItsLimitIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		request string
		passes  bool
	}{
		"none":                  {"GET /r/x HTTP/1.1\nHost: a\n\n", true},
		"just so":               {"POST /r/x HTTP/1.1\nHost: a\nContent-Length: 8\n\n12345678", true},
		"just so, in chunks":    {"POST /r/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n4\n1234\n4\n5678\n0\n\n", true},
		"announced":             {"POST /r/x HTTP/1.1\nHost: a\nContent-Length: 9\n\n123456789", false},
		"announced, and waited": {"POST /r/x HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 9\n\n", false},
		"in chunks":             {"POST /r/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n4\n1234\n5\n56789\n0\n\n", false},
		"in endless chunks":     {"POST /r/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n" + strings.Repeat("4\n1234\n", 1000), false},
	} {
		t.Run(name, func(t *testing.T) {
			whole := make(chan bool, 1)
			upstream := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				whole <- err == nil
			})
			proxy := serve(t, bounded(upstream, routetable.Limits{BodyBytes: 8}))
			conn := dial(t, proxy.addr)
			// It may have been answered, and the connection closed, before all is written.
			go func() { _, _ = io.WriteString(conn, lines(tt.request)) }()
			res, body := readResponse(t, bufio.NewReader(conn))
			if tt.passes {
				if res.StatusCode != http.StatusOK || !<-whole {
					t.Errorf("%d %s", res.StatusCode, body)
				}
				return
			}
			wantRefusal(t, res, body, http.StatusRequestEntityTooLarge, "body_too_large")
			if !res.Close {
				t.Error("the connection is kept")
			}
			if strings.Contains(tt.request, "chunked") && <-whole {
				t.Error("the upstream took a part for the whole")
			}
			if len(whole) > 0 {
				t.Error("a body that was announced too large was sent on")
			}
		})
	}
}

func TestNoMoreRequestsAreInFlightThanTheLimit(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	upstream := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "slow") {
			begun <- struct{}{}
			<-finish
		}
	})
	route := bounded(upstream, routetable.Limits{ConcurrentRequests: 2})
	proxy := serve(t, route)
	answers := make(chan int)
	slow := func() {
		res, _ := get(t, proxy.url("/r/slow"))
		answers <- res.StatusCode
	}
	refused := func(when string) {
		t.Helper()
		res, body := get(t, proxy.url("/r/x"))
		wantRefusal(t, res, body, http.StatusTooManyRequests, "concurrency_limited")
		if res.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: %v", when, res.Header)
		}
	}
	go slow()
	<-begun
	if res, body := get(t, proxy.url("/r/x")); res.StatusCode != http.StatusOK {
		t.Errorf("the second is refused: %s", body)
	}
	go slow()
	<-begun
	refused("the third")
	if err := proxy.Swap(load(t, route)); err != nil {
		t.Fatal(err)
	}
	refused("after a reload")
	tighter := bounded(upstream, routetable.Limits{ConcurrentRequests: 1, RequestsPerMinute: 100})
	if err := proxy.Swap(load(t, tighter)); err != nil {
		t.Fatal(err)
	}
	finish <- struct{}{}
	if status := <-answers; status != http.StatusOK {
		t.Errorf("the one in flight got %d", status)
	}
	eventually(t, "one is left", func() bool { return proxy.table.Load().routes[0].limits.budget.inFlight.Load() == 1 })
	refused("with a smaller limit")
	finish <- struct{}{}
	<-answers
	eventually(t, "none is left", func() bool { return proxy.table.Load().routes[0].limits.budget.inFlight.Load() == 0 })
	if res, body := get(t, proxy.url("/r/x")); res.StatusCode != http.StatusOK {
		t.Errorf("when all are gone: %s", body)
	}
}

func TestAnOpenWebSocketIsInFlight(t *testing.T) {
	upstream, handshakes := echo(t)
	proxy := serve(t, bounded(upstream, routetable.Limits{ConcurrentRequests: 1, IdleTimeout: 600_000}))
	conn := dial(t, proxy.addr)
	write(t, conn, lines("\nGET /r/x HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n"))
	from := bufio.NewReader(conn)
	wantSwitch(t, from)
	<-handshakes
	write(t, conn, frame("ping\n"))
	if back, err := from.ReadString('\n'); back != frame("ping\n") {
		t.Fatalf("got %q, %v", back, err)
	}
	res, body := get(t, proxy.url("/r/x"))
	wantRefusal(t, res, body, http.StatusTooManyRequests, "concurrency_limited")
	_ = conn.Close()
	proxy.tunnels.Wait()
	eventually(t, "it is gone", func() bool { return proxy.table.Load().routes[0].limits.budget.inFlight.Load() == 0 })
}

func TestARefusedRequestTakesNothingOfTheBudget(t *testing.T) {
	upstream := newRecorder(t)
	route := bounded(upstream.URL, routetable.Limits{RequestsPerMinute: 1, BodyBytes: 1})
	route.Methods = []string{"GET", "POST"}
	proxy := serve(t, route)
	for _, request := range []string{"DELETE /r/x", "GET /r/../x", "GET /elsewhere"} {
		raw(t, proxy.addr, request+" HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	raw(t, proxy.addr, "POST /r/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
	if res, body := get(t, proxy.url("/r/x")); res.StatusCode != http.StatusOK {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	res, body := get(t, proxy.url("/r/x"))
	wantRefusal(t, res, body, http.StatusTooManyRequests, "rate_limited")
}
