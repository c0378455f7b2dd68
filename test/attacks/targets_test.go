package attacks

// targets claims another server than the route's.
func targets() []attack {
	const cost = "the route's credential would go to a server of the agent's choice"
	arrives := []string{"upstream.test: GET /base/x"}
	refused := func(name, sends, status string) attack {
		return attack{name: name, cost: cost, sends: sends, gets: []string{status}}
	}
	closes := func(name, sends, status string) attack {
		return attack{name: name, cost: cost, sends: sends, gets: []string{status}, closes: true}
	}
	return []attack{
		{name: "a Host of its own", cost: cost, sends: head("GET /r/x HTTP/1.1", "Host: evil.test"), gets: []string{"200"}, arrives: arrives},
		{name: "a Host of another route's", cost: cost, sends: head("GET /r/x HTTP/1.1", "Host: key.test"), gets: []string{"200"}, arrives: arrives},
		{name: "an empty Host", cost: cost, sends: head("GET /r/x HTTP/1.1", "Host:"), gets: []string{"200"}, arrives: arrives},
		closes("a Host with user information", head("GET /r/x HTTP/1.1", "Host: upstream.test:80@evil.test"), "400"),
		closes("a Host with a path", head("GET /r/x HTTP/1.1", "Host: evil.test/x y"), "400"),
		closes("two Hosts", head("GET /r/x HTTP/1.1", "Host: a", "Host: evil.test"), "400"),
		closes("no Host", head("GET /r/x HTTP/1.1"), "400"),
		closes("a Host on a folded line", head("GET /r/x HTTP/1.1", "Host: a", " evil.test"), "400"),
		{
			name: "no Host in HTTP 1.0", cost: cost, sends: head("GET /r/x HTTP/1.0"), gets: []string{"200"}, closes: true, arrives: arrives,
		},
		{
			name: "hosts in other fields", cost: "an upstream with several sites would serve another one with the route's credential",
			sends: get("/r/x", "X-Forwarded-Host: evil.test", "X-Host: evil.test", "X-Original-Host: evil.test", "X-HTTP-Host-Override: evil.test", "Forwarded: host=evil.test"),
			gets:  []string{"200"}, arrives: arrives,
			finds: func(s *scene, got []*request) {
				for _, r := range got {
					for _, f := range r.fields {
						if f.value == "evil.test" {
							s.t.Errorf("%s has the field %s", r, f.name)
						}
					}
				}
			},
		},
		refused("the absolute form", head("GET http://evil.test/r/x HTTP/1.1", "Host: a"), "400 bad_path"),
		refused("the absolute form of the upstream itself", head("GET http://upstream.test/r/x HTTP/1.1", "Host: upstream.test"), "400 bad_path"),
		refused("the absolute form with TLS", head("GET https://evil.test/r/x HTTP/1.1", "Host: a"), "400 bad_path"),
		refused("the absolute form of a file", head("GET file:///r/x HTTP/1.1", "Host: a"), "400 bad_path"),
		refused("the absolute form with a path for a scheme", head("GET r:/r/x HTTP/1.1", "Host: a"), "400 bad_path"),
		refused("a target that is opaque", head("GET mailto:a@b HTTP/1.1", "Host: a"), "400 bad_path"),
		closes("a target without a slash", head("GET r/x HTTP/1.1", "Host: a"), "400"),
		closes("a target that is a query", head("GET ?/r/x HTTP/1.1", "Host: a"), "400"),
		refused("a target with a fragment", head("GET /r/..#/x HTTP/1.1", "Host: a"), "400 bad_path"),
		refused("CONNECT to an authority", head("CONNECT evil.test:443 HTTP/1.1", "Host: evil.test:443"), "403 denied"),
		refused("CONNECT to the upstream", head("CONNECT upstream.test:80 HTTP/1.1", "Host: upstream.test:80"), "403 denied"),
		refused("CONNECT to a route", head("CONNECT /r/x HTTP/1.1", "Host: a"), "403 denied"),
		{
			name: "TRACE", cost: "the upstream would send the route's credential back with the rest of the request",
			sends: head("TRACE /r/x HTTP/1.1", "Host: a", "Max-Forwards: 10"), gets: []string{"403 denied"},
		},
		{
			name: "TRACK", cost: "a server that knows TRACE by that name would send the credential back",
			set: func(s *stage) {
				s.upstream("upstream.test").answer = func(r *request) string { return echoed("message/http", r) }
			},
			sends: head("TRACK /r/x HTTP/1.1", "Host: a"), gets: []string{"200"}, arrives: []string{"upstream.test: TRACK /base/x"},
		},
		refused("OPTIONS of the server", head("OPTIONS * HTTP/1.1", "Host: a"), "400 bad_path"),
		refused("a star for another method", head("GET * HTTP/1.1", "Host: a"), "400 bad_path"),
		{
			name: "OPTIONS of a route", cost: "the agent could not ask what the upstream permits",
			sends: head("OPTIONS /r/x HTTP/1.1", "Host: a", "Max-Forwards: 0"), gets: []string{"200"}, arrives: []string{"upstream.test: OPTIONS /base/x"},
		},
	}
}
