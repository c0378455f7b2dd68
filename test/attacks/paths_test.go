package attacks

import "credproxy.dev/controller/pkg/routetable"

// paths tries to lead a route's credential to where the route does not go: above its upstream's path, or past its rules.
func paths() []attack {
	const cost = "the route's credential would be spent on a path of the upstream that the route does not reach"
	var all []attack
	for _, p := range []struct{ name, path string }{
		{"dot segments", "/r/../admin"},
		{"dot segments at the end", "/r/a/.."},
		{"a single dot", "/r/./a"},
		{"dots of which one is encoded", "/r/.%2e/admin"},
		{"encoded dots", "/r/%2e%2E/admin"},
		{"an encoded slash behind dots", "/r/..%2fadmin"},
		{"an encoded slash before dots", "/r/a%2f../admin"},
		{"everything encoded", "/r/%2e%2e%2fadmin"},
		{"dots that are encoded twice", "/r/%252e%252e/admin"},
		{"a slash that is encoded twice", "/r/..%252fadmin"},
		{"dots that are encoded four times", "/r/%2525252e%2525252e/admin"},
		{"an encoding without end", "/r/%25252525252525252525252525252e"},
		{"dots with a parameter", "/r/..;a=b/admin"},
		{"dots with an encoded parameter", "/r/..%3ba/admin"},
		{"dots with an encoded query", "/r/..%3f/admin"},
		{"dots with an encoded fragment", "/r/..%23/admin"},
		{"dots with an encoded space", "/r/..%20/admin"},
		{"a backslash", `/r/..\admin`},
		{"an encoded backslash", "/r/..%5cadmin"},
		{"a backslash that is encoded twice", "/r/a%255c..%255cadmin"},
		{"overlong dots", "/r/%c0%ae%c0%ae/admin"},
		{"an overlong slash", "/r/..%c0%afadmin"},
		{"dots of another width", "/r/%ef%bc%8e%ef%bc%8e/admin"},
		{"a slash of another width", "/r/..%ef%bc%8fadmin"},
		{"a backslash of another width", "/r/..%ef%bc%bcadmin"},
		{"two dots in one character", "/r/%e2%80%a5/admin"},
		{"a slash that stands for division", "/r/..%e2%88%95admin"},
		{"half a character", "/r/%ff"},
		{"two slashes behind the route", "/r//evil.test/x"},
		{"an encoded slash behind the route", "/r/%2fevil.test/x"},
		{"a slash that is encoded twice behind the route", "/r/%252fevil.test/x"},
		{"another route behind dots", "/r/../key/x"},
		{"another route behind encoded dots", "/r/%2e%2e/key/x"},
	} {
		all = append(all, attack{name: p.name, cost: cost, sends: get(p.path), gets: []string{"400 bad_path"}})
	}
	for _, p := range []struct{ name, path string }{
		{"two slashes before the route", "//r/x"},
		{"two slashes and a host before the route", "//evil.test/r/x"},
		{"a path that only begins like a route", "/rx/y"},
		{"a parameter in the route", "/r;x/y"},
		{"another case", "/R/x"},
		{"an encoded slash in the route's own path", "/%2fr/x"},
		{"an encoded NUL in the route's own path", "/r%2500/x"},
	} {
		all = append(all, attack{name: p.name, cost: "a request would be served by a route that it does not name, with that one's credential", sends: get(p.path), gets: []string{"404 no_route"}})
	}
	all[len(all)-1].gets = []string{"400 bad_path"}
	for _, p := range []struct{ name, path, arrives string }{
		{"a scoped package, which must work", "/r/@scope%2fname", "/base/@scope%2fname"},
		{"a scoped package in capitals, which must work", "/r/@scope%2Fname/-/name-1.0.0.tgz", "/base/@scope%2Fname/-/name-1.0.0.tgz"},
		{"a route that is written with percent signs", "/%72/x", "/base/x"},
		{"dots within names, which must work", "/r/a..b/...c/compare/main...dev", "/base/a..b/...c/compare/main...dev"},
		{"other writing than Latin, which must work", "/r/%e3%83%95%e3%82%a1%e3%82%a4%e3%83%ab%ef%bc%8e%74%78%74", "/base/%e3%83%95%e3%82%a1%e3%82%a4%e3%83%ab%ef%bc%8e%74%78%74"},
	} {
		all = append(all, attack{
			name: p.name, cost: "what is judged would not be what arrives, or agents could not do their work",
			sends: get(p.path), gets: []string{"200"}, arrives: []string{"upstream.test: GET " + p.arrives},
		})
	}
	return append(all, policies()...)
}

// policies goes around a route's rules.
func policies() []attack {
	const cost = "what the route's owner has forbidden would be done with the owner's credential"
	some := func(s *stage) {
		s.route("/key").Methods = []string{"GET"}
		s.route("/key").Paths = &routetable.Paths{Allow: []string{"/v1/**"}, Deny: []string{"/v1/admin/**"}}
	}
	var all []attack
	for _, p := range []struct{ name, sends, gets string }{
		{"a method that is not permitted", head("DELETE /key/v1/x HTTP/1.1", "Host: a"), "403 denied"},
		{"a method in small letters", head("get /key/v1/x HTTP/1.1", "Host: a"), "403 denied"},
		{"a method of its own", head("PROPFIND /key/v1/x HTTP/1.1", "Host: a"), "403 denied"},
		{"a method in the query", get("/key/v1/x?a=1&_method=DELETE"), "403 denied"},
		{"a method in the query, encoded", get("/key/v1/x?%5fmethod=DELETE"), "403 denied"},
		{"a method in the query, as PHP reads it", get("/key/v1/x?a;+.method=DELETE"), "403 denied"},
		{"a path that is not permitted", get("/key/v2/x"), "403 denied"},
		{"a path that is denied", get("/key/v1/admin/x"), "403 denied"},
		{"a path that is denied, in capitals", get("/key/v1/ADMIN/x"), "403 denied"},
		{"a path that is denied, encoded", get("/key/v1/%61dmin/x"), "403 denied"},
		{"a path that is denied, encoded twice", get("/key/v1/%2561dmin/x"), "403 denied"},
		{"a path that is denied, with an encoded slash", get("/key/v1%2fadmin/x"), "403 denied"},
		{"a path that is denied, behind two slashes", get("/key/v1//admin/x"), "400 bad_path"},
		{"a path that is denied, with a parameter", get("/key/v1;a/admin/x"), "400 bad_path"},
		{"a path that is denied, before an encoded query", get("/key/v1/admin%3f/x"), "400 bad_path"},
		{"a path that is denied, with a space", get("/key/v1/admin%20/x"), "400 bad_path"},
	} {
		all = append(all, attack{name: p.name, cost: cost, set: some, sends: p.sends, gets: []string{p.gets}})
	}
	return append(all,
		attack{
			name: "methods in fields", cost: cost, set: some,
			sends: get("/key/v1/x", "X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE", "X_HTTP_Method: DELETE"),
			gets:  []string{"200"}, arrives: []string{"key.test: GET /v1/x"},
			finds: func(s *scene, got []*request) {
				for _, name := range []string{"X-Http-Method-Override", "X-Method-Override", "X_http_method"} {
					s.mustHaveField(got, name)
				}
			},
		},
		attack{
			name: "another path in fields", cost: "a server that takes the path from there would serve one that the route does not reach",
			sends: get("/key/x", "X-Original-URL: /admin", "X-Rewrite-URL: /admin", "x_original_url: /admin", "X-Original-URI: /admin"),
			gets:  []string{"200"}, arrives: []string{"key.test: GET /x"},
			finds: func(s *scene, got []*request) {
				for _, r := range got {
					for _, f := range r.fields {
						if f.value == "/admin" {
							s.t.Errorf("%s has the field %s", r, f.name)
						}
					}
				}
			},
		},
		attack{
			name: "a push to another repository", cost: "code would go where the route's owner does not want it",
			set:   func(s *stage) { s.route("/key").Git = &routetable.Git{Fetch: true, Push: []string{"org/repo"}} },
			sends: post("/key/org/other.git/git-receive-pack", "0000"), gets: []string{"403 denied"},
		},
		attack{
			name: "a push that asks for another service", cost: "code would go where the route's owner does not want it",
			set:   func(s *stage) { s.route("/key").Git = &routetable.Git{Fetch: true} },
			sends: get("/key/org/repo/info/refs?service=git-receive-pack") + get("/key/org/repo/info/refs?service=git-upload-pack&service=git-receive-pack"),
			gets:  []string{"403 denied", "403 denied"},
		},
	)
}
