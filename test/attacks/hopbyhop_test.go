package attacks

// hopByHop abuses that a proxy takes out what Connection names (RFC 9110 section 7.6.1), and what else ends at the next hop.
func hopByHop() []attack {
	return []attack{
		{
			name:  "Connection names Authorization",
			cost:  "the route's credential would be taken out again, and the agent's own go in its place",
			sends: get("/r/x", "Connection: Authorization", "Authorization: Bearer "+own),
			gets:  []string{"200"}, arrives: []string{"upstream.test: GET /base/x"},
		},
		{
			name:  "Connection names the route's own header",
			cost:  "the request would go without the route's key, and an upstream that takes some without would serve it as anybody's",
			sends: get("/key/x", "Connection: x-service-key", "X-Service-Key: "+own),
			gets:  []string{"200"}, arrives: []string{"key.test: GET /x"},
		},
		{
			name:  "Connection names Host",
			cost:  "an upstream with several sites would serve another one with the route's credential",
			sends: get("/r/x", "Connection: Host"),
			gets:  []string{"200"}, arrives: []string{"upstream.test: GET /base/x"},
		},
		{
			name:  "Connection names Content-Length",
			cost:  "a body without its length would be the next request on the upstream's connection, with the next one's credential behind it",
			sends: post("/r/x", "GET /base/admin HTTP/1.1\r\nHost: upstream.test\r\n\r\n", "Connection: Content-Length"),
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) {
				s.mustHave(got, "GET /base/admin HTTP/1.1\r\nHost: upstream.test\r\n\r\n")
			},
		},
		{
			name:  "Connection names Transfer-Encoding",
			cost:  "chunks without their coding would be the next request on the upstream's connection",
			sends: chunked("/r/x", "5\r\nabcde\r\n0\r\n\r\n", "Connection: Transfer-Encoding"),
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) { s.mustHave(got, "abcde") },
		},
		{
			name:  "Connection names Accept-Encoding",
			cost:  "an upstream that compresses without being asked would send a token in a form that is not searched",
			sends: get("/r/x", "Accept-Encoding: gzip", "Connection: Accept-Encoding"),
			gets:  []string{"200"}, arrives: []string{"upstream.test: GET /base/x"},
			finds: func(s *scene, got []*request) { s.mustHaveField(got, "Accept-Encoding", "identity") },
		},
		{
			name:  "Connection names close and a credential",
			cost:  "the first name alone would be looked at, and the second one's field taken out behind the sidecar",
			sends: get("/r/x", "Connection: close, Authorization"),
			gets:  []string{"200"}, closes: true, arrives: []string{"upstream.test: GET /base/x"},
		},
		{
			name:  "fields that end at the next hop",
			cost:  "the upstream would take the agent's word for how the connection between sidecar and upstream goes on",
			sends: get("/r/x", "Keep-Alive: timeout=600", "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic "+own, "TE: trailers, deflate;q=0.5", "X-Hop: 1", "Connection: X-Hop, TE"),
			gets:  []string{"200"}, arrives: []string{"upstream.test: GET /base/x"},
			finds: func(s *scene, got []*request) { s.mustHaveField(got, "X-Hop") },
		},
		{
			name: "claims of who was there before",
			cost: "an upstream that trusts its proxies would take the agent for somebody else, at an address of its choice",
			sends: get("/r/x", "Forwarded: for=10.0.0.1;host=admin", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: admin", "X-Forwarded-Proto: https", "X_Forwarded_For: 127.0.0.1", "x-forwarded-user: root",
				"X-Real-IP: 127.0.0.1", "Client-IP: 127.0.0.1", "X-Client-IP: 127.0.0.1", "True-Client-IP: 127.0.0.1", "X-Cluster-Client-IP: 127.0.0.1", "CF-Connecting-IP: 127.0.0.1"),
			gets: []string{"200"}, arrives: []string{"upstream.test: GET /base/x"},
		},
		{
			name:  "the sidecar's own fields",
			cost:  "an upstream that sits behind another sidecar would be told its errors and keys by the agent",
			sends: get("/r/x", "Cred-Proxy-Error: no_token", "Cred-Proxy-Key: "+own, "cred_proxy_trace: true"),
			gets:  []string{"200"}, arrives: []string{"upstream.test: GET /base/x"},
		},
		{
			name:  "Connection names the sidecar's identity encoding for gRPC",
			cost:  "messages would come compressed, with a token in a form that is not searched",
			sends: post("/r/x", "", "Content-Type: application/grpc", "TE: trailers", "Grpc-Accept-Encoding: gzip", "Connection: Te, Grpc-Accept-Encoding"),
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
			finds: func(s *scene, got []*request) {
				for _, r := range got {
					for _, v := range r.values("Grpc-Accept-Encoding") {
						if v != "identity" {
							s.t.Errorf("%s asks for %s", r, v)
						}
					}
				}
			},
		},
		{
			name: "an upstream's hop-by-hop fields",
			cost: "an upstream would end or hold the agent's connection, and have fields of its choice taken out by a proxy before the agent",
			set: func(s *stage) {
				s.upstream("upstream.test").answer = func(*request) string {
					return "HTTP/1.1 200 OK\r\nConnection: X-Hop, Content-Length\r\nX-Hop: 1\r\nKeep-Alive: timeout=1\r\nProxy-Authenticate: Basic\r\nContent-Length: 3\r\n\r\nok\n"
				}
			},
			sends: get("/r/x"), gets: []string{"200"}, arrives: []string{"upstream.test: GET /base/x"},
			shows: func(s *scene, got []answer) {
				for _, name := range []string{"Connection", "X-Hop", "Keep-Alive", "Proxy-Authenticate"} {
					if v := got[0].header.Get(name); v != "" {
						s.t.Errorf("%s: %s came by", name, v)
					}
				}
			},
		},
	}
}
