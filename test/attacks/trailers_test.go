package attacks

import "strings"

// trailers come when the fields have been judged.
func trailers() []attack {
	const cost = "a server that puts trailers among the fields would see a credential, or a framing, that nobody has judged"
	sends := func(name string, trailer ...string) attack {
		return attack{
			name: name, cost: cost, sends: chunked("/r/x", "1\r\na\r\n0\r\n"+head(trailer...)),
			gets: []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
		}
	}
	announced := func(name, announces, trailer string) attack {
		a := sends(name)
		a.sends = chunked("/r/x", "1\r\na\r\n0\r\n"+head(trailer), "Trailer: "+announces)
		return a
	}
	answers := func(name, cost, trailer string) attack {
		return attack{
			name: name, cost: cost,
			set: func(s *stage) {
				s.upstream("upstream.test").answer = func(*request) string {
					return head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: X-Announced, Cred-Proxy-Error") + "3\r\nok\n\r\n0\r\n" + head(trailer)
				}
			},
			sends: get("/r/x", "TE: trailers"), gets: []string{"200"}, arrives: []string{"upstream.test: GET /base/x"},
			shows: func(s *scene, got []answer) {
				for name := range got[0].trailer {
					if strings.HasPrefix(strings.ToLower(name), "cred-proxy-") && len(got[0].trailer[name]) > 0 {
						s.t.Errorf("the trailer %s came by", name)
					}
				}
			},
		}
	}
	const pretends = "an agent would take an upstream's word for the sidecar's"
	return []attack{
		sends("a credential in a trailer that was not announced", "Authorization: Bearer "+own),
		sends("a length in a trailer", "Content-Length: 100"),
		sends("a coding in a trailer", "Transfer-Encoding: chunked"),
		sends("a host in a trailer", "Host: evil.test"),
		announced("a credential in a trailer that was announced", "Authorization, X-Service-Key", "Authorization: Bearer "+own),
		announced("a credential among trailers that pass", "X-Checksum, X_API_Key, Content-Digest", "X-Checksum: 1\r\nX_API_Key: "+own+"\r\nContent-Digest: a"),
		announced("a cookie in a trailer that was announced", "Cookie", "Cookie: session="+own),
		announced("a path for some servers in a trailer", "X-Original-URL", "X-Original-URL: /admin"),
		{
			name: "a length that is announced for a trailer", cost: cost, sends: chunked("/r/x", "0\r\n\r\n", "Trailer: Content-Length"),
			gets: []string{"400"}, closes: true,
		},
		{
			name: "trailers without end", cost: "a sidecar would hold as many as an agent sends",
			sends: chunked("/r/x", "0\r\n"+strings.Repeat("X-A: a\r\n", 10000)+"\r\n"),
			gets:  []string{"400 bad_request"}, closes: true, arrives: []string{"upstream.test: POST /base/x (cut off)"},
		},
		answers("an upstream's trailer of the sidecar's own", pretends, "Cred-Proxy-Error: no_token"),
		answers("an upstream's trailer of the sidecar's own, not announced", pretends, "Cred-Proxy-Stage: dns"),
	}
}
