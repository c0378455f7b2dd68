package attacks

import (
	"io"
	"net"
	"strings"
)

// responses has an upstream answer with what one client may read otherwise than another, or with what never ends.
func responses() []attack {
	const cost = "an upstream, or who speaks through it, would answer other requests than its own"
	arrives := []string{"upstream.test: GET /base/x"}
	answers := func(name, answer string, gets string, closes bool) attack {
		return attack{
			name: name, cost: cost, set: func(s *stage) { s.upstream("upstream.test").answer = func(*request) string { return answer } },
			sends: get("/r/x"), gets: []string{gets}, arrives: arrives, closes: closes,
		}
	}
	return []attack{
		answers("an answer with a length and chunks", head("HTTP/1.1 200 OK", "Content-Length: 30", "Transfer-Encoding: chunked")+"3\r\nok\n\r\n0\r\n\r\n", "200", false),
		answers("an answer with two lengths", head("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 4")+"ok\n", "502 upstream_unreachable", false),
		answers("an answer with a length in hex", head("HTTP/1.1 200 OK", "Content-Length: 0x3")+"ok\n", "502 upstream_unreachable", false),
		answers("an answer with a coding that there is not", head("HTTP/1.1 200 OK", "Transfer-Encoding: xchunked")+"3\r\nok\n\r\n0\r\n\r\n", "502 upstream_unreachable", false),
		answers("an answer with a CR alone", head("HTTP/1.1 200 OK", "Content-Length: 3", "X-A: a\rX-Evil: 1")+"ok\n", "502 upstream_unreachable", false),
		answers("an answer with a NUL", head("HTTP/1.1 200 OK", "Content-Length: 3", "X-A: a\x00b")+"ok\n", "502 upstream_unreachable", false),
		answers("an answer with a field of no name", head("HTTP/1.1 200 OK", "Content-Length: 3", ": a")+"ok\n", "502 upstream_unreachable", false),
		answers("an answer with a space in a name", head("HTTP/1.1 200 OK", "Content-Length : 30", "Connection: close")+"ok\n", "200", false),
		answers("an answer that is not HTTP", "SSH-2.0-"+token(1)+"\r\n\r\n", "502 upstream_unreachable", false).untold("SSH"),
		answers("an answer with a status of no number", head("HTTP/1.1 2xx "+token(1), "Content-Length: 0"), "502 upstream_unreachable", false).untold("2xx"),
		answers("an answer with half a chunk", head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Connection: close")+"30\r\nabc", broken, true),
		answers("an answer that is shorter than it says", head("HTTP/1.1 200 OK", "Content-Length: 30", "Connection: close")+"abc", broken, true),
		answers("an answer with a field of the sidecar's own", head("HTTP/1.1 503 No", "Cred-Proxy-Error: no_token", "cred-proxy-credential: added", "Content-Length: 0"), "503", false),
		answers("a header without end", "HTTP/1.1 200 OK\r\nX-A: "+strings.Repeat("a", 512<<10)+"\r\n\r\n", "502 upstream_unreachable", false),
		answers("a hundred interim answers", strings.Repeat(head("HTTP/1.1 103 Early Hints", "Link: </"+token(1)+">"), 100)+ok, "200", false),
		{
			name: "a body behind an answer that has none", cost: cost,
			set: func(s *stage) {
				s.upstream("key.test").answer = func(*request) string { return head("HTTP/1.1 304 Not Modified", "Content-Length: 3") + "ok\n" }
			},
			sends: get("/key/x"), gets: []string{"304"}, arrives: []string{"key.test: GET /x"},
		},
		{
			name: "an interim answer of the sidecar's own", cost: "an agent would take an upstream's word for the sidecar's",
			set: func(s *stage) {
				s.upstream("upstream.test").answer = func(*request) string {
					return head("HTTP/1.1 103 Early Hints", "Cred-Proxy-Error: no_token", "Link: </a>") + ok
				}
			},
			sends: get("/r/x"), gets: []string{"200"}, arrives: arrives,
			finds: func(s *scene, _ []*request) {
				if got := s.cast[0].got.String(); strings.Contains(got, "no_token") || !strings.Contains(got, "Link: </a>") {
					s.t.Errorf("it got %q", got)
				}
			},
		},
		unasked(cost + ", or have what it says written to the log, a token too"),
		{
			name: "an answer before its request is there", cost: "what is left of the request would be the next one on the upstream's connection",
			set: func(s *stage) {
				s.upstream("upstream.test").early = head("HTTP/1.1 413 Too Large", "Content-Length: 0", "Connection: close")
			},
			sends: head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 400000") + strings.Repeat(get("/r/smuggled"), 10000)[:400000],
			gets:  []string{"413"}, closes: true, arrives: []string{"upstream.test: POST /base/x (cut off)"},
		},
	}
}

// untold is the attack, of whose upstream's words the sidecar's own must have none.
func (a attack) untold(words string) attack {
	a.shows = func(s *scene, got []answer) {
		if log, _ := s.log.read(); strings.Contains(got[0].body, words) || strings.Contains(log, words) {
			s.t.Errorf("it is told %q, and the log says %s", got[0].body, log)
		}
	}
	return a
}

// unasked has an upstream say something behind its answer. Once the sidecar has seen that, it must not use the connection, and tell
// nobody what was said.
func unasked(cost string) attack {
	hungUp := make(chan struct{}, 2)
	return attack{
		name: "an answer that nobody asked for", cost: cost,
		set: func(s *stage) {
			s.upstream("key.test").serve = func(conn net.Conn, _ *request) {
				_, _ = io.WriteString(conn, ok+strings.Replace(ok, "ok\n", "no\n", 1)+token(1))
				_, _ = io.Copy(io.Discard, conn)
				hungUp <- struct{}{}
			}
		},
		arrives: []string{"key.test: GET /x", "key.test: GET /x"},
		does: func(s *scene) {
			one := s.connect()
			for range 2 {
				if got := one.send(get("/key/x")).answer("GET"); got.status != "200" || got.body != "ok\n" {
					s.t.Errorf("it got %q %q", got.status, got.body)
				}
				<-hungUp
			}
		},
		finds: func(s *scene, _ []*request) {
			if said, _ := s.standard.read(); said != "" {
				s.t.Errorf("the standard logger was told %q", said)
			}
		},
	}
}
