package scrub

import "bytes"

// spelling is a way to write characters by others, of which it undoes one layer.
type spelling byte

// The spellings, by the byte that begins an escape.
const (
	// inURL is RFC 3986 section 2.1: %2F, %2f. A sign that is not followed by two digits stands for itself.
	inURL spelling = '%'
	// inJSON is RFC 8259 section 7, as far as tokens go: \u002F, \u002f, \/. Every other backslash is dropped, so that text that was
	// put into JSON twice reads as once.
	inJSON spelling = '\\'
)

// longestEscape is the length of \u002F.
const longestEscape = 6

// size is the length in bytes of the escape with which text begins; 0 if it begins with none.
func (s spelling) size(text []byte) int {
	switch {
	case s == inURL && len(text) >= 3 && text[0] == '%' && isHex(text[1]) && isHex(text[2]):
		return 3
	case s == inJSON && len(text) >= 6 && string(text[:4]) == `\u00` && isHex(text[4]) && isHex(text[5]):
		return 6
	}
	return 0
}

// unit reads what text begins with: the byte that size bytes stand for, or that they stand for none.
func (s spelling) unit(text []byte) (b byte, size int, some bool) {
	if size := s.size(text); size > 0 {
		return unhex(text[size-2])<<4 | unhex(text[size-1]), size, true
	}
	return text[0], 1, s != inJSON || text[0] != byte(inJSON)
}

// decode appends to dst what text stands for.
func (s spelling) decode(dst, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, byte(s))
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		b, size, some := s.unit(text[i:])
		if some {
			dst = append(dst, b)
		}
		text = text[i+size:]
	}
}

// cursor is a place in a text, and how many decoded bytes are in front of it.
type cursor struct{ at, decoded int }

// advance moves a cursor to the place from which the next byte is the decoded one of that number.
func (s spelling) advance(c cursor, text []byte, to int) cursor {
	for c.decoded < to {
		c = s.step(c, text)
	}
	return c
}

func (s spelling) step(c cursor, text []byte) cursor {
	_, size, some := s.unit(text[c.at:])
	c.at += size
	if some {
		c.decoded++
	}
	return c
}

// place is where in text the decoded bytes from first to before end are written, seen from a cursor in front of them.
func (s spelling) place(c cursor, text []byte, first, end int) (from, to int) {
	c = s.advance(c, text, first)
	for {
		// What stands for nothing is not part of what follows it.
		next := s.step(c, text)
		if next.decoded > first {
			return c.at, s.advance(next, text, end).at
		}
		c = next
	}
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F'
}

func unhex(b byte) byte {
	if b <= '9' {
		return b - '0'
	}
	return b&^0x20 - 'A' + 10
}
