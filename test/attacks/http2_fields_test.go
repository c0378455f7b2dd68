package attacks

import (
	"slices"
	"strings"

	"golang.org/x/net/http2"

	"credproxy.dev/controller/pkg/routetable"
)

// overHTTP2 is what only HTTP/2 can say, or says otherwise than HTTP/1.1: its upstreams are asked by HTTP/1.1, where a text that is
// but a value in a frame would end a line.
func overHTTP2() []attack {
	return slices.Concat(pseudoFields(), namesAndValues(), credentialsInFrames(), bodiesInFrames(), trailersInFrames(), keysInFrames(),
		frameOrder(), compression(), windows(), protocols(), floods(), slowFrames())
}

const protocolError = "reset PROTOCOL_ERROR"

// asking is an attack of one request over HTTP/2. What it should not be answered with, it is refused with.
func asking(name, cost, status string, fields ...string) attack {
	a := attack{name: name + ", over HTTP 2", cost: cost, framed: []step{{headers(1, true, fields...), []string{status}}}}
	if status == "200" {
		a.arrives = []string{"upstream.test: GET /base/x"}
	}
	return a
}

// pseudoFields abuse those that take the place of a request's first line (RFC 9113 section 8.3).
func pseudoFields() []attack {
	const cost = "a request would be judged by one of two readings, and the upstream take the other, with the route's credential"
	good := func(more ...string) []string { return asks("GET", "/r/x", more...) }
	path := func(name, status, path string) attack { return asking(name, cost, status, asks("GET", path)...) }
	all := []attack{
		asking("two methods", cost, protocolError, ":method", "GET", ":method", "DELETE", ":scheme", "http", ":authority", "a", ":path", "/r/x"),
		asking("two paths", cost, protocolError, append([]string{":path", "/r/y"}, good()...)...),
		asking("two schemes", cost, protocolError, append([]string{":scheme", "https"}, good()...)...),
		asking("two authorities", cost, protocolError, append([]string{":authority", "evil.test"}, good()...)...),
		asking("no method", cost, protocolError, ":scheme", "http", ":authority", "a", ":path", "/r/x"),
		asking("an empty method", cost, protocolError, asks("", "/r/x")...),
		asking("no path", cost, protocolError, ":method", "GET", ":scheme", "http", ":authority", "a"),
		asking("no scheme", cost, protocolError, ":method", "GET", ":authority", "a", ":path", "/r/x"),
		asking("no authority", cost, "200", ":method", "GET", ":scheme", "http", ":path", "/r/x"),
		asking("a Host for an authority", cost, "200", ":method", "GET", ":scheme", "http", ":path", "/r/x", "host", "evil.test"),
		asking("another Host than the authority", cost, "200", good("host", "evil.test", "host", "key.test")...),
		asking("an authority with user information", cost, protocolError, ":method", "GET", ":scheme", "http", ":authority", "upstream.test@evil.test", ":path", "/r/x"),
		asking("a scheme that there is not", cost, protocolError, ":method", "GET", ":scheme", "file", ":authority", "a", ":path", "/r/x"),
		asking("a scheme with a URL in it", cost, protocolError, ":method", "GET", ":scheme", "http://evil.test/?", ":authority", "a", ":path", "/r/x"),
		asking("a scheme of TLS", cost, "200", ":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/r/x"),
		asking("a pseudo-field that there is not", cost, protocolError, good(":evil", "1")...),
		asking("a pseudo-field of an answer", cost, protocolError, good(":status", "200")...),
		asking("a pseudo-field behind the others", cost, protocolError, ":method", "GET", ":scheme", "http", ":authority", "a", "x-a", "b", ":path", "/r/x"),
		asking("a pseudo-field in capitals", cost, protocolError, good(":Path", "/r/y")...),
		path("an empty path", protocolError, ""),
		path("a path without a slash", protocolError, "r/x"),
		path("a path that is a query", protocolError, "?/r/x"),
		path("a path that is a URL", "400 bad_path", "http://evil.test/r/x"),
		path("a path that is the upstream's URL", "400 bad_path", "http://upstream.test/base/x"),
		path("a path that is a file's URL", "400 bad_path", "file:///r/x"),
		path("a path that is opaque", "400 bad_path", "mailto:a@b"),
		path("a path that is a star", "400 bad_path", "*"),
		path("a fragment behind dots", "400 bad_path", "/r/..#/x"),
		path("a fragment with dots in it", "400 bad_path", "/r/x#/../admin"),
		path("dot segments", "400 bad_path", "/r/../admin"),
		path("encoded dots", "400 bad_path", "/r/%2e%2e/admin"),
		path("an encoded slash behind dots", "400 bad_path", "/r/..%2fadmin"),
		path("a backslash", "400 bad_path", `/r/..\admin`),
		path("two slashes behind the route", "400 bad_path", "/r//evil.test/x"),
		path("two slashes and a host", "404 no_route", "//evil.test/r/x"),
		path("an encoded line end", "400 bad_path", "/r/x%0d%0aX-A:%20b"),
		path("a line end", protocolError, "/r/x HTTP/1.1\r\nX-A: b"),
		path("a line end in the query", protocolError, "/r/x?a HTTP/1.1\r\nX-A: b"),
		path("a LF alone", protocolError, "/r/x\nX-A: b"),
		path("a NUL", protocolError, "/r/x\x00"),
		path("an escape for a terminal", protocolError, "/r/\x1b[2J"),
		path("a space", "400 bad_request", "/r/x HTTP/1.1"),
		path("a space in the query", "400 bad_request", "/r/x?a HTTP/1.0"),
		asking("a line end in the method", cost, protocolError, asks("GET /r/smuggled HTTP/1.1\r\nX:", "/r/x")...),
		asking("a space in the method", cost, "400 bad_request", asks("GET /r/smuggled", "/r/x")...),
		asking("a colon in the method", cost, "400 bad_request", asks("X-A:", "/r/x")...),
		asking("a line end in the authority", cost, protocolError, ":method", "GET", ":scheme", "http", ":authority", "a\r\nX-A: b", ":path", "/r/x"),
	}
	raw := path("bytes beyond ASCII in the query", "200", "/r/x?a=\xc3\xa4\xff")
	raw.arrives = []string{"upstream.test: GET /base/x?a=%C3%A4%FF"}
	return append(all, raw)
}

// namesAndValues abuse that a frame has any bytes for a field (RFC 9113 section 8.2).
func namesAndValues() []attack {
	const cost = "a field or a request of the agent's making would reach the upstream beside what was judged"
	var all []attack
	for _, p := range []struct{ name, field, value string }{
		{"a name in capitals", "Authorization", "Bearer " + own},
		{"a name with a capital", "x-service-Key", own},
		{"a name with a colon", "x-a: b", "c"},
		{"a name with a line end", "x-a: b\r\nauthorization", "Bearer " + own},
		{"a name with a LF", "x-a\nx-b", "c"},
		{"a name with a NUL", "x-a\x00", "b"},
		{"a name with a space behind", "authorization ", "Bearer " + own},
		{"a name with a space before", " authorization", "Bearer " + own},
		{"a name of nothing", "", "a"},
		{"a name beyond ASCII", "x-\xc3\xa4", "a"},
		{"a value with a line end", "x-a", "b\r\nauthorization: Bearer " + own},
		{"a value with a request", "x-a", "b\r\n\r\nGET /base/admin HTTP/1.1\r\nHost: upstream.test\r\n\r\n"},
		{"a value with a LF", "x-a", "b\nauthorization: Bearer " + own},
		{"a value with a CR", "x-a", "b\rauthorization: Bearer " + own},
		{"a value with a NUL", "x-a", "b\x00c"},
	} {
		all = append(all, asking(p.name, cost, protocolError, asks("GET", "/r/x", p.field, p.value)...))
	}
	for _, p := range []struct{ field, value string }{
		{"connection", "authorization"}, {"connection", "close"}, {"keep-alive", "timeout=600"}, {"proxy-connection", "keep-alive"},
		{"transfer-encoding", "chunked"}, {"transfer-encoding", "identity"}, {"upgrade", "websocket"}, {"upgrade", "h2c"}, {"te", "gzip"}, {"te", "trailers, gzip"},
	} {
		const cost = "what holds between two neighbours alone would be done, or undone, at the connection to the upstream"
		all = append(all, asking("the field "+p.field+" of "+p.value, cost, "400", asks("GET", "/r/x", p.field, p.value)...))
	}
	hops := asking("fields that end at the next hop and HTTP 2 does not know", cost, "200", asks("GET", "/r/x", "te", "trailers", "http2-settings", "AAMAAABk", "proxy-authenticate", "Basic", "trailer", "x-a")...)
	spaces := asking("a value with spaces around it", cost, "200", asks("GET", "/r/x", "x-a", " \tb\t ", "authorization", " \tBearer "+own)...)
	spaces.finds = func(s *scene, got []*request) { s.mustHaveField(got, "X-A", "b") }
	claims := asking("claims of who was there before", cost, "200", asks("GET", "/r/x", "forwarded", "for=10.0.0.1", "x-forwarded-for", "127.0.0.1", "x_forwarded_host", "admin", "x-real-ip", "127.0.0.1",
		"x-original-url", "/admin", "x-host", "evil.test", "cred-proxy-error", "no_token", "content_length", "5", "transfer_encoding", "chunked")...)
	return append(all, hops, spaces, claims)
}

// credentialsInFrames bring credentials of the agent's own, in the ways that HTTP/2 has.
func credentialsInFrames() []attack {
	const cost = "the agent would use an account of its own at the upstream, and carry out there what it was given to read"
	every := func(path string) []string {
		return asks("GET", path, "authorization", "Bearer "+own, "authorization", own, "proxy-authorization", "Basic "+own, "x-api-key", own,
			"x_api_key", own, "x-goog-api-key", own, "x-goog_api_key", own, "api-key", own, "api_key", own, "x-service-key", own, "x_service_key", own, "cred-proxy-key", own)
	}
	key := asking("every field of a credential, where a route fills one", cost, "200", every("/key/x")...)
	key.arrives = []string{"key.test: GET /x"}
	open := asking("every field of a credential, where none is added", cost, "200", every("/open/x")...)
	open.arrives = []string{"open.test: GET /x"}
	parameter := asking("the route's parameter", cost, "200", asks("GET", "/query/x?key="+own+"&a=1&k%65y="+own)...)
	parameter.arrives = []string{"query.test: GET /v1/x?key=" + escaped(token(3)) + "&a=1"}
	return []attack{
		asking("every field of a credential", cost, "200", every("/r/x")...), key, open, parameter,
		{
			name: "a cookie in crumbs, over HTTP 2", cost: cost, arrives: []string{"cookie.test: GET /x"},
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/cookie", Upstream: "http://cookie.test", Auth: &routetable.Auth{
					Scheme: "Custom", Tokens: map[string]routetable.TokenPlace{"t": {TokenFile: slot(4)}},
					Headers: []routetable.Addition{{Name: "Cookie", Value: "session={t}"}},
				}}, &host{name: "cookie.test", at: "93.184.216.9", adds: []field{{"Cookie", "session=" + token(4)}}})
			},
			framed: []step{{getting(1, "/cookie/x", "cookie", "a=b", "cookie", "session="+own, "cookie", "c=d"), []string{"200"}}},
		},
		{
			name: "a credential in the table of compression", cost: cost + ": it is written once, and a byte brings it again",
			framed: []step{
				{inFrames(1, true, block(asks("GET", "/r/x")...)+"\x40\x0dauthorization\x15"+own), []string{"200"}},
				{inFrames(3, true, block(asks("GET", "/key/x")...)+"\xbe\xbe"), []string{"200"}},
			},
			arrives: []string{"upstream.test: GET /base/x", "key.test: GET /x"},
		},
		{
			name: "an echo over HTTP 2", cost: "the agent would read the token, and could spend it anywhere for as long as it lasts",
			set: func(s *stage) {
				s.upstream("upstream.test").answer = func(r *request) string {
					return head("HTTP/1.1 103 Early Hints", "Link: <https://a.test/"+escaped(token(1))+">") +
						head("HTTP/1.1 200 OK", "Content-Type: text/plain", "X-Echo: "+token(1), "Transfer-Encoding: chunked", "Trailer: X-Echo") +
						inChunks(lines(r.fields), 1) + head("X-Echo: "+token(1))
				}
			},
			framed:  []step{{getting(1, "/r/x", "te", "trailers"), []string{"200"}}},
			arrives: []string{"upstream.test: GET /base/x"},
			shows: func(s *scene, got []answer) {
				if hidden := strings.Repeat("*", len(token(1))); got[0].trailer.Get("X-Echo") != hidden || !strings.Contains(got[0].body, "Bearer "+hidden) {
					s.t.Errorf("what came is %+v", got[0])
				}
			},
		},
	}
}

// bodiesInFrames are of another length than is said of them (RFC 9113 section 8.1.1), or hold a request.
func bodiesInFrames() []attack {
	const cost = "a second request would reach the upstream that no rule has judged, or take the next one's credential along"
	const inner = "GET /base/admin HTTP/1.1\r\nHost: upstream.test\r\n\r\n"
	sent := []string{"upstream.test: POST /base/x"}
	cut := []string{"upstream.test: POST /base/x (cut off)"}
	length := func(name, status, body string, lengths ...string) attack {
		var fields []string
		for _, one := range lengths {
			fields = append(fields, "content-length", one)
		}
		a := attack{name: name + ", over HTTP 2", cost: cost, framed: []step{{posting(1, "/r/x", fields...) + lastData(1, body), []string{status}}}}
		switch status {
		case "400 bad_request": // before anything comes of the body
			a.framed[0].sends = posting(1, "/r/x", fields...)
		case "200":
			a.arrives = sent
			a.finds = func(s *scene, got []*request) { s.mustHave(got, body) }
		}
		return a
	}
	less := length("a body that is shorter than its length", "200", "abc", "5")
	less.framed[0].gets, less.arrives, less.finds = []string{"400 bad_request"}, cut, nil
	more := length("a body that is longer than its length", protocolError, "abc"+inner, "3")
	more.may = cut
	nothing := length("a body where there is to be none", protocolError, inner, "0")
	nothing.framed = []step{{posting(1, "/key/x", "content-length", "0") + lastData(1, inner), []string{protocolError}}}
	nothing.set = func(s *stage) { s.upstream("key.test").deaf = true }
	return []attack{
		less, more, nothing,
		length("two lengths", "400 bad_request", "abc", "3", "5"),
		length("two lengths of which the first is none", "400 bad_request", "abc", "0", "3"),
		length("the same length twice", "200", "abc", "3", "3"),
		length("two lengths in one field", "400 bad_request", "abc", "3, 3"),
		length("a length with a sign", "400 bad_request", "abc", "+3"),
		length("a length in hex", "400 bad_request", "abc", "0x3"),
		length("a length beyond all numbers", "400 bad_request", "abc", "18446744073709551619"),
		length("an empty length", "400 bad_request", "abc", ""),
		asking("a length without a body", cost, "400 bad_request", asks("POST", "/r/x", "content-length", "5")...),
		length("no length", "200", inner+"0\r\n\r\n"+inner),
		length("chunks within a body", "200", "0\r\n\r\n"+inner, len10("0\r\n\r\n"+inner)),
		{
			name: "a GET with a body, over HTTP 2", cost: cost, arrives: []string{"upstream.test: GET /base/x"},
			framed: []step{{headers(1, false, asks("GET", "/r/x")...) + data(1, inner[:9]) + lastData(1, inner[9:]), []string{"200"}}},
			finds:  func(s *scene, got []*request) { s.mustHave(got, inner) },
		},
		{
			name: "a body in padded frames", cost: "what fills a frame up would be taken for a part of the body, or for the next request", arrives: sent,
			framed: []step{{posting(1, "/r/x") + frame(http2.FrameData, http2.FlagDataPadded|http2.FlagDataEndStream, 1, string(rune(len(inner)))+"abc"+inner), []string{"200"}}},
			finds:  func(s *scene, got []*request) { s.mustHave(got, "abc") },
		},
		{
			name: "a body that does not wait for what it expects, over HTTP 2", cost: "what was sent as a body without waiting would be the next request", arrives: sent,
			framed: []step{{posting(1, "/r/x", "expect", "100-continue") + lastData(1, "abc"), []string{"200"}}},
			finds:  func(s *scene, got []*request) { s.mustHave(got, "abc") },
		},
	}
}
