package attacks

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing/synctest"

	"credproxy.dev/controller/pkg/routetable"
)

// slow takes its time. Where time stands still until everybody waits, nobody has to.
func slow() []attack {
	const cost = "an agent would hold what its sidecar has for as long as it likes, and keep the others out"
	silent := func(name, sends string, gets string, l *routetable.Limits) attack {
		return attack{
			name: name, cost: cost, slow: true, set: func(s *stage) { s.route("/r").Limits = l },
			sends: sends, gets: []string{gets}, closes: true,
		}
	}
	return []attack{
		silent("a header that does not come", "GET /r/x HT", "400", nil),
		silent("a header that is not ended", "GET /r/x HTTP/1.1\r\nHost: a\r\n", "", nil),
		{
			name: "a header that trickles", cost: cost, slow: true,
			does: func(s *scene) {
				a := s.connect().send("GET /r/x HTTP/1.1\r\nX-A: ")
				a.trickle("a")
				if got := a.end(); got != "" {
					s.t.Errorf("it got %q", got)
				}
			},
		},
		{
			name: "a connection without a request", cost: cost, slow: true,
			does: func(s *scene) {
				if got := s.connect().end(); got != "" {
					s.t.Errorf("it got %q", got)
				}
			},
		},
		{
			name: "a connection that asks no more", cost: cost, slow: true, sends: get("/key/x"), gets: []string{"200"}, arrives: []string{"key.test: GET /x"}, closes: true,
		},
		{
			name: "more slow connections than there are seats", cost: cost, slow: true,
			does: func(s *scene) {
				door := s.entrance()
				for range 600 {
					go hold(door, "GET /r/x HT")
				}
				synctest.Wait()
			},
		},
		withArrival(silent("a body that does not come", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 10"), "408 body_timeout", &routetable.Limits{BodyTimeout: 60000})),
		withArrival(silent("chunks that do not come", chunked("/r/x", "1\r\na\r\n"), "408 body_timeout", &routetable.Limits{BodyTimeout: 60000})),
		withArrival(silent("a body that is announced and not sent", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 10", "Expect: 100-continue"), "408 body_timeout", &routetable.Limits{BodyTimeout: 60000})),
		{
			name: "a body that trickles", cost: cost, slow: true, set: func(s *stage) { s.route("/r").Limits = &routetable.Limits{BodyTimeout: 60000} },
			arrives: []string{"upstream.test: POST /base/x (cut off)"},
			does: func(s *scene) {
				a := s.connect().send(chunked("/r/x", ""))
				a.trickle("1\r\na\r\n")
				if got := a.answer("POST"); got.status != "408 body_timeout" || !got.last {
					s.t.Errorf("it got %q", got.status)
				}
			},
		},
		{
			name: "an upstream that says nothing", cost: "requests would pile up that nobody answers", slow: true,
			set: func(s *stage) {
				s.route("/r").Limits = &routetable.Limits{IdleTimeout: 60000}
				s.upstream("upstream.test").serve = func(conn net.Conn, _ *request) { _, _ = io.Copy(io.Discard, conn) }
			},
			sends: get("/r/x"), gets: []string{"504 idle_timeout"}, closes: true, arrives: []string{"upstream.test: GET /base/x"},
		},
		{
			name: "a stream that falls silent", cost: "streams would pile up on which nothing comes", slow: true,
			set: func(s *stage) {
				s.route("/r").Limits = &routetable.Limits{IdleTimeout: 60000}
				s.upstream("upstream.test").serve = func(conn net.Conn, _ *request) {
					_, _ = io.WriteString(conn, head("HTTP/1.1 200 OK", "Content-Type: text/event-stream")+"data: 1\n\n")
					_, _ = io.Copy(io.Discard, conn)
				}
			},
			sends: get("/r/x"), gets: []string{broken}, closes: true, arrives: []string{"upstream.test: GET /base/x"},
		},
		{
			name: "a reader that reads nothing", cost: "answers would pile up that nobody takes",
			set: func(s *stage) {
				s.route("/r").Limits = &routetable.Limits{IdleTimeout: 100}
				s.upstream("upstream.test").serve = func(conn net.Conn, _ *request) {
					_, err := io.WriteString(conn, head("HTTP/1.1 200 OK", "Content-Type: text/event-stream"))
					for err == nil {
						_, err = io.WriteString(conn, strings.Repeat("data: 1\n\n", 1000))
					}
				}
			},
			arrives: []string{"upstream.test: GET /base/x"},
			does: func(s *scene) {
				s.connect().send(get("/r/x"))
				s.log.waitFor(s.t, `"error":"idle_timeout"`)
			},
		},
		{
			name: "a flood of refusals", cost: "the log would be full of it, and nobody see what else happens", slow: true,
			sends: strings.Repeat(get("/nowhere"), 300), gets: times(300, "404 no_route"),
			finds: func(s *scene, _ []*request) {
				log, _ := s.log.read()
				if n := strings.Count(log, `"error":"no_route"`); n > 10 {
					s.t.Errorf("%d lines tell of it", n)
				}
				if !strings.Contains(log, fmt.Sprintf(`"requests":%d`, 300-5)) {
					s.t.Errorf("nothing tells how many there were: %s", log)
				}
			},
		},
	}
}

// withArrival is the attack, of which the beginning arrives.
func withArrival(a attack) attack {
	a.arrives = []string{"upstream.test: POST /base/x (cut off)"}
	return a
}

func times(n int, s string) (all []string) {
	for range n {
		all = append(all, s)
	}
	return all
}
