package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// Live is some lines of a terminal that are written over. It is safe for use by several goroutines.
type Live struct {
	to io.Writer

	mu    sync.Mutex
	lines []string // as they were drawn last
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
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.back() + l.drawing(lines)
	l.lines = lines
	_, err := io.WriteString(l.to, text)
	return err
}

// back leads to where the lines begin.
func (l *Live) back() string {
	if len(l.lines) == 0 {
		return ""
	}
	return fmt.Sprintf(upward, len(l.lines))
}

func (l *Live) drawing(lines []string) string {
	var b strings.Builder
	b.WriteString(noWrap)
	for _, line := range lines {
		b.WriteString(line + eraseRight + "\n")
	}
	b.WriteString(eraseBelow + wrap)
	return b.String()
}

// Leave leaves the lines as they are: what is written next comes below them.
func (l *Live) Leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = nil
}

// Beside makes a writer to the same terminal whose whole lines come above those that are drawn.
func (l *Live) Beside(to io.Writer) io.Writer { return beside{l, to} }

type beside struct {
	live *Live
	to   io.Writer
}

// Write implements io.Writer.
func (b beside) Write(text []byte) (int, error) {
	l := b.live
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == 0 {
		return b.to.Write(text)
	}
	if _, err := io.WriteString(l.to, l.back()+eraseBelow); err != nil {
		return 0, err
	}
	n, err := b.to.Write(text)
	if _, drawing := io.WriteString(l.to, l.drawing(l.lines)); err == nil {
		err = drawing
	}
	return n, err
}

// Unwrap returns what is written to.
func (b beside) Unwrap() io.Writer { return b.to }
