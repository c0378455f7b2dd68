package spec

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// asText returns the file without a byte order mark, or the one problem of a file that is not text. YAML 1.2
// section 5.1 and RFC 8259 section 7 know the same control characters.
func asText(data []byte) ([]byte, *Problem) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if what := notText(r, size, data[at]); what != "" {
			return nil, &Problem{
				Line:    1 + bytes.Count(data[:at], []byte("\n")),
				Message: "not a text file: it holds " + what + "; write it as UTF-8 text",
			}
		}
		at += size
	}
	return data, nil
}

// notText names a character that cannot be part of a spec file, or returns "".
func notText(r rune, size int, b byte) string {
	switch {
	case r == utf8.RuneError && size == 1:
		return fmt.Sprintf("the byte 0x%02x, which is not UTF-8", b)
	case r == '\n' || r == '\r' || r == '\t' || r == '\u0085':
		return ""
	case unicode.IsControl(r) || r == '\ufffe' || r == '\uffff':
		return fmt.Sprintf("the control character %U", r)
	}
	return ""
}

// printable returns s with what could upset a terminal or a log escaped, and cut to about max bytes.
func printable(s string, max int) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= max {
			return b.String() + "…"
		}
		if IsPrintable(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// isPrintable reports whether s has from 1 to max bytes and nothing that would have to be escaped.
func isPrintable(s string, max int) bool {
	return s != "" && len(s) <= max && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !IsPrintable(r) })
}

// braillePatternBlank is a symbol of no dots.
const braillePatternBlank = '\u2800'

// IsPrintable reports whether a character may be shown as it is, wherever people read what others wrote: whether it is seen, and changes
// nothing of how others are. Unlike unicode.IsPrint it takes no letter, mark or symbol that shows as nothing: behind a run of them a text
// looks as if it ended, and on the next line of a terminal as if another began. They are what Unicode Standard Annex 44 calls
// Other_Default_Ignorable_Code_Point, such as the Hangul fillers, and the blank of Braille. Selectors of variation stay: emoji are
// written with them, and they take no room.
func IsPrintable(r rune) bool {
	return unicode.IsPrint(r) && r != braillePatternBlank && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// ShownPath is a file's path as people are shown it: as it is, or as a Go string in quotes when it holds what could
// upset a terminal or forge a line of a log. No two paths are shown alike.
func ShownPath(path string) string {
	if path == "" || isPrintable(path, len(path)) && path[0] != '"' {
		return path
	}
	return printable(strconv.Quote(path), math.MaxInt) // Quote leaves letters that show as nothing
}
