package cli

import (
	"io"
	"strings"

	"github.com/spf13/pflag"

	"credproxy.dev/controller/internal/terminal"
)

// screen is what a verb prints tables and texts for people to.
type screen struct {
	io.Writer
	palette terminal.Palette
}

// width is that of a terminal; 0 for anything else, where nothing is left out and nothing wrapped.
func (s *screen) width() int { return terminal.Width(s, maxWidth, 0) }

// wrapped is a text in lines that fit, of which all but the first are indented.
func (s *screen) wrapped(text string) string {
	const indent = "  "
	width := s.width()
	if width == 0 {
		return text
	}
	return strings.Join(terminal.Wrap(text, width-len(indent)), "\n"+indent)
}

// leastBeside is how many columns words need beside a heading; with fewer they have lines of their own.
const leastBeside = 32

// hang wraps words behind a heading, or below it where there is no room beside. With width 0 all is on one line.
func hang(heading, words string, width int) string {
	if width == 0 || width-terminal.Cells(heading) >= leastBeside {
		return terminal.Hang(heading, words, width)
	}
	return terminal.Cut(strings.TrimSpace(heading), width) + "\n" + terminal.Hang("  ", words, width)
}

// maxWidth is wider than any terminal.
const maxWidth = 1 << 16

// unwrap lets terminal.Size see what is behind the screen.
func (s *screen) Unwrap() io.Writer { return s.Writer }

// lookForReader finds out whether anybody still reads, for verbs that go on without printing; ctx ends when nobody does.
func (s *screen) lookForReader() {
	if pipe, ok := s.Writer.(*terminal.Pipe); ok {
		pipe.Look()
	}
}

// colourFlag adds --color.
func colourFlag(f *pflag.FlagSet, mode *string) {
	f.StringVar(mode, "color", terminal.ColourAuto, "colours: auto (on a terminal, unless NO_COLOR is set or TERM is dumb), always or never")
	choose(f, "color", terminal.ColourModes()...)
}

// newScreen is where people are told, in colours if that is wanted there.
func newScreen(sys System, mode string) *screen {
	return &screen{sys.Stdout, terminal.NewPalette(mode, sys.Stdout, getenv(sys))}
}
