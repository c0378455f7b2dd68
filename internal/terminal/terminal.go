// Package terminal knows what the verbs print to, and how: whether it is a terminal and how wide, whether it takes colours, tables
// that fit into it, lines that are written over, and whether anybody reads at all.
package terminal

import (
	"io"

	"golang.org/x/term"
)

// descriptor is what of a file tells whether it is a terminal.
type descriptor interface{ Fd() uintptr }

// fd is that of the file behind a writer, if there is one.
func fd(w io.Writer) (uintptr, bool) {
	for {
		wrapper, ok := w.(interface{ Unwrap() io.Writer })
		if !ok {
			break
		}
		w = wrapper.Unwrap()
	}
	f, ok := w.(descriptor)
	if !ok {
		return 0, false
	}
	return f.Fd(), true
}

// Size returns the columns and lines of the terminal that w is, and false when it is none, or tells no size.
func Size(w io.Writer) (columns, lines int, ok bool) {
	file, ok := fd(w)
	if !ok || !term.IsTerminal(int(file)) {
		return 0, 0, false
	}
	columns, lines, err := term.GetSize(int(file))
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
