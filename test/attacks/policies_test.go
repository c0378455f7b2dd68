package attacks

import "credproxy.dev/controller/pkg/routetable"

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
	for _, p := range []struct{ name, path string }{
		{"the only path that is denied, with an encoded slash", "/key/admin%2fx"},
		{"the only path that is denied, with a slash that is encoded twice", "/key/admin%252fx"},
		{"the only path that is denied, encoded twice", "/key/%2561dmin/x"},
		{"the only path that is denied, in capitals that are encoded", "/key/%41DMIN/x"},
	} {
		all = append(all, attack{
			name: p.name, cost: cost, set: func(s *stage) { s.route("/key").Paths = &routetable.Paths{Deny: []string{"/admin/**"}} },
			sends: get(p.path), gets: []string{"403 denied"},
		})
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
