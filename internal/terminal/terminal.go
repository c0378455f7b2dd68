// Package terminal knows what the verbs print to: whether it is a terminal, how wide, and whether it takes colours.
package terminal

import (
	"io"

	"golang.org/x/term"
)

// descriptor is what of a file tells whether it is a terminal.
type descriptor interface{ Fd() uintptr }

// Size returns the columns and lines of the terminal that w is, and false when it is none, or tells no size.
func Size(w io.Writer) (columns, lines int, ok bool) {
	f, isFile := w.(descriptor)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, 0, false
	}
	columns, lines, err := term.GetSize(int(f.Fd()))
	return columns, lines, err == nil && columns > 0
}

// Width returns how wide texts are printed to w: as wide as a terminal, but not wider than most, or else byDefault.
func Width(w io.Writer, most, byDefault int) int {
	columns, _, ok := Size(w)
	if !ok {
		return byDefault
	}
	return min(columns, most)
}
