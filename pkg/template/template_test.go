package template

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// values are what tokens have in these tests; braces in one mean nothing.
func value(name string) string {
	return map[string]string{"token": "T{user}", "user": "U", "a-b_1": "X"}[name]
}

func TestATemplateIsTextWithTokensInIt(t *testing.T) {
	tests := []struct {
		text, want string
		names      []string
	}{
		{"", "", nil},
		{"2023-06-01", "2023-06-01", nil},
		{"{token}", "T{user}", []string{"token"}},
		{"Bearer {token}", "Bearer T{user}", []string{"token"}},
		{"{user}:{token}:{user}", "U:T{user}:U", []string{"user", "token"}},
		{"{token}{user}", "T{user}U", []string{"token", "user"}},
		{"{a-b_1}", "X", []string{"a-b_1"}},
		{"{{", "{", nil},
		{"}}", "}", nil},
		{"{{token}}", "{token}", nil},
		{"{{{token}}}", "{T{user}}", []string{"token"}},
		{`{{"key":"{token}"}}`, `{"key":"T{user}"}`, []string{"token"}},
		{"}}{token}{{", "}T{user}{", []string{"token"}},
		{"ü {user}", "ü U", []string{"user"}},
	}
	for _, tt := range tests {
		got, err := Parse(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if diff := cmp.Diff(tt.names, got.Names()); diff != "" {
			t.Errorf("names of %q (-want +got):\n%s", tt.text, diff)
		}
		if is := got.Expand(value); is != tt.want {
			t.Errorf("%q is %q, want %q", tt.text, is, tt.want)
		}
	}
}

func TestWhatIsNoTemplateIsSaidWithItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		"{":           "{ without its }; write {{ for the character (at character 1)",
		"Bearer {x":   "{ without its }; write {{ for the character (at character 8)",
		"Bearer x}":   "} without its {; write }} for the character (at character 9)",
		"{x}}":        "} without its {; write }} for the character (at character 4)",
		"{{x}":        "} without its {; write }} for the character (at character 4)",
		"{}":          "is not the name of a token; write {{ and }} for the characters (at character 1)",
		"a{ token }":  "is not the name of a token; write {{ and }} for the characters (at character 2)",
		"{1a}":        "is not the name of a token",
		"{-}":         "is not the name of a token",
		"{a.b}":       "is not the name of a token",
		"{ü}":         "is not the name of a token",
		"{a{b}":       "is not the name of a token",
		"{a\n}":       "is not the name of a token",
		"{s3cret-s!}": "is not the name of a token",
		"{" + strings.Repeat("a", MaxNameBytes+1) + "}": "is not the name of a token",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		} else if len(text) > 8 && strings.Contains(err.Error(), text[1:len(text)-1]) {
			t.Errorf("the error repeats the text: %v", err)
		}
	}
}

// FuzzParse holds that a template means one thing: its text and names put together again are the template, and of a value
// nothing is read.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "Bearer {token}", "{{{a}}}", "{a}{b}", "}}{{", "{a", "a}", "{}", "{{}"} {
		f.Add(seed, "v{a}{{")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		parsed, err := Parse(text)
		if err != nil {
			if len(parsed.pieces) > 0 {
				t.Errorf("%q left %v", text, parsed)
			}
			return
		}
		var again strings.Builder
		for _, p := range parsed.pieces {
			switch {
			case p.name == "":
				again.WriteString(Escape(p.text))
			case !IsName(p.name):
				t.Errorf("%q is taken for a name", p.name)
			default:
				again.WriteString("{" + p.name + "}")
			}
		}
		if again.String() != text {
			t.Errorf("%q is read as %q", text, again.String())
		}
		names := parsed.Names()
		got := parsed.Expand(func(string) string { return value })
		if len(names) == 0 && got != strings.NewReplacer("{{", "{", "}}", "}").Replace(text) {
			t.Errorf("%q without a token is %q", text, got)
		}
		if plain, err := Parse(Escape(text)); err != nil || plain.Expand(nil) != text {
			t.Errorf("%q cannot be written as a template: %v", text, err)
		}
		if len(names) > 0 && !strings.Contains(got, value) {
			t.Errorf("%q lost its token", text)
		}
	})
}
