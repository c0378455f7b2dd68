package proxy

import (
	"net/url"
	"strings"
	"testing"
)

func TestPathsThatCouldLeadOutAreRefused(t *testing.T) {
	paths := map[string]string{
		"dot dot":                    "/r/../x",
		"dot dot at the end":         "/r/..",
		"single dot":                 "/r/./x",
		"encoded dots":               "/r/%2e%2e/x",
		"half encoded dots":          "/r/.%2E/x",
		"encoded slash after dots":   "/r/..%2fx",
		"encoded slash before dots":  "/r/a%2f../x",
		"all encoded":                "/r/%2e%2e%2fx",
		"twice encoded dots":         "/r/%252e%252e/x",
		"twice encoded slash":        "/r/..%252fx",
		"three times encoded":        "/r/%25252e%25252e%25252fx",
		"encoded beyond measure":     "/r/%2525252525252525252e",
		"dots with a parameter":      "/r/..;a=b/x",
		"encoded dots and parameter": "/r/%2e%2e;/x",
		"encoded semicolon":          "/r/..%3b/x",
		"dots with a space":          "/r/..%20/x",
		"dots with a query":          "/r/..%3fx",
		"dot with a query":           "/r/.%3Fx",
		"twice encoded query":        "/r/..%253fx/y",
		"dots with a fragment":       "/r/..%23/x",
		"encoded dots and fragment":  "/r/%2e%2e%23",
		"twice encoded fragment":     "/r/a/..%2523x",
		"dots within a query":        "/r/a%3fb/../x",
		"backslash":                  `/r/..\x`,
		"lone backslash":             `/r/a\b`,
		"encoded backslash":          "/r/..%5c..%5cx",
		"twice encoded backslash":    "/r/a%255cb",
		"NUL":                        "/r/a%00b",
		"twice encoded NUL":          "/r/a%2500b",
		"line break":                 "/r/a%0d%0aX-Api-Key:%20b",
		"tab":                        "/r/%09",
		"delete":                     "/r/%7f",
		"overlong dots":              "/r/%c0%ae%c0%ae/x",
		"not UTF-8":                  "/r/%ff",
		"wide dots":                  "/r/%ef%bc%8e%ef%bc%8e/x",
		"small dots, encoded twice":  "/r/%25ef%25b9%2592%25ef%25b9%2592/x",
		"two dots in one":            "/r/%e2%80%a5/x",
		"wide slash":                 "/r/..%ef%bc%8fx",
		"slashes of mathematics":     "/r/a%e2%88%95..%e2%81%84x",
		"wide backslash":             "/r/..%ef%bc%bcx",
		"dots and a wide semicolon":  "/r/..%ef%bc%9bx",
		"no slash":                   "*",
		"empty":                      "",
	}
	for name, path := range paths {
		t.Run(name, func(t *testing.T) {
			if why := badPath(path); why == "" {
				t.Errorf("%q is let through", path)
			}
		})
	}
}

func TestLegalPathsStay(t *testing.T) {
	paths := map[string]string{
		"root":                      "/",
		"plain":                     "/r/v1/messages",
		"scoped package":            "/r/@scope%2fname",
		"scoped package, big":       "/r/@scope%2Fname/-/name-1.0.0.tgz",
		"dots within a name":        "/r/a..b/...c/.well-known/x.",
		"compare of git":            "/r/compare/main...dev",
		"three dots":                "/r/...",
		"hidden file":               "/r/.git/config",
		"matrix parameter":          "/r/a;v=1.1/b",
		"encoded percent":           "/r/100%25",
		"question in a name":        "/r/why%3f/..a%3fb/a.%3f",
		"sharp in a name":           "/r/c%23/..a%23b",
		"encoded percent and hex":   "/r/50%25ab",
		"encoded URL":               "/r/https%3A%2F%2Fexample.org%2Fa",
		"twice encoded URL":         "/r/https%253A%252F%252Fexample.org",
		"double slash in the midst": "/r/a//b",
		"trailing slash":            "/r/a/",
		"space":                     "/r/a%20b",
		"umlaut":                    "/r/%C3%BC",
		"wide dot in a name":        "/r/%e3%83%95%ef%bc%8etxt",
		"wide slash in a name":      "/r/a%ef%bc%8fb",
		"ellipsis":                  "/r/%e2%80%a6",
		"reserved characters":       "/r/a:b@c!$&'()*+,=~",
		"tilde and colon":           "/r/v1/models/gemini:generateContent",
	}
	for name, path := range paths {
		t.Run(name, func(t *testing.T) {
			if why := badPath(path); why != "" {
				t.Errorf("%q is refused: %s", path, why)
			}
		})
	}
}

func FuzzRequestPath(f *testing.F) {
	for _, seed := range []string{"/r/@scope%2fname", "/r/%2e%2e/x", "/r/..%252fx", `/r/a\b`, "/r/..;/x", "/r/..%3f", "/r/..%23/x", "/%", "/%%%25", "/r/%252525252e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if badPath(path) != "" {
			return
		}
		// Whatever a server decodes and cuts, it finds no way up.
		for range 10 {
			for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
				name := segment
				if end := strings.IndexAny(segment, ";?#"); end >= 0 {
					name = segment[:end]
				}
				if name = strings.TrimRight(name, " "); name == ".." || name == "." {
					t.Fatalf("a dot segment is left in %q", path)
				}
			}
			if strings.ContainsAny(path, "\x00\r\n") {
				t.Fatalf("a control character is left in %q", path)
			}
			decoded, err := url.PathUnescape(path)
			if err != nil {
				return
			}
			path = decoded
		}
	})
}
