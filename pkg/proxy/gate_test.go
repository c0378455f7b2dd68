package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

// gated is the route /r with a policy.
func gated(upstream string, change func(*routetable.Route)) routetable.Route {
	r := routeTo(upstream)
	change(&r)
	return r
}

func onlyPaths(allow, deny []string) func(*routetable.Route) {
	return func(r *routetable.Route) { r.Paths = &routetable.Paths{Allow: allow, Deny: deny} }
}

func TestOnlyTheMethodsOfARoutePass(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, gated(upstream.URL, func(r *routetable.Route) { r.Methods = []string{"GET", "POST"} }))
	for request, passes := range map[string]bool{
		"GET /r/x":                             true,
		"POST /r/x":                            true,
		"GET /r/x?method=DELETE&a_method=b":    true,
		"OPTIONS /r/x":                         false,
		"DELETE /r/x":                          false,
		"get /r/x":                             false,
		"GETT /r/x":                            false,
		"POST /r/x?_method=DELETE":             false,
		"POST /r/x?a=b&%5fMethod=DELETE":       false,
		"POST /r/x?a=b;_method=DELETE":         false,
		"POST /r/x?+.method=DELETE":            false,
		"POST /r/x?_method":                    false,
		"POST /r/x?%zz&_method=DELETE":         false,
		"POST /r/x?redirect=%26_method=DELETE": true,
	} {
		t.Run(request, func(t *testing.T) {
			before := len(upstream.all())
			res, body := raw(t, proxy.addr, lines("\n"+request+" HTTP/1.1\nHost: a\nContent-Length: 0\nConnection: close\n\n"))
			if passed := len(upstream.all()) > before; passed != passes || passed != (res.StatusCode == http.StatusOK) {
				t.Fatalf("passed: %v, want %v; %d %s", passed, passes, res.StatusCode, body)
			}
			if !passes {
				wantRefusal(t, res, body, http.StatusForbidden, "denied")
			}
		})
	}
	if _, body := get(t, proxy.url("/r/x?_method=PUT")); !strings.Contains(body, "leave it out") {
		t.Errorf("nobody learns what to do from %s", body)
	}
}

func TestAMethodIsNotOverriddenOnARouteWithAPolicy(t *testing.T) {
	const overrides = "X-HTTP-Method-Override: DELETE\nX-Method-Override: DELETE\nX-HTTP-Method: DELETE\nx_http_method_override: DELETE\nX-Other: a\n"
	for name, tt := range map[string]struct {
		change func(*routetable.Route)
		want   int
	}{
		"with methods":  {func(r *routetable.Route) { r.Methods = []string{"POST"} }, 1},
		"with paths":    {onlyPaths([]string{"/**"}, nil), 1},
		"with no rules": {func(*routetable.Route) {}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			upstream := newRecorder(t)
			proxy := serve(t, gated(upstream.URL, tt.change))
			raw(t, proxy.addr, lines("\nPOST /r/x HTTP/1.1\nHost: a\nContent-Length: 0\n"+overrides+"\n"))
			got := 0
			for name := range upstream.only(t).Header {
				if strings.HasPrefix(strings.ToLower(name), "x") {
					got++
				}
			}
			if got != tt.want {
				t.Errorf("%d of the fields arrived, want %d: %v", got, tt.want, upstream.only(t).Header)
			}
		})
	}
}

func TestPathsOfARoute(t *testing.T) {
	type paths = []string
	tests := map[string]struct {
		allow, deny paths
		yes, not    paths
	}{
		"one path": {paths{"/v1/messages"}, nil, paths{"/v1/messages", "/v1/messages/", "/v1/%6dessages"},
			paths{"", "/", "/v1", "/v1/messages/x", "/v1/messagesx", "/V1/messages", "/v1/messages%2f", "/v1%2fmessages"}},
		"the route itself": {paths{"/"}, nil, paths{"", "/"}, paths{"/x"}},
		"everything below": {paths{"/v1/**"}, nil, paths{"/v1", "/v1/", "/v1/a/b", "/v1/a%2fb", "/v1/100%25", "/v1/a%20b"}, paths{"/v2", "/v1x"}},
		"one segment":      {paths{"/repos/*/issues"}, nil, paths{"/repos/a/issues", "/repos/%C3%BC/issues"}, paths{"/repos/issues", "/repos/a/b/issues", "/repos/a%2fb/issues", "/repos/a%2fissues", "/repos/a%252fb/issues"}},
		"part of a name":   {paths{"/v*/x-*"}, nil, paths{"/v1/x-y", "/v/x-"}, paths{"/1/x-y", "/v1/x"}},
		"a scope of npm": {paths{"/@acme%2f*", "/@acme/*/-/*"}, nil,
			paths{"/@acme%2fname", "/@acme%2Fname", "/@acme/name", "/@acme/name/-/name-1.0.0.tgz"},
			paths{"/@other%2fname", "/@acme%2fa%2fb", "/@acme%252fname%252fx", "/@acme", "/@acmee%2fname"}},
		"an encoded slash between": {paths{"/projects/acme%2fweb/**"}, nil,
			paths{"/projects/acme%2fweb/issues", "/projects/acme/web"}, paths{"/projects/acme%2fother/issues", "/projects/acme%2fweb%2fx"}},
		"deny alone": {nil, paths{"/admin/**", "/*/keys"},
			paths{"/", "/x", "/adminx", "/a/b/keys"},
			paths{"/admin", "/admin/", "/admin/x", "/ADMIN/x", "/%61dmin/x", "/%2561dmin/x", "/admin%2fx", "/admin%252fx", "/x/keys", "/x/Keys/", "/x%2fkeys", "/a%2fb/keys"}},
		"deny wins": {paths{"/v1/**"}, paths{"/v1/admin/**"}, paths{"/v1/x"}, paths{"/v1/admin", "/v1/admin/x", "/v2"}},
		"a denied name in a scope": {nil, paths{"/@acme%2fsecret/**"}, paths{"/@acme%2fother", "/@acme/other"},
			paths{"/@acme%2fsecret", "/@acme/secret", "/@acme/secret/-/x.tgz", "/@ACME%2fSecret"}},
		"what servers differ in": {paths{"/**"}, nil, nil,
			paths{"/a//b", "/a%2f/b", "/a%252f%252fb", "/a;x/b", "/a%3bx", "/a%253bx", "/a%3fx", "/a%23x", "/a%20/b", "/a%20"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			upstream := newRecorder(t)
			proxy := serve(t, gated(upstream.URL, onlyPaths(tt.allow, tt.deny)))
			for _, path := range tt.yes {
				if res, body := raw(t, proxy.addr, "GET /r"+path+" HTTP/1.1\r\nHost: a\r\n\r\n"); res.StatusCode != http.StatusOK {
					t.Errorf("%s does not pass: %s", path, body)
				}
			}
			if got := len(upstream.all()); got != len(tt.yes) {
				t.Fatalf("%d requests arrived of %d", got, len(tt.yes))
			}
			for _, path := range tt.not {
				res, body := raw(t, proxy.addr, "GET /r"+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
				if code := res.Header.Get(routetable.FieldError); code != "denied" && code != "bad_path" {
					t.Errorf("%s passes, or is refused for another reason: %d %s", path, res.StatusCode, body)
				}
			}
			if got := len(upstream.all()); got != len(tt.yes) {
				t.Errorf("%d requests arrived that should not", got-len(tt.yes))
			}
		})
	}
}

func TestAPathArrivesAsItWasWritten(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, gated(upstream.URL, onlyPaths([]string{"/@acme%2f*"}, nil)))
	raw(t, proxy.addr, "GET /r/@acme%2fname HTTP/1.1\r\nHost: a\r\n\r\n")
	if got := upstream.only(t).Target; got != "/@acme%2fname" {
		t.Errorf("%s arrived", got)
	}
}

func TestARefusalSaysWhatPassesInstead(t *testing.T) {
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprintf("/p%d", i))
	}
	for name, tt := range map[string]struct {
		change func(*routetable.Route)
		want   string
	}{
		"a method":      {func(r *routetable.Route) { r.Methods = []string{"POST", "PUT"} }, "route /r does not permit GET; it permits POST, PUT"},
		"a path":        {onlyPaths([]string{"/v1/**", "/v2"}, nil), "route /r does not permit this path; behind /r it permits /v1/**, /v2"},
		"a denied path": {onlyPaths(nil, []string{"/b", "/X/**"}), "route /r does not permit this path: it denies /X/**"},
		"of many paths": {onlyPaths(many, nil), "/p8, /p9 and more"},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := serve(t, gated("http://127.0.0.1:1", tt.change))
			res, body := get(t, proxy.url("/r/x"))
			wantRefusal(t, res, body, http.StatusForbidden, "denied")
			if !strings.Contains(body, tt.want) {
				t.Errorf("%s does not say %q", body, tt.want)
			}
		})
	}
}

func TestWarnLetsPassAndSaysSo(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*routetable.Route)
		path   string
		want   string
	}{
		"a method":            {func(r *routetable.Route) { r.Methods = []string{"POST"} }, "/r/x", `"warning":"denied"`},
		"a path":              {onlyPaths([]string{"/y"}, nil), "/r/x", `"warning":"denied"`},
		"a path in two ways":  {onlyPaths([]string{"/**"}, nil), "/r/x//y", `"warning":"bad_path"`},
		"what is no git":      {func(r *routetable.Route) { r.Git = &routetable.Git{Fetch: true} }, "/r/x", `"warning":"denied"`},
		"what passes anyhow":  {onlyPaths([]string{"/x"}, nil), "/r/x", ""},
		"what never passes":   {onlyPaths([]string{"/x"}, nil), "/r/../x", ""},
		"an upstream's error": {onlyPaths([]string{"/y"}, nil), "/r/x?fail", `"error":"upstream_unreachable","warning":"denied"`},
	} {
		t.Run(name, func(t *testing.T) {
			upstream := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery != "" {
					panic(http.ErrAbortHandler)
				}
			})
			proxy := serve(t, gated(upstream, func(r *routetable.Route) { tt.change(r); r.Mode = routetable.ModeWarn }))
			res, body := raw(t, proxy.addr, "GET "+tt.path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			if res.StatusCode == http.StatusForbidden {
				t.Errorf("it is refused: %s", body)
			}
			eventually(t, "the request is logged", func() bool { return strings.Contains(proxy.log.String(), `"msg":"request"`) })
			if log := proxy.log.String(); !strings.Contains(log, tt.want) || (tt.want == "") == strings.Contains(log, "warning") {
				t.Errorf("the log does not say %s: %s", tt.want, log)
			}
		})
	}
}

func TestRoutesWithoutAPolicyPassAsBefore(t *testing.T) {
	g := newGate(routeTo("https://example.org"))
	r, err := http.NewRequest(http.MethodDelete, "http://a/r/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	e, rt := &exchange{}, &route{path: "/r"}
	if n := testing.AllocsPerRun(100, func() {
		if g.refuse(e, rt, r) != nil {
			t.Error("refused")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzPaths holds that what passes does so however a server decodes it, and that nothing passes that is denied in some reading.
func FuzzPaths(f *testing.F) {
	for _, path := range []string{"/a/b", "/a%2fb", "/a%252fb/c", "/%61/%62", "/a//b", "/a;b", "/A/b/"} {
		f.Add("/a/*", "/a/b", path)
	}
	f.Add("/a%2f*", "/**/secret", "/a%2fsecret")
	f.Fuzz(func(t *testing.T, allow, deny, path string) {
		if badPath(path) != "" || len(path) > 200 || len(allow)+len(deny) > 100 {
			return
		}
		only := newPathRules(&routetable.Paths{Allow: []string{allow}})
		but := newPathRules(&routetable.Paths{Deny: []string{deny}})
		passes, stays := only.judge("/r", path) == nil, but.judge("/r", path) == nil
		for text := path; ; text = decodeOnce(text) {
			for segment := range strings.SplitSeq(strings.Trim(text, "/"), "/") {
				if (passes || stays) && (strings.ContainsAny(segment, ";?#") || segment == "" && len(strings.Trim(text, "/")) > 0) {
					t.Errorf("%q passes, which has %q in it", path, segment)
				}
			}
			if decodeOnce(text) == text {
				p := newPattern(deny)
				if stays && (p.matches(segmentsOf(text)) || newPattern(strings.ToLower(deny)).matches(segmentsOf(strings.ToLower(text)))) {
					t.Errorf("%q passes, although %q denies it", path, deny)
				}
				if passes && !newPattern(allow).matches(segmentsOf(text)) {
					t.Errorf("%q passes, although it is not of %q", path, allow)
				}
				return
			}
		}
	})
}
