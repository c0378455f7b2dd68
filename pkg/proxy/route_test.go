package proxy

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

func noTransport(way, *tls.Certificate) (http.RoundTripper, error) { return nil, nil }

func tableOf(t testing.TB, routes ...routetable.Route) *table {
	t.Helper()
	made, err := newTable(load(t, routes...), noTransport)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// where follows a request target through a table: the upstream URL as it would be sent, or "" without a route.
func where(t testing.TB, table *table, target string) string {
	t.Helper()
	in, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatal(err)
	}
	rt := table.find(in.EscapedPath())
	if rt == nil {
		return ""
	}
	out := &url.URL{}
	if !rt.target(out, in) {
		t.Fatalf("%s was found, but not rewritten, by %s", target, rt.path)
	}
	return out.Scheme + "://" + out.Host + out.RequestURI()
}

func TestLongestPrefixOnWholeSegmentsWins(t *testing.T) {
	table := tableOf(t,
		routetable.Route{Path: "/a", Upstream: "https://a.test"},
		routetable.Route{Path: "/a/b", Upstream: "https://ab.test/base"},
		routetable.Route{Path: "/a/b/c", Upstream: "https://abc.test/base/"},
		routetable.Route{Path: "/ü x", Upstream: "https://u.test/%C3%A4"},
	)
	tests := map[string]string{
		"/a":                     "https://a.test/",
		"/a/":                    "https://a.test/",
		"/a/x":                   "https://a.test/x",
		"/a/bc":                  "https://a.test/bc",
		"/a/b":                   "https://ab.test/base",
		"/a/b/":                  "https://ab.test/base/",
		"/a/b/x":                 "https://ab.test/base/x",
		"/a/b/c":                 "https://abc.test/base/",
		"/a/b/c/":                "https://abc.test/base/",
		"/a/b/c/x":               "https://abc.test/base/x",
		"/a/b?q=1":               "https://ab.test/base?q=1",
		"/a?":                    "https://a.test/?",
		"/a/x?a=1;b=2&c=%zz&d=+": "https://a.test/x?a=1;b=2&c=%zz&d=+",
		"/a/@s%2fn":              "https://a.test/@s%2fn",
		"/a/@s%2Fn/b":            "https://a.test/@s%2Fn/b",
		"/%61/x":                 "https://a.test/x",
		"/a/%62/x%2f":            "https://ab.test/base/x%2f",
		"/a%2fb/x":               "",
		"/a/b%2fc":               "https://a.test/b%2fc",
		"/%C3%BC%20x/y":          "https://u.test/%C3%A4/y",
		"/a/'()*!":               "https://a.test/'()*!",
		"/a/[x]":                 "https://a.test/[x]",
		"/A/x":                   "",
		"/ab":                    "",
		"/":                      "",
		"//a":                    "",
	}
	for target, want := range tests {
		t.Run(target, func(t *testing.T) {
			if got := where(t, table, target); got != want {
				t.Errorf("goes to %q, not %q", got, want)
			}
		})
	}
}

func TestRootRouteTakesTheRest(t *testing.T) {
	table := tableOf(t, routetable.Route{Path: "/", Upstream: "https://root.test/b"}, routetable.Route{Path: "/a", Upstream: "https://a.test"})
	for target, want := range map[string]string{
		"/": "https://root.test/b/", "/x/y": "https://root.test/b/x/y", "/a/x": "https://a.test/x", "/ab": "https://root.test/b/ab",
		"/%61b": "https://root.test/b/%61b",
	} {
		if got := where(t, table, target); got != want {
			t.Errorf("%s goes to %q, not %q", target, got, want)
		}
	}
}

// FuzzLongestPrefix holds routing to a slow reading of its rule: of the routes whose segments are the first ones of the path, each
// decoded once, the one with the most.
func FuzzLongestPrefix(f *testing.F) {
	for _, seed := range []string{"/a/x", "/a/b/c/d", "/a/bc", "/a%2fb", "/%61/b", "/a/%62%2fc", "/%C3%BC%20x", "/", "//a", "/a//b", "/a/b%00", "/A"} {
		f.Add(seed)
	}
	paths := []string{"/", "/a", "/a/b", "/a/b/c", "/b", "/ü x"}
	var routes []routetable.Route
	for _, p := range paths {
		routes = append(routes, routetable.Route{Path: p, Upstream: "https://a.test"})
	}
	table := tableOf(f, routes...)
	f.Fuzz(func(t *testing.T, target string) {
		in, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(in.EscapedPath(), "/") {
			return
		}
		want := "/"
		for _, p := range paths[1:] {
			if len(p) > len(want) && begins(in.EscapedPath(), p) {
				want = p
			}
		}
		if got := table.find(in.EscapedPath()); got == nil || got.path != want {
			t.Fatalf("%q goes by %v, not %s", target, got, want)
		}
	})
}

// begins reports whether the first segments of an escaped path, decoded, are those of a route's.
func begins(escaped, route string) bool {
	want, have := strings.Split(route, "/")[1:], strings.Split(escaped, "/")[1:]
	if len(have) < len(want) {
		return false
	}
	for i, segment := range want {
		if decoded, err := url.PathUnescape(have[i]); err != nil || decoded != segment {
			return false
		}
	}
	return true
}

// FuzzRouting holds that an admitted request stays below its route's upstream, whatever a server makes of the path.
func FuzzRouting(f *testing.F) {
	for _, seed := range []string{"/a/x", "/a/b/../x", "/a/%2e%2e/x", "/a//x", "/a/%2f/x", "/a/b%2fc", "/%61/b", "/a/;/../x", "/a?x=/../"} {
		f.Add(seed)
	}
	table := tableOf(f,
		routetable.Route{Path: "/a", Upstream: "https://a.test/secret/base"},
		routetable.Route{Path: "/a/b", Upstream: "https://ab.test"},
	)
	f.Fuzz(func(t *testing.T, target string) {
		in, err := url.ParseRequestURI(target)
		if err != nil || in.Host != "" || in.Scheme != "" || badPath(in.EscapedPath()) != "" {
			return
		}
		rt := table.find(in.EscapedPath())
		if rt == nil {
			return
		}
		if rest, ok := rt.cut(in.EscapedPath()); !ok || beginsAuthority(rest) {
			return
		}
		out := &url.URL{}
		if !rt.target(out, in) {
			t.Fatalf("%q was found, but not rewritten", target)
		}
		if out.Host != rt.upstream.Host || out.Scheme != "https" || out.User != nil || out.RawQuery != in.RawQuery {
			t.Fatalf("%q goes to %v", target, out)
		}
		sent := out.EscapedPath()
		if sent != out.RawPath || strings.HasPrefix(sent, "//") {
			t.Fatalf("%q is sent as %q and not as written, %q", target, sent, out.RawPath)
		}
		for range 6 {
			if clean := path.Clean(sent); rt.base != "" && clean != rt.base && !strings.HasPrefix(clean, rt.base+"/") {
				t.Fatalf("%q leaves %s as %q", target, rt.base, sent)
			}
			sent = decodeOnce(sent)
		}
	})
}
