package apigen

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// rule is a line of a comment such as +minimum=1.
type rule struct {
	// name is what it is about, such as minimum, or items:pattern for a rule of a list's entries.
	name, value string
}

// meaning parts a comment into what it says and its rules.
func meaning(doc string) (text string, rules []rule) {
	var words []string
	for line := range strings.Lines(doc) {
		line = strings.TrimSpace(line)
		if r, ok := strings.CutPrefix(line, "+"); ok {
			name, value, _ := strings.Cut(r, "=")
			rules = append(rules, rule{name, value})
			continue
		}
		words = append(words, strings.Fields(line)...)
	}
	return strings.Join(words, " "), rules
}

// goName is a name that only this program's source has, such as InternalNetwork.
var goName = regexp.MustCompile(`\b[A-Z][a-z]+[A-Z][A-Za-z]*\b`)

// describe turns the comment of a Go name into a sentence about the field: "Port is the TCP port." becomes "The TCP port."
// Names of fields in it have to be written as in files.
func (s *source) describe(name, text string) (string, error) {
	rest, ok := strings.CutPrefix(text, name+" ")
	if !ok {
		return "", fmt.Errorf("its comment does not begin with %q", name)
	}
	for _, verb := range []string{"is ", "are "} {
		rest = strings.TrimPrefix(rest, verb)
	}
	for _, word := range goName.FindAllString(rest, -1) {
		if s.isField(word) {
			return "", fmt.Errorf("its comment has %s; write the field as in files", word)
		}
	}
	first, size := utf8.DecodeRuneInString(rest)
	return string(unicode.ToUpper(first)) + rest[size:], nil
}
