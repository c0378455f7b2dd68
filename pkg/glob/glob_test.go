package glob

import (
	"regexp"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
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
			if !Match(tt.pattern, text) {
				t.Errorf("%s does not match %q", tt.pattern, text)
			}
		}
		for _, text := range tt.not {
			if Match(tt.pattern, text) {
				t.Errorf("%s matches %q", tt.pattern, text)
			}
		}
	}
}

// FuzzMatch compares with the standard library's regular expressions.
func FuzzMatch(f *testing.F) {
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
		if got := Match(pattern, text); got != expr.MatchString(text) {
			t.Errorf("%q with %q is %v", pattern, text, got)
		}
	})
}

// FuzzMatchPath compares with the definition, written down without a thought for its cost.
func FuzzMatchPath(f *testing.F) {
	f.Add("a/**", "a/b/c")
	f.Add("**/a/**/a/**", "a/a/a")
	f.Add("**", "")
	f.Add("a/*", "a/b")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		if len(pattern) > 40 || len(path) > 40 {
			return
		}
		want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
		if got := MatchPath(want, have); got != defined(want, have) {
			t.Errorf("%q with %q is %v", pattern, path, got)
		}
	})
}

// defined is what patterns mean: ** is nothing, or one segment and ** again.
func defined(pattern, path []string) bool {
	switch {
	case len(pattern) == 0:
		return len(path) == 0
	case pattern[0] == AnyDepth:
		return defined(pattern[1:], path) || len(path) > 0 && defined(pattern, path[1:])
	default:
		return len(path) > 0 && Match(pattern[0], path[0]) && defined(pattern[1:], path[1:])
	}
}
