package policy

import (
	"slices"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/glob"
)

func TestPathGlobs(t *testing.T) {
	tests := []struct {
		pattern  string
		yes, not []string
	}{
		{"team-a/**", []string{"team-a", "team-a/x", "team-a/x/y"}, []string{".", "", "team-ab", "x/team-a", "team-a/../b", "team-a//x", "team-a/./x", "team-a/"}},
		{"**", []string{".", "", "a", "a/b"}, []string{"..", "a/.."}},
		{".", []string{".", ""}, []string{"a", ".."}},
		{"*", []string{"a"}, []string{".", "a/b"}},
		{"*/x", []string{"a/x"}, []string{"x", "a/b/x"}},
		{"**/x", []string{"x", "a/x", "a/b/x", "x/x"}, []string{"x/a", "ax"}},
		{"a/**/b/*", []string{"a/b/c", "a/x/y/b/c", "a/b/b/b"}, []string{"a/b", "a/c/d"}},
		{"/repos/acme/**", []string{"/repos/acme", "/repos/acme/x"}, []string{"", "/", "/repos", "/repos/acmeevil"}},
	}
	for _, tt := range tests {
		for _, text := range tt.yes {
			if !pathGlob(tt.pattern, text) {
				t.Errorf("%s does not match %q", tt.pattern, text)
			}
		}
		for _, text := range tt.not {
			if pathGlob(tt.pattern, text) {
				t.Errorf("%s matches %q", tt.pattern, text)
			}
		}
	}
}

// A path that is not clean matches nothing.
func FuzzPathGlob(f *testing.F) {
	f.Add("a/**", "a/b/c")
	f.Add("**", ".")
	f.Add("a/*", "a/..")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		have := segments(path)
		want := glob.MatchPath(segments(pattern), have) && !slices.ContainsFunc(have, leads)
		if got := pathGlob(pattern, path); got != want {
			t.Errorf("%q with %q is %v", pattern, path, got)
		}
	})
}

// A base path is permitted only if everything below it is.
func FuzzWhatIsPermittedIsSoWithAllBelowIt(f *testing.F) {
	f.Add("/a/**", "/a", "x")
	f.Add("/a/*/**", "/a", "x")
	f.Add("/**/a/**", "/b/a", "c/d")
	f.Add("/a/*", "/a/b", "c")
	f.Fuzz(func(t *testing.T, pattern, base, more string) {
		if covers(pattern, base) && !pathGlob(pattern, base) {
			t.Errorf("%q is taken whole by %q, and not itself", base, pattern)
		}
		below := base + "/" + more
		for segment := range strings.SplitSeq(more, "/") {
			if leads(segment) {
				return
			}
		}
		if len(base) > 1 && base[0] == '/' && covers(pattern, base) && !pathGlob(pattern, below) {
			t.Errorf("%q is taken whole by %q, and %q is not", base, pattern, below)
		}
	})
}
