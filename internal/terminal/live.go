package terminal

import (
	"fmt"
	"io"
	"strings"
)

// Live is some lines of a terminal that are written over.
type Live struct {
	to    io.Writer
	drawn int
}

// NewLive makes one that begins where the cursor is.
func NewLive(to io.Writer) *Live { return &Live{to: to} }

// Escape sequences of ECMA-48 and, for the wrapping of lines, of DEC's terminals, which all others have taken over. Lines are not to be
// wrapped while they are drawn: a wrapped one takes two, and the cursor would not find back.
const (
	noWrap     = "\x1b[?7l"
	wrap       = "\x1b[?7h"
	eraseRight = "\x1b[K"
	eraseBelow = "\x1b[J"
	upward     = "\x1b[%dA\r"
)

// Draw puts lines in the place of those that were drawn before. There should be fewer than the terminal has.
func (l *Live) Draw(lines []string) error {
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, upward, l.drawn)
	}
	b.WriteString(noWrap)
	for _, line := range lines {
		b.WriteString(line + eraseRight + "\n")
	}
	b.WriteString(eraseBelow + wrap)
	l.drawn = len(lines)
	_, err := io.WriteString(l.to, b.String())
	return err
}
