package spec

import (
	"bytes"
	"fmt"
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

// printable returns s with what could upset a terminal or a log escaped, and cut to max bytes.
func printable(s string, max int) string {
	if len(s) > max {
		s = strings.ToValidUTF8(s[:max], "") + "…"
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
