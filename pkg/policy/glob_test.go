package policy

import (
	"regexp"
	"strings"
	"testing"
)

func TestGlobs(t *testing.T) {
	tests := []struct {
		pattern  string
		yes, not []string
	}{
		{"GH_*", []string{"GH_", "GH_TOKEN"}, []string{"", "GH", "AGH_TOKEN", "gh_TOKEN"}},
		{"*_TOKEN", []string{"_TOKEN", "A_TOKEN_TOKEN"}, []string{"A_TOKENS"}},
		{"a*b*c", []string{"abc", "axxbxxc", "abcbc"}, []string{"acb", "ab"}},
		{"*", []string{"", "x"}, nil},
		{"web", []string{"web"}, []string{"", "we", "webs"}},
	}
	for _, tt := range tests {
		for _, text := range tt.yes {
			if !glob(tt.pattern, text) {
				t.Errorf("%s does not match %q", tt.pattern, text)
			}
		}
		for _, text := range tt.not {
			if glob(tt.pattern, text) {
				t.Errorf("%s matches %q", tt.pattern, text)
			}
		}
	}
}

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

// FuzzGlob compares with the standard library's regular expressions.
func FuzzGlob(f *testing.F) {
	f.Add("a*b", "axb")
	f.Add("*a*a*a*", "aaaa")
	f.Add("**", "")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 50 || len(text) > 200 {
			return
		}
		parts := strings.Split(pattern, "*")
		for i, part := range parts {
			parts[i] = regexp.QuoteMeta(part)
		}
		expr, err := regexp.Compile(`(?s)\A` + strings.Join(parts, ".*") + `\z`)
		if err != nil || strings.Contains(text, "\ufffd") {
			return // Not UTF-8, of which regular expressions make something else.
		}
		if got := glob(pattern, text); got != expr.MatchString(text) {
			t.Errorf("%q with %q is %v", pattern, text, got)
		}
	})
}

// FuzzPathGlob compares with the definition, written down without a thought for its cost.
func FuzzPathGlob(f *testing.F) {
	f.Add("a/**", "a/b/c")
	f.Add("**/a/**/a/**", "a/a/a")
	f.Add("**", ".")
	f.Add("a/*", "a/..")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		if len(pattern) > 40 || len(path) > 40 {
			return
		}
		have := segments(path)
		want := defined(segments(pattern), have)
		for _, segment := range have {
			want = want && !leads(segment)
		}
		if got := pathGlob(pattern, path); got != want {
			t.Errorf("%q with %q is %v", pattern, path, got)
		}
	})
}

// defined is what patterns mean: ** is nothing, or one segment and ** again.
func defined(pattern, path []string) bool {
	switch {
	case len(pattern) == 0:
		return len(path) == 0
	case pattern[0] == anyDepth:
		return defined(pattern[1:], path) || len(path) > 0 && defined(pattern, path[1:])
	default:
		return len(path) > 0 && glob(pattern[0], path[0]) && defined(pattern[1:], path[1:])
	}
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
