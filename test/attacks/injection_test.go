package attacks

import (
	"strings"

	"credproxy.dev/controller/pkg/routetable"
)

// injections puts NUL, CR and LF wherever something is written on.
func injections() []attack {
	const cost = "a field or a request of the agent's making would reach the upstream beside what was judged"
	var all []attack
	for _, p := range []struct{ name, sends string }{
		{"a NUL in the target", get("/r/\x00")},
		{"a NUL in the query", get("/r/x?a=\x00")},
		{"a CR in the target", get("/r/a\rb")},
		{"a CR in the query", get("/r/x?a=\rb")},
		{"a tab in the target", get("/r/a\tb")},
		{"a space in the target", get("/r/a b")},
		{"a delete in the target", get("/r/\x7f")},
		{"a NUL in the method", head("G\x00T /r/x HTTP/1.1", "Host: a")},
		{"a CR in the method", head("G\rT /r/x HTTP/1.1", "Host: a")},
		{"a NUL in the version", head("GET /r/x HTTP/1.1\x00", "Host: a")},
		{"a NUL in a name", get("/r/x", "X-A\x00: a")},
		{"a CR in a name", get("/r/x", "X-A\r: a")},
		{"a name in quotes", get("/r/x", `"X-A": a`)},
		{"a name of no letters", get("/r/x", ": a")},
		{"a field without a colon", get("/r/x", "Authorization")},
		{"a name beyond ASCII", get("/r/x", "X-Ä: a")},
		{"a NUL in a value", get("/r/x", "X-A: a\x00b")},
		{"a CR in a value", get("/r/x", "X-A: a\rX-B: b")},
		{"a control character in a value", get("/r/x", "X-A: a\x1bb")},
		{"a NUL in the Host", head("GET /r/x HTTP/1.1", "Host: a\x00b")},
		{"a CR in the Host", head("GET /r/x HTTP/1.1", "Host: a\rb")},
		{"a NUL in a folded line", get("/r/x", "X-A: a", " \x00b")},
		{"a CR before the end of the header", "GET /r/x HTTP/1.1\r\nHost: a\r\n\r\r\n\r\n"},
	} {
		all = append(all, attack{name: p.name, cost: cost, sends: p.sends, gets: []string{"400"}, closes: true})
	}
	for _, p := range []struct{ name, path string }{
		{"an encoded NUL", "/r/a%00b"},
		{"a NUL that is encoded twice", "/r/a%2500b"},
		{"an encoded line end", "/r/a%0d%0aX-Service-Key:%20b"},
		{"a line end that is encoded twice", "/r/a%250d%250ab"},
		{"an encoded LF alone", "/r/a%0ab"},
		{"an encoded escape", "/r/%1b%5b2J"},
	} {
		all = append(all, attack{name: p.name, cost: cost, sends: get(p.path), gets: []string{"400 bad_path"}})
	}
	return append(all,
		attack{
			name: "line ends in the query", cost: cost, sends: get("/r/x?a=%0d%0aX-B:%20b%00"), gets: []string{"200"},
			arrives: []string{"upstream.test: GET /base/x?a=%0d%0aX-B:%20b%00"},
		},
		attack{
			name: "bytes beyond ASCII in the query", cost: cost, sends: get("/r/x?a=\xc3\xa4&\xff"), gets: []string{"200"},
			arrives: []string{"upstream.test: GET /base/x?a=%C3%A4&%FF"},
		},
		attack{
			name: "what a terminal acts on", cost: "who reads the log would see lines that nobody wrote, or have the terminal steered",
			sends: head("EV\"IL /r/x HTTP/1.1", "Host: a"), gets: []string{"400"}, closes: true,
		},
		attack{
			name: "a route whose path ends a string of the log", cost: "who writes specs could write lines of the log, and the sidecar's own would not be read",
			set: func(s *stage) {
				s.add(routetable.Route{Path: `/q"x`, Upstream: "http://quote.test"}, &host{name: "quote.test", at: "93.184.216.61"})
			},
			sends: get("/q%22x/y"), gets: []string{"200"}, arrives: []string{"quote.test: GET /y"},
			finds: func(s *scene, _ []*request) { s.log.waitFor(s.t, `"route":"/q\u0022x"`) },
		},
		attack{
			name: "text of its own in the log", cost: "who reads the log would see lines that nobody wrote, or have the terminal steered",
			sends: get("/r/%e2%80%ae%22,%22status%22:200%7d") + get("/r/\xe2\x80\xa82J") + head("FORGED-LINE /r/x HTTP/1.1", "Host: a") + get("/r/"+strings.Repeat("a", 4000)),
			gets:  []string{"200", "200", "200", "200"},
			arrives: []string{
				"upstream.test: GET /base/%E2%80%A82J", "upstream.test: GET /base/%e2%80%ae%22,%22status%22:200%7d",
				"upstream.test: FORGED-LINE /base/x", "upstream.test: GET /base/" + strings.Repeat("a", 4000),
			},
			finds: func(s *scene, _ []*request) {
				s.log.waitFor(s.t, `"path":"/r/aaaa`)
				if log, _ := s.log.read(); strings.Contains(log, "FORGED-LINE") || strings.Contains(log, strings.Repeat("a", 300)) {
					s.t.Errorf("the log says %s", log)
				}
			},
		},
	)
}
