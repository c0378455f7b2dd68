// Package template is text with tokens in it: "Bearer {token}" is what a route adds to a request, once the token is known.
package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxNameBytes bounds the name of a token.
const MaxNameBytes = 63

// Template is text in which {name} stands for the token of that name, and {{ and }} for { and } themselves. The zero
// Template is no text.
type Template struct {
	pieces []piece
}

// piece is text as it is, or the name of a token.
type piece struct {
	text string
	// name is empty for text.
	name string
}

// Parse reads a template. Its errors are for people, fit behind the field's name, and repeat nothing of the text, which may
// hold a token in the wrong place; positions are those of bytes, counted from 1.
func Parse(text string) (Template, error) {
	var t Template
	var plain strings.Builder
	for at := 0; at < len(text); {
		at += plainRun(text[at:], &plain)
		if at == len(text) {
			break
		}
		name, length, err := braces(text[at:])
		if err != nil {
			return Template{}, fmt.Errorf("%w (at character %d)", err, at+1)
		}
		at += length
		if name == "" {
			plain.WriteByte(text[at-1])
			continue
		}
		t.addText(&plain)
		t.pieces = append(t.pieces, piece{name: name})
	}
	t.addText(&plain)
	return t, nil
}

// plainRun takes what stands before the next brace, and returns how long it is.
func plainRun(text string, into *strings.Builder) int {
	end := strings.IndexAny(text, "{}")
	if end < 0 {
		end = len(text)
	}
	into.WriteString(text[:end])
	return end
}

// braces reads what begins with a brace: {{ and }}, for which there is no name, or {name}.
func braces(text string) (name string, length int, err error) {
	switch {
	case strings.HasPrefix(text, "{{"), strings.HasPrefix(text, "}}"):
		return "", 2, nil
	case text[0] == '}':
		return "", 0, errors.New("has a } without its {; write }} for the character")
	}
	end := strings.IndexByte(text, '}')
	if end < 0 {
		return "", 0, errors.New("has a { without its }; write {{ for the character")
	}
	if name = text[1:end]; !IsName(name) {
		return "", 0, errors.New("has {…} around what is not the name of a token; write {{ and }} for the characters")
	}
	return name, end + 1, nil
}

func (t *Template) addText(plain *strings.Builder) {
	if plain.Len() > 0 {
		t.pieces = append(t.pieces, piece{text: plain.String()})
		plain.Reset()
	}
}

// Escape is the template that stands for a text as it is.
func Escape(text string) string { return strings.NewReplacer("{", "{{", "}", "}}").Replace(text) }

// IsName reports whether a token may have that name: 1 to MaxNameBytes letters, digits, _ and -, beginning with a letter.
func IsName(name string) bool {
	if name == "" || len(name) > MaxNameBytes {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c != '_' && c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

// Names lists the tokens in order of first use, each once.
func (t Template) Names() []string {
	var names []string
	for _, p := range t.pieces {
		if p.name != "" && !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	return names
}

// Expand writes the text with the value of each name.
func (t Template) Expand(value func(name string) string) string {
	var b strings.Builder
	for _, p := range t.pieces {
		if p.name != "" {
			b.WriteString(value(p.name))
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}
