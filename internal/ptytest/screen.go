package ptytest

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// screen is a terminal's memory: as many lines as it takes.
type screen struct {
	columns   int
	lines     [][]rune
	row, col  int
	noWrap    bool
	raw       strings.Builder
	unwritten []byte // the beginning of something that has not come whole
}

func newScreen(columns int) *screen { return &screen{columns: columns, lines: [][]rune{nil}} }

// sequence is an escape sequence of the kind that is understood here.
var sequence = regexp.MustCompile(`^\x1b\[(\??)([0-9;]*)([A-Za-z])`)

func (s *screen) write(text []byte) {
	s.raw.Write(text)
	text = append(s.unwritten, text...)
	for len(text) > 0 {
		n := s.one(text)
		if n == 0 {
			break
		}
		text = text[n:]
	}
	s.unwritten = append([]byte{}, text...)
}

// one takes one letter or sequence, and returns how long it is; 0 when there is only a part of it.
func (s *screen) one(text []byte) int {
	switch text[0] {
	case '\n':
		s.down()
		return 1
	case '\r':
		s.col = 0
		return 1
	case '\x1b':
		m := sequence.FindSubmatch(text)
		if m == nil {
			return 0
		}
		s.control(string(m[1]), string(m[2]), m[3][0])
		return len(m[0])
	}
	if !utf8.FullRune(text) {
		return 0
	}
	r, n := utf8.DecodeRune(text)
	s.put(r)
	return n
}

func (s *screen) put(r rune) {
	if s.col == s.columns {
		if s.noWrap {
			return
		}
		s.down()
		s.col = 0
	}
	line := s.lines[s.row]
	for len(line) <= s.col {
		line = append(line, ' ')
	}
	line[s.col] = r
	s.lines[s.row] = line
	s.col++
}

func (s *screen) down() {
	if s.row++; s.row == len(s.lines) {
		s.lines = append(s.lines, nil)
	}
}

func (s *screen) control(private, parameter string, final byte) {
	number := 0
	_, _ = fmt.Sscan(parameter, &number)
	switch {
	case final == 'A':
		s.row = max(0, s.row-max(1, number))
	case final == 'K':
		s.lines[s.row] = s.lines[s.row][:min(s.col, len(s.lines[s.row]))]
	case final == 'J':
		s.lines[s.row] = s.lines[s.row][:min(s.col, len(s.lines[s.row]))]
		s.lines = s.lines[:s.row+1]
	case private == "?" && number == 7:
		s.noWrap = final == 'l'
	}
}

func (s *screen) text() string {
	var b strings.Builder
	for _, line := range s.lines {
		b.WriteString(strings.TrimRight(string(line), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
