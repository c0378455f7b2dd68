package attacks

import "credproxy.dev/controller/pkg/routetable"

// credentials brings credentials of the agent's own: who has an account at the upstream would have his own, or another's, used for
// what he does there, and could carry out what he was given to read.
func credentials() []attack {
	const cost = "the agent would use an account of its own at the upstream, and carry out there what it was given to read"
	arrives := []string{"upstream.test: GET /base/x"}
	return []attack{
		{
			name: "two Authorization fields", cost: cost,
			sends: get("/r/x", "Authorization: Bearer "+own, "Authorization: Basic "+own), gets: []string{"200"}, arrives: arrives,
		},
		{
			name: "odd cases of Authorization", cost: cost,
			sends: get("/r/x", "aUTHORIZATION: Bearer "+own, "AUTHORIZATION: "+own, "authorization: "+own), gets: []string{"200"}, arrives: arrives,
		},
		{
			name: "Authorization of another route's kind", cost: cost,
			sends: get("/key/x", "Authorization: Bearer "+own), gets: []string{"200"}, arrives: []string{"key.test: GET /x"},
		},
		{
			name: "two of the route's own header", cost: cost,
			sends: get("/key/x", "X-Service-Key: "+own, "x-service-key: "+own), gets: []string{"200"}, arrives: []string{"key.test: GET /x"},
		},
		{
			name: "underscores for hyphens", cost: cost + ": CGI cannot tell the two",
			sends: get("/key/x", "X_Service_Key: "+own, "X_Service-Key: "+own, "X_API_KEY: "+own), gets: []string{"200"}, arrives: []string{"key.test: GET /x"},
		},
		{
			name: "every header that clients send keys in", cost: cost,
			sends: get("/open/x", "Authorization: Bearer "+own, "X-Api-Key: "+own, "X-Goog-Api-Key: "+own, "Api-Key: "+own, "Proxy-Authorization: Basic "+own),
			gets:  []string{"200"}, arrives: []string{"open.test: GET /x"},
		},
		{
			name: "a header that another route fills", cost: cost,
			sends: get("/r/x", "X-Service-Key: "+own, "x_service_key: "+own), gets: []string{"200"}, arrives: arrives,
		},
		{
			name: "an empty credential", cost: "an upstream that takes the first of two would let the agent in as nobody",
			sends: get("/r/x", "Authorization:", "Authorization: "), gets: []string{"200"}, arrives: arrives,
		},
		{
			name: "a folded credential", cost: cost,
			sends: get("/r/x", "X-A: a", "Authorization:", " Bearer "+own), gets: []string{"200"}, arrives: arrives,
		},
		{
			name: "a field that is folded into a credential", cost: cost + ": a server that ends lines at LF alone would see it",
			sends: get("/r/x", "X-A: a", " Authorization: Bearer folded"), gets: []string{"200"}, arrives: arrives,
			finds: func(s *scene, got []*request) { s.mustHaveField(got, "X-A", "a Authorization: Bearer folded") },
		},
		{
			name: "a space before the colon", cost: cost + ": some servers cut it off",
			sends: get("/r/x", "Authorization : Bearer "+own), gets: []string{"400"}, closes: true,
		},
		{
			name: "a credential in a trailer", cost: cost + ": some servers put trailers among the fields",
			sends: chunked("/r/x", "1\r\na\r\n0\r\nAuthorization: Bearer "+own+"\r\n\r\n", "Trailer: Authorization"),
			gets:  []string{"200"}, arrives: []string{"upstream.test: POST /base/x"},
		},
		{
			name: "the route's parameter", cost: cost,
			sends: get("/query/x?key=" + own + "&a=1&KEY=" + own + "&key[]=" + own), gets: []string{"200"},
			arrives: []string{"query.test: GET /v1/x?key=" + escaped(token(3)) + "&a=1"},
		},
		{
			name: "the route's parameter, encoded", cost: cost,
			sends: get("/query/x?k%65y=" + own + "&%256bey=" + own + "&a=1;%6Bey=" + own + "&k.y=1"), gets: []string{"200"},
			arrives: []string{"query.test: GET /v1/x?key=" + escaped(token(3)) + "&a=1&k.y=1"},
		},
		{
			name: "the route's parameter behind a second question mark", cost: cost,
			sends: get("/query/x??key=" + own + "&?key=" + own + "&+key=" + own + "&key%00=" + own + "&key%3d=" + own), gets: []string{"200"},
			arrives: []string{"query.test: GET /v1/x?key=" + escaped(token(3))},
		},
		{
			name: "the parameter on another route to the same host", cost: cost,
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/same", Upstream: "http://QUERY.test/v2"}, nil)
				s.upstream("query.test").query = ""
			},
			sends: get("/same/x?key=" + own + "&a=1"), gets: []string{"200"},
			arrives: []string{"query.test: GET /v2/x?a=1"},
		},
		{
			name: "passing its own beside the route's", cost: "with passCredentials, which of the two counts would be anybody's guess",
			set: func(s *stage) {
				s.route("/key").PassCredentials = true
				s.upstream("key.test").passes = []string{"Authorization"}
			},
			sends: get("/key/x", "Authorization: Bearer "+own, "X-Service-Key: "+own, "x_service_key: "+own, "Proxy-Authorization: Basic "+own, "Proxy_Authorization: Basic "+own),
			gets:  []string{"200"}, arrives: []string{"key.test: GET /x"},
			finds: func(s *scene, got []*request) { s.mustHaveField(got, "Authorization", "Bearer "+own) },
		},
		{
			name: "a cookie where the route adds one", cost: cost,
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/cookie", Upstream: "http://cookie.test", Auth: &routetable.Auth{
					Scheme: "Custom", Tokens: map[string]routetable.TokenPlace{"t": {TokenFile: slot(4)}},
					Headers: []routetable.Addition{{Name: "Cookie", Value: "session={t}"}},
				}}, &host{name: "cookie.test", at: "93.184.216.9", adds: []field{{"Cookie", "session=" + token(4)}}})
			},
			sends: get("/cookie/x", "Cookie: session="+own, "cookie: a=b"), gets: []string{"200"}, arrives: []string{"cookie.test: GET /x"},
		},
		{
			name: "a token that is missing", cost: "a request would go out without a credential, or with what was there before it",
			set: func(s *stage) {
				s.route("/key").Auth.TokenFile, s.route("/key").Auth.TokenEnv = "", slot(2)
			},
			sends: get("/key/x", "X-Service-Key: "+own), gets: []string{"503 no_token"},
		},
		{
			name: "a token that was revoked", cost: "what the operator took away would still be spent",
			set:   func(s *stage) { s.route("/key").Auth, s.route("/key").Withheld = nil, routetable.WithheldRevoked },
			sends: get("/key/x", "X-Service-Key: "+own), gets: []string{"503 no_token"},
		},
		{
			name: "user information in the target", cost: cost,
			sends: get("/r/x@" + "user:pass@upstream.test/y"), gets: []string{"200"}, arrives: []string{"upstream.test: GET /base/x@user:pass@upstream.test/y"},
		},
	}
}
