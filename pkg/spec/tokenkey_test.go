package spec

import (
	"strings"
	"testing"
)

func TestKeysOfTokens(t *testing.T) {
	tests := []struct {
		key  string
		good bool
	}{
		{"a", true},
		{"team-a/github", true},
		{"secret/data/Team_A.token@2", true},
		{"arn:aws:secretsmanager:eu-west-1:1:secret:x+y=z", true},
		{"a..b/...", true},
		{strings.Repeat("k", maxTokenKey), true},
		{strings.Repeat("k", maxTokenKey+1), false},
		{"", false},
		{"-c", false},
		{"--help", false},
		{"/etc/passwd", false},
		{".hidden", false},
		{"..", false},
		{"../a", false},
		{"a/..", false},
		{"a/../b", false},
		{"a/./b", false},
		{"a//b", false},
		{"a/", false},
		{"a b", false},
		{"a\n", false},
		{"a\nb", false},
		{"a\x00b", false},
		{"a;b", false},
		{"$(id)", false},
		{"a$HOME", false},
		{"a`id`", false},
		{"a*", false},
		{"a~", false},
		{`a\b`, false},
		{"a%2e", false},
		{"ключ", false},
	}
	for _, tt := range tests {
		if got := IsTokenKey(tt.key); got != tt.good {
			t.Errorf("%q: %v, want %v", tt.key, got, tt.good)
		}
	}
}

// FuzzTokenKey holds that a key is one clean relative path, and means nothing to a shell.
func FuzzTokenKey(f *testing.F) {
	for _, seed := range []string{"team-a/github", "-c", "../a", "a/./b", "a//b", "a b", "a\n", "a\x00", "$(id)", "a*", "~", "=", "a=b", "a:@+"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if !IsTokenKey(key) {
			return
		}
		if len(key) > 253 || strings.ContainsAny(key, " \t\r\n\x00\\\"'`$&|;<>()[]{}*?!~#%^,") || strings.HasPrefix(key, "-") {
			t.Errorf("%q is taken", key)
		}
		for segment := range strings.SplitSeq(key, "/") {
			if segment == "" || segment == "." || segment == ".." {
				t.Errorf("%q is taken, with the segment %q", key, segment)
			}
		}
	})
}
