package attacks

import "strings"

// smuggling sends what one server may read as one request and another as two. What is smuggled would go past the sidecar's rules with
// the connection's trust, or be put before the next one's request.
func smuggling() []attack {
	const cost = "a second request would reach the upstream that no rule has judged, or take the next one's credential along"
	const inner = "GET /r/../admin HTTP/1.1\r\nHost: a\r\n\r\n"
	refused := func(name, sends string, status string) attack {
		return attack{name: name, cost: cost, sends: sends, gets: []string{status}, closes: true}
	}
	return []attack{
		{
			name: "a length and chunks, CL.TE", cost: cost,
			sends: head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 6", "Transfer-Encoding: chunked") + "0\r\n\r\n" + get("/r/../y") + get("/r/z"),
			gets:  []string{"200", "400 bad_path", "200"}, arrives: []string{"upstream.test: POST /base/x", "upstream.test: GET /base/z"},
			finds: func(s *scene, got []*request) { s.mustHave(got, "", "") },
		},
		{
			name: "a length and chunks, TE.CL", cost: cost,
			sends: head("POST /r/x HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Content-Length: 4") + hex(inner) + "\r\n" + inner + "\r\n0\r\n\r\n",
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) { s.mustHave(got, inner) },
		},
		refused("a coding that is disguised, xchunked", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 5", "Transfer-Encoding: xchunked")+"0\r\n\r\n", "501"),
		refused("a coding that is disguised, with a vertical tab", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 5", "Transfer-Encoding: \x0bchunked")+"0\r\n\r\n", "400"),
		refused("a coding that is disguised, with a name", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 5", "Transfer-Encoding : chunked")+"0\r\n\r\n", "400"),
		refused("a coding that is disguised, with quotes", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 5", `Transfer-Encoding: "chunked"`)+"0\r\n\r\n", "501"),
		refused("two codings in one field", head("POST /r/x HTTP/1.1", "Host: a", "Transfer-Encoding: chunked, identity")+"0\r\n\r\n", "501"),
		refused("two codings in two fields", head("POST /r/x HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: identity")+"0\r\n\r\n", "501"),
		refused("chunked twice", head("POST /r/x HTTP/1.1", "Host: a", "Transfer-Encoding: chunked, chunked")+"0\r\n\r\n", "501"),
		refused("an identity that is none", head("POST /r/x HTTP/1.1", "Host: a", "Transfer-Encoding: identity", "Content-Length: 3")+"abc", "501"),
		{
			name: "a coding in capitals", cost: cost,
			sends: head("POST /r/x HTTP/1.1", "Host: a", "tRANSFER-eNCODING: CHUNKED") + "1\r\na\r\n0\r\n\r\n",
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) { s.mustHave(got, "a") },
		},
		{
			name: "a coding on a folded line", cost: cost,
			sends: head("POST /r/x HTTP/1.1", "Host: a", "Transfer-Encoding:", " chunked") + "1\r\na\r\n0\r\n\r\n",
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) { s.mustHave(got, "a") },
		},
		{
			name: "a length whose name has an underscore", cost: cost + ": CGI reads it",
			sends: head("POST /r/x HTTP/1.1", "Host: a", "Content_Length: 0", "Content-Length: 3") + "abc",
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) { s.mustHave(got, "abc"); s.mustHaveField(got, "Content_Length") },
		},
		{
			name: "a coding whose name has an underscore", cost: cost + ": CGI reads it",
			sends: head("POST /r/x HTTP/1.1", "Host: a", "Transfer_Encoding: chunked", "Content-Length: 5") + "0\r\n\r\n",
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) {
				s.mustHave(got, "0\r\n\r\n")
				s.mustHaveField(got, "Transfer_Encoding")
			},
		},
		refused("two lengths", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 1", "Content-Length: 2")+"ab", "400"),
		refused("two lengths in one field", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 1, 2")+"ab", "400"),
		refused("the same length twice in one field", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 2, 2")+"ab", "400"),
		{
			name: "the same length in two fields", cost: cost,
			sends: head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 2", "Content-Length: 2") + "ab",
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) { s.mustHave(got, "ab") },
		},
		{
			name: "a length with zeros before it", cost: cost,
			sends: head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 0003") + "abc",
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) { s.mustHave(got, "abc") },
		},
		refused("a length with a sign", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: +3")+"abc", "400"),
		refused("a length below zero", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: -3")+"abc", "400"),
		refused("a length in hex", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 0x3")+"abc", "400"),
		refused("a length with an underscore", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 1_0")+"0123456789", "400"),
		refused("a length beyond all numbers", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 18446744073709551617")+"a", "400"),
		refused("an empty length", head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: ")+"a", "400"),
		{
			name: "a GET with a body", cost: cost,
			sends: get("/r/x", "Content-Length: "+len10(inner)) + inner,
			gets:  []string{"200"}, arrives: []string{"upstream.test: GET /base/x"},
			finds: func(s *scene, got []*request) { s.mustHave(got, inner) },
		},
		{
			name: "a HEAD with a body", cost: cost,
			sends: head("HEAD /r/x HTTP/1.1", "Host: a", "Content-Length: "+len10(inner)) + inner,
			gets:  []string{"200"}, arrives: []string{"upstream.test: HEAD /base/x"},
			finds: func(s *scene, got []*request) { s.mustHave(got, inner) },
		},
		{
			name: "lines that end with LF alone", cost: cost,
			sends: "POST /r/x HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc",
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) { s.mustHave(got, "abc") },
		},
		{
			name: "a header that ends with LF alone within CRLF", cost: cost,
			sends: "GET /r/x HTTP/1.1\r\nHost: a\r\nX-A: a\n\nGET /r/y HTTP/1.1\r\nHost: a\r\n\r\n",
			gets:  []string{"200", "200"}, arrives: []string{"upstream.test: GET /base/x", "upstream.test: GET /base/y"},
		},
		refused("a CR alone", "GET /r/x HTTP/1.1\r\nHost: a\r\nX-A: a\rAuthorization: "+own+"\r\n\r\n", "400"),
		refused("a first field that is folded", "GET /r/x HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n", "400"),
		// Of a shorter one net/http would wait for more, since it could be the beginning of HTTP/2.
		refused("HTTP 0.9", "GET /r/x/y/z\r\n\r\n", "400"),
		refused("a version that there is not", head("GET /r/x HTTP/2.5", "Host: a"), "505"),
		{
			name: "pipelining after a refusal", cost: "what follows would be read from within the refused one, or not be judged",
			sends:   get("/r/../x") + get("/r/y") + get("/nowhere") + get("/key/z"),
			gets:    []string{"400 bad_path", "200", "404 no_route", "200"},
			arrives: []string{"upstream.test: GET /base/y", "key.test: GET /z"},
		},
		{
			name: "pipelining after a refusal with a body", cost: "the refused one's body would be the next request",
			sends: post("/nowhere", get("/r/smuggled")) + get("/r/y"),
			gets:  []string{"404 no_route", "200"}, arrives: []string{"upstream.test: GET /base/y"},
		},
		{
			name: "pipelining after a refusal with chunks", cost: "the refused one's body would be the next request",
			sends: chunked("/nowhere", hex(get("/r/smuggled"))+"\r\n"+get("/r/smuggled")+"\r\n0\r\n\r\n") + get("/r/y"),
			gets:  []string{"404 no_route", "200"}, arrives: []string{"upstream.test: GET /base/y"},
		},
		refused("pipelining after an error of syntax", "GET /r/x HTTP/1.1\r\nHost: a\r\nBad Name: 1\r\n\r\n"+get("/r/y"), "400"),
		{
			name: "a body behind an expectation that is refused", cost: "what was sent as a body without waiting would be the next request",
			sends: head("POST /nowhere HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: "+len10(get("/r/smuggled"))) + get("/r/smuggled"),
			gets:  []string{"404 no_route"}, closes: true,
		},
		refused("an expectation that there is not", get("/r/x", "Expect: 200-ok", "Content-Length: 0"), "417"),
		{
			name: "HTTP 1.0 with chunks", cost: cost,
			sends: head("POST /r/x HTTP/1.0", "Host: a", "Transfer-Encoding: chunked", "Content-Length: 5") + "0\r\n\r\n",
			gets:  []string{"200"}, closes: true, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) {
				if b := got[0].body; b != "" && b != "0\r\n\r\n" {
					s.t.Errorf("the body is %q", b)
				}
			},
		},
		refused("empty lines before a request", "\r\n\r\n"+get("/r/x"), "400"),
		refused("many empty lines before a request", strings.Repeat("\r\n", 4096)+get("/r/x"), "400"),
	}
}
