package dockerdriver

import (
	"bytes"
	"strings"
	"unicode"
)

const (
	// maxLine bounds what is kept of one line of a sidecar, in bytes.
	maxLine = 16 << 10
	// maxNoted bounds what is kept of a line for people, in bytes.
	maxNoted = 2 << 10
	// maxShown bounds a line that is shown to people, in bytes.
	maxShown = 512
	// keptLines is how many lines for people are kept of each container.
	keptLines = 20
)

// lineWriter cuts a stream into lines. It keeps the beginning of a line that is longer than maxLine, and says so.
type lineWriter struct {
	emit    func(line []byte, cut bool)
	line    []byte
	tooLong bool
}

// Write implements io.Writer. It never fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		part, after, ended := bytes.Cut(rest, []byte("\n"))
		w.add(part)
		if ended {
			w.flush()
		}
		rest = after
	}
	return len(p), nil
}

func (w *lineWriter) add(part []byte) {
	room := maxLine - len(w.line)
	if len(part) > room {
		part, w.tooLong = part[:room], true
	}
	w.line = append(w.line, part...)
}

// flush ends the line in hand.
func (w *lineWriter) flush() {
	if len(w.line) > 0 {
		w.emit(w.line, w.tooLong)
	}
	w.line, w.tooLong = w.line[:0], false
}

// clean makes text of a sidecar safe to show: one line of valid UTF-8 without control characters, terminal
// sequences or marks that turn the direction of writing, of at most limit bytes.
func clean(text string, limit int) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\t':
			r = ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			continue
		}
		if b.Len()+len(string(r)) > limit {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
