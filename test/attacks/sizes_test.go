package attacks

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
)

// sizes sends more than anybody has room for.
func sizes() []attack {
	const cost = "an agent would have its sidecar, or the upstream, hold as much as it likes, until it ends"
	refused := func(name, sends, status string) attack {
		return attack{name: name, cost: cost, sends: sends, gets: []string{status}, closes: true}
	}
	limited := func(name, sends, status string, l routetable.Limits) attack {
		a := refused(name, sends, status)
		a.set = func(s *stage) { s.route("/r").Limits = &l }
		return a
	}
	bomb, big := packed(), strings.Repeat("a", 64<<10)
	return []attack{
		refused("a target without end", get("/r/"+big), "431"),
		refused("a query without end", get("/r/x?"+big), "431"),
		refused("a method without end", head(strings.Repeat("A", 64<<10)+" /r/x HTTP/1.1", "Host: a"), "431"),
		refused("a name without end", get("/r/x", "X-"+big+": a"), "431"),
		refused("a value without end", get("/r/x", "X-A: "+big), "431"),
		refused("a Host without end", head("GET /r/x HTTP/1.1", "Host: "+big), "431"),
		refused("a folded line without end", get("/r/x", "X-A: a"+strings.Repeat("\r\n a", 16<<10)), "400"),
		refused("fields without end", get("/r/x", strings.Split(strings.TrimSuffix(strings.Repeat("X-A: a\n", 5000), "\n"), "\n")...), "400"),
		refused("one field too many", get("/r/x", strings.Split(strings.TrimSuffix(strings.Repeat("a:\n", 100), "\n"), "\n")...), "400"),
		refused("tiny fields of many names", get("/r/x", manyNames(150)...), "400"),
		{
			name: "fields without end behind a body", cost: cost,
			sends: post("/key/x", "abc") + get("/r/x", manyNames(150)...), gets: []string{"200", "400 bad_request"}, arrives: []string{"key.test: POST /x"},
		},
		limited("a header beyond the route's limit", get("/r/x", "X-A: "+strings.Repeat("a", 1000)), "431 header_too_large", routetable.Limits{HeaderBytes: 1000}),
		limited("a body beyond the route's limit", post("/r/x", strings.Repeat("a", 2000)), "413 body_too_large", routetable.Limits{BodyBytes: 1000}),
		{
			name: "chunks beyond the route's limit", cost: cost, set: func(s *stage) { s.route("/r").Limits = &routetable.Limits{BodyBytes: 1000} },
			arrives: []string{"upstream.test: POST /base/x (cut off)"},
			does: func(s *scene) {
				got := s.connect().send(chunked("/r/x", strings.Repeat("100\r\n"+strings.Repeat("a", 256)+"\r\n", 100))).answer("POST")
				if got.status != "413 body_too_large" || !got.last {
					s.t.Errorf("it got %q", got.status)
				}
			},
		},
		{
			name: "more requests than a minute has", cost: "an agent would spend a token as fast as it can",
			set:   func(s *stage) { s.route("/key").Limits = &routetable.Limits{RequestsPerMinute: 2} },
			sends: get("/key/1") + get("/key/2") + get("/key/3"), gets: []string{"200", "200", "429 rate_limited"},
			arrives: []string{"key.test: GET /1", "key.test: GET /2"},
		},
		{
			name: "more requests than may be in flight", cost: "an agent would spend a token on as many requests at a time as it can",
			set: func(s *stage) {
				s.route("/key").Limits = &routetable.Limits{ConcurrentRequests: 1}
				s.upstream("key.test").serve = func(conn net.Conn, _ *request) { _, _ = io.Copy(io.Discard, conn) }
			},
			arrives: []string{"key.test: GET /x"},
			does: func(s *scene) {
				first := s.connect().send(get("/key/x"))
				s.mustArrive("key.test: GET /x")
				if got := s.connect().send(get("/key/y")).answer("GET"); got.status != "429 concurrency_limited" {
					s.t.Errorf("it got %q", got.status)
				}
				first.close()
			},
		},
		{
			name: "a body that is a bomb", cost: "a sidecar would unpack what an agent packed, and have no memory left",
			sends: post("/r/x", bomb, "Content-Encoding: gzip"), gets: []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) { s.mustHave(got, bomb) },
		},
		{
			name: "an answer that is a bomb", cost: "a sidecar would unpack what an upstream packed, and have no memory left",
			set: func(s *stage) {
				s.upstream("open.test").answer = func(*request) string { return reply("text/plain", bomb, "Content-Encoding: gzip") }
				s.upstream("upstream.test").answer = s.upstream("open.test").answer
			},
			sends: get("/open/x", "Accept-Encoding: gzip") + get("/open/y") + get("/r/x", "Accept-Encoding: gzip"), gets: []string{"200", "200", "502 unreadable"},
			arrives: []string{"open.test: GET /x", "open.test: GET /y", "upstream.test: GET /base/x"},
			shows: func(s *scene, got []answer) {
				for _, a := range got[:2] {
					if a.body != bomb {
						s.t.Errorf("%d bytes came of it", len(a.body))
					}
				}
			},
		},
	}
}

// packed is eight mebibytes of zeros, as gzip has them.
func packed() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(make([]byte, 8<<20))
	_ = w.Close()
	return b.String()
}

// manyNames are fields of the least size.
func manyNames(n int) (all []string) {
	for i := range n {
		all = append(all, string(rune('a'+i%26))+string(rune('a'+i/26))+":")
	}
	return all
}
