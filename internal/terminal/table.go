package terminal

import (
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

const (
	// gap is between two columns.
	gap = 3
	// leastShrunk is the width below which a column that shrinks is left out rather.
	leastShrunk = 20
	// leastIndent is how far in words begin that are below their heading.
	leastIndent = 2
	// ellipsis ends what was cut off.
	ellipsis = "…"
)

// Table is text in columns. The last column takes what is left of the width.
type Table struct {
	columns []Column
	rows    [][]Cell
	palette Palette
}

// Column is one column of a Table.
type Column struct {
	Name string
	// Leaves says which columns are left out where not all fit: those with the highest number first, 0 never.
	Leaves int
	// Least is how wide it is at least.
	Least int
}

// Cell is one text of a table, on one line and without what could steer a terminal.
type Cell struct {
	Text  string
	Paint Paint
}

// NewTable makes a table without rows.
func NewTable(palette Palette, columns ...Column) *Table {
	return &Table{columns: columns, palette: palette}
}

// Add adds a row, which has a cell for each column.
func (t *Table) Add(cells ...Cell) { t.rows = append(t.rows, cells) }

// Write prints the table with its header. See Lines.
func (t *Table) Write(w io.Writer, width int) error {
	_, err := io.WriteString(w, strings.Join(t.Lines(width), "\n")+"\n")
	return err
}

// Lines are the header and the rows. On a terminal of some width none is wider: columns are left out, then the last one is cut off, then
// what is still too wide. With width 0 everything is there.
func (t *Table) Lines(width int) []string {
	header := make([]Cell, len(t.columns))
	for i, c := range t.columns {
		header[i].Text = c.Name
	}
	all := append([][]Cell{header}, t.rows...)
	shown, widths := t.fit(all, width)
	lines := make([]string, len(all))
	for i, row := range all {
		lines[i] = t.line(row, shown, widths, width)
	}
	return lines
}

// Widen makes columns at least so wide, and returns how wide they are then: so a table that is printed bit by bit stays aligned.
func (t *Table) Widen(least []int) []int {
	for i, width := range least {
		t.columns[i].Least = width
	}
	widths := make([]int, len(t.columns))
	for i, column := range t.columns {
		widths[i] = max(Cells(column.Name), t.widest(t.rows, i))
	}
	return widths
}

// widest is how wide a column has to be.
func (t *Table) widest(rows [][]Cell, column int) int {
	widest := t.columns[column].Least
	for _, row := range rows {
		widest = max(widest, Cells(row[column].Text))
	}
	return widest
}

// fit chooses the columns that are shown, and how wide each is.
func (t *Table) fit(rows [][]Cell, width int) (shown, widths []int) {
	for i := range t.columns {
		shown, widths = append(shown, i), append(widths, t.widest(rows, i))
	}
	last := len(widths) - 1
	for width > 0 {
		before := 0
		for _, w := range widths[:last] {
			before += w + gap
		}
		switch left := width - before; {
		case left >= widths[last]:
			return shown, widths
		case left >= leastShrunk:
			widths[last] = left
			return shown, widths
		}
		leaves := t.firstToLeave(shown)
		if leaves < 0 {
			return shown, widths
		}
		shown = append(shown[:leaves], shown[leaves+1:]...)
		widths = append(widths[:leaves], widths[leaves+1:]...)
		last = len(widths) - 1
	}
	return shown, widths
}

// firstToLeave is the place among those shown of the column that is left out next; negative when none may be.
func (t *Table) firstToLeave(shown []int) int {
	place, highest := -1, 0
	for i, column := range shown {
		if leaves := t.columns[column].Leaves; leaves > highest {
			place, highest = i, leaves
		}
	}
	return place
}

func (t *Table) line(row []Cell, shown, widths []int, width int) string {
	var b strings.Builder
	left := width
	for i, column := range shown {
		cell := row[column]
		text := cell.Text
		if width > 0 {
			text = Cut(text, min(widths[i], left))
		}
		b.WriteString(t.palette.Paint(cell.Paint, text))
		if i == len(shown)-1 {
			break
		}
		space := widths[i] - Cells(text) + gap
		left -= widths[i] + gap
		if width > 0 && left <= 0 {
			break
		}
		b.WriteString(strings.Repeat(" ", space))
	}
	return strings.TrimRight(b.String(), " ")
}

// Cut returns a text that takes at most so many columns, with an ellipsis where something was cut off.
func Cut(text string, columns int) string {
	if Cells(text) <= columns {
		return text
	}
	var b strings.Builder
	taken := Cells(ellipsis)
	for _, r := range text {
		if taken += cells(r); taken > columns {
			break
		}
		b.WriteRune(r)
	}
	if columns < Cells(ellipsis) {
		return ""
	}
	return b.String() + ellipsis
}

// Cells is how many columns of a terminal a text takes.
func Cells(text string) int {
	n := 0
	for _, r := range text {
		n += cells(r)
	}
	return n
}

func cells(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r < unicode.MaxASCII:
		return 1
	}
	if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

// Wrap parts words into lines of at most so many columns. A word that is longer is broken: a terminal would do it anyway, and go on at its
// edge, where what a sidecar wrote could look like a line of ours.
func Wrap(words string, columns int) []string {
	var lines []string
	line, taken := "", 0
	for word := range strings.FieldsSeq(words) {
		n := Cells(word)
		switch {
		case n > columns:
			if line != "" {
				lines = append(lines, line)
			}
			pieces := broken(word, columns)
			lines, line = append(lines, pieces[:len(pieces)-1]...), pieces[len(pieces)-1]
			taken = Cells(line)
		case line == "":
			line, taken = word, n
		case taken+1+n > columns:
			lines = append(lines, line)
			line, taken = word, n
		default:
			line, taken = line+" "+word, taken+1+n
		}
	}
	return append(lines, line)
}

// broken is a word in pieces of at most so many columns, but of one character at least.
func broken(word string, columns int) []string {
	var pieces []string
	begin, taken := 0, 0
	for at, r := range word {
		n := cells(r)
		if taken+n > columns && at > begin {
			pieces = append(pieces, word[begin:at])
			begin, taken = at, 0
		}
		taken += n
	}
	return append(pieces, word[begin:])
}

// Hang wraps words behind a heading, in lines of at most so many columns: those after the first begin where the words do. Where there would
// be no room they are below the heading. With width 0 they are on one line.
func Hang(heading, words string, width int) string {
	at := Cells(heading)
	switch {
	case width <= 0:
		return heading + words
	case width-at < leastShrunk && at > leastIndent:
		heading, at = strings.TrimRight(heading, " ")+"\n"+strings.Repeat(" ", leastIndent), leastIndent
	}
	return heading + strings.Join(Wrap(words, width-at), "\n"+strings.Repeat(" ", at))
}
