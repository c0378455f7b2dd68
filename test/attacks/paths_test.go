package attacks

import (
	"strings"

	"credproxy.dev/controller/pkg/routetable"
)

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
	all = append(all, attack{
		name: "a path that several routes have", cost: "a request for one upstream would go to another, with that one's credential",
		set: func(s *stage) {
			s.add(routetable.Route{Path: "/r/inner", Upstream: "http://inner.test"}, &host{name: "inner.test", at: "93.184.216.60"})
			s.add(routetable.Route{Path: "/r/inner/most", Upstream: "http://key.test", Auth: auth("Header", 2)}, nil)
		},
		sends: get("/r/inner/x") + get("/r/inner/most/x") + get("/r/inne%72/y") + get("/r/inner%2fmost/x") + get("/r/innermost"), gets: times(5, "200"),
		arrives: []string{"inner.test: GET /x", "key.test: GET /x", "inner.test: GET /y", "upstream.test: GET /base/inner%2fmost/x", "upstream.test: GET /base/innermost"},
	})
	for _, p := range []string{"//evil.test/x", "/%2fevil.test/x", "/%252fevil.test/x", "/a/../../x"} {
		all = append(all, attack{
			name: "of a route to everything, " + strings.ReplaceAll(p, "/", "|"), cost: cost,
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/", Upstream: "http://key.test", Auth: auth("Header", 2)}, nil)
			},
			sends: get(p), gets: []string{"400 bad_path"},
		})
	}
	return all
}
