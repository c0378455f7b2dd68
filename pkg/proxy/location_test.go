package proxy

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

func TestPlacesBelowTheUpstreamComeBackUnderTheRoute(t *testing.T) {
	const git, root, plain = "https://git.test/base", "https://git.test", "http://git.test:8080/base/"
	for _, tt := range []struct{ route, upstream, place, want string }{
		{"/r", git, "https://git.test/base/x?q=1#f", "/r/x?q=1#f"},
		{"/r", git, "https://git.test/base", "/r"},
		{"/r", git, "https://git.test/base/", "/r/"},
		{"/r", git, "HTTPS://GIT.test.:443/base/x", "/r/x"},
		{"/r", git, "/base/x%2fy?", "/r/x%2fy?"},
		{"/r", git, "//git.test/base/x", "/r/x"},
		{"/r", git, "next", "/r/a/next"},
		{"/r", git, "?page=2", "/r/a/b?page=2"},
		{"/r", git, "#f", "/r/a/b#f"},
		{"/r", git, "", "/r/a/b"},
		{"/r", git, "../../base/x", "/r/x"},
		{"/r/s", root, "/x", "/r/s/x"},
		{"/r", root, "https://git.test", "/r"},
		{"/", root, "https://git.test", "/"},
		{"/", git, "/base/x", "/x"},
		{"/", git, "/base", "/"},
		{"/r", plain, "http://git.test:8080/base/x", "/r/x"},

		// At the same server, and not below the upstream: as a path it could be another route's.
		{"/r", git, "/login", "https://git.test/login"},
		{"/r", git, "../../../login?q", "https://git.test/login?q"},
		{"/r", git, "/basement", "https://git.test/basement"},
		{"/r", git, "https://git.test/", "https://git.test/"},
		{"/r", git, "/base/other/x", "https://git.test/base/other/x"},
		{"/r", git, "/base/%6fther/x", "https://git.test/base/%6fther/x"},
		// A path that begins with two slashes would be another server's.
		{"/", root, "https://git.test//evil.test/x", "https://git.test//evil.test/x"},
		{"/", root, "/.//evil.test/x", "https://git.test//evil.test/x"},
		{"/", root, "/%2fevil.test/x", "https://git.test/%2fevil.test/x"},

		{"/r", git, "https://evil.test/base/x", "https://evil.test/base/x"},
		{"/r", git, "http://git.test/base/x", "http://git.test/base/x"},
		{"/r", git, "https://git.test:8443/base/x", "https://git.test:8443/base/x"},
		{"/r", git, "https://git.test@evil.test/base/x", "https://git.test@evil.test/base/x"},
		{"/r", git, "https://user@git.test/base/x", "https://user@git.test/base/x"},
		{"/r", git, "//evil.test/base/x", "//evil.test/base/x"},
		{"/r", git, "mailto:a@git.test", "mailto:a@git.test"},
		{"/r", git, "https://git.test:x/base", "https://git.test:x/base"},
		{"/r", plain, "http://git.test/base/x", "http://git.test/base/x"},
	} {
		rt := tableOf(t, routetable.Route{Path: tt.route, Upstream: tt.upstream}, routetable.Route{Path: "/r/other", Upstream: "https://other.test"}).find(tt.route)
		asked := &url.URL{Scheme: rt.upstream.Scheme, Host: rt.upstream.Host, Path: "/base/a/b"}
		if got := rt.relocated(tt.place, asked); got != tt.want {
			t.Errorf("%s at %s: %q is %q, want %q", tt.route, tt.upstream, tt.place, got, tt.want)
		}
	}
}

// What comes back under the route leads to it when it is asked for, with the token; what does not, leaves without.
func TestAClientThatFollowsARedirectComesBack(t *testing.T) {
	upstream := newRecorder(t)
	upstream.Config.Handler = redirecting(upstream.Config.Handler)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL + "/base", Auth: bearer()})
	res, err := http.Get(proxy.url("/r/from"))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if got := upstream.only(t); got.Target != "/base/to?q=1" || got.Header.Get("Authorization") != "Bearer "+token {
		t.Errorf("the upstream received %+v", got)
	}
	if res.Header.Get("Content-Location") != "/r/to" || res.Header.Get("Link") != "</base/other>; rel=next" {
		t.Errorf("the client received %v", res.Header)
	}
}

// redirecting sends who comes from /base/from to /base/to, by a whole URL.
func redirecting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/base/from" {
			http.Redirect(w, r, "http://"+r.Host+"/base/to?q=1", http.StatusFound)
			return
		}
		w.Header().Set("Content-Location", "/base/to")
		w.Header().Set("Link", "</base/other>; rel=next")
		next.ServeHTTP(w, r)
	})
}

// FuzzRelocated holds that no reference of an upstream's becomes a path of another route, or of another server.
func FuzzRelocated(f *testing.F) {
	for _, seed := range []string{"/base/x", "https://git.test/base/../x", "//evil.test", "/base//evil.test", "/./base/%2e%2e/x", "..//x", "\\x", "?//", "/base/.//x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, place string) {
		for _, route := range []string{"/", "/r"} {
			table := tableOf(t, routetable.Route{Path: route, Upstream: "https://git.test/base"}, routetable.Route{Path: "/r/other", Upstream: "https://other.test"})
			rt := table.find("/r/x")
			got := rt.relocated(place, &url.URL{Scheme: "https", Host: "git.test", Path: "/base/a"})
			if got == place {
				continue
			}
			path, _, _ := strings.Cut(strings.SplitN(got, "#", 2)[0], "?")
			back := strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && table.find(path) == rt
			if !back && !strings.HasPrefix(got, "https://git.test/") && got != "https://git.test" {
				t.Errorf("%q became %q", place, got)
			}
		}
	})
}
