package terminal

import (
	"fmt"
	"io"
)

// Modes of colour.
const (
	ColourAuto   = "auto" // on terminals that have not asked for none
	ColourAlways = "always"
	ColourNever  = "never"
)

// ColourModes lists every mode.
func ColourModes() []string { return []string{ColourAuto, ColourAlways, ColourNever} }

// Palette colours texts, or leaves them as they are; the zero value does that.
type Palette struct{ on bool }

// NewPalette returns the palette for what is printed to w. With ColourAuto there are colours on a terminal, unless NO_COLOR is set to
// anything (https://no-color.org) or TERM is dumb.
func NewPalette(mode string, w io.Writer, getenv func(string) string) Palette {
	if mode != ColourAuto {
		return Palette{on: mode == ColourAlways}
	}
	_, _, isTerminal := Size(w)
	return Palette{on: isTerminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
}

// The paints. None is for the zero Paint.
const (
	Green  Paint = 32
	Yellow Paint = 33
	Red    Paint = 31
	Cyan   Paint = 36
	Bold   Paint = 1
	Dim    Paint = 2
)

// Paint is a colour or weight, by its number in ECMA-48 section 8.3.117 (SGR).
type Paint int

// Paint returns the text in a colour; as it is for the zero Paint, for no text, and where there are no colours.
func (p Palette) Paint(with Paint, text string) string {
	if !p.on || with == 0 || text == "" {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", with, text)
}
