// Package fences reads the fenced blocks of documents: what each is, and how it is to be tested. Of the commands of a page it
// makes one script, so that a document is run as a reader would type it.
package fences

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Block is one fenced block of a page.
type Block struct {
	// Page is the path of the document, and Line the number of the first line inside the block; 1 is the page's first.
	Page string
	Line int
	// Language is the first word of the info string, such as sh; empty when there is none.
	Language string
	// Text is what is inside, without the indentation of the fence.
	Text string
	// Way is how the block is tested, and Why says more: the reason of NotRun, the test of CheckedBy.
	Way Way
	Why string
	// Until says that the commands only look at what comes about by itself: they are run until they print what the page says.
	Until bool
}

// untilSo is what the comment of such a block ends with.
const untilSo = ", until it is so"

// Way is how a block is tested.
type Way string

// The ways. All but the first are written as a comment on the line above the fence, which no reader sees.
const (
	// ByLanguage is the way of blocks without a comment: what can be said of them follows from their language.
	ByLanguage Way = ""
	// OnEngine are commands that are run on a machine with an engine: <!-- run: with an engine -->.
	OnEngine Way = "run: with an engine"
	// WithoutEngine are commands that need none: <!-- run: without an engine -->.
	WithoutEngine Way = "run: without an engine"
	// NotRun are commands that cannot be run in a test: <!-- not run: REASON -->. They are parsed.
	NotRun Way = "not run"
	// CheckedBy are blocks that a test of their own looks at: <!-- checked by: TestName -->.
	CheckedBy Way = "checked by"
)

// Where names the block for people, as file:line.
func (b Block) Where() string { return fmt.Sprintf("%s:%d", b.Page, b.Line) }

// IsShell reports whether the block holds commands.
func (b Block) IsShell() bool { return b.Language == "sh" || b.Language == "console" }

var (
	fence  = regexp.MustCompile("^( *)(```+|~~~+) *([^`\\s]*)[^`]*$")
	remark = regexp.MustCompile(`^\s*<!-- *((?:run|not run|checked by): *\S.*?) *-->\s*$`)
)

// Read finds the blocks of a page. A fence that is not closed, and a comment that belongs to no block or says what is not
// known, are errors.
func Read(page, text string) ([]Block, error) {
	r := reader{page: page, lines: strings.Split(text, "\n")}
	for r.next < len(r.lines) {
		if err := r.step(); err != nil {
			return nil, err
		}
	}
	return r.blocks, r.lonely()
}

// reader goes through the lines of a page.
type reader struct {
	page  string
	lines []string
	next  int
	// said is the comment that waits for its block, and at the line where it stands.
	said, at string
	blocks   []Block
}

func (r *reader) here() string { return fmt.Sprintf("%s:%d", r.page, r.next+1) }

func (r *reader) lonely() error {
	if r.said != "" {
		return fmt.Errorf("%s: the comment %q stands above no block", r.at, r.said)
	}
	return nil
}

func (r *reader) step() error {
	line := r.lines[r.next]
	if m := remark.FindStringSubmatch(line); m != nil {
		if err := r.lonely(); err != nil {
			return err
		}
		r.said, r.at = m[1], r.here()
		r.next++
		return nil
	}
	if m := fence.FindStringSubmatch(line); m != nil {
		return r.block(len(m[1]), m[2], m[3])
	}
	if strings.TrimSpace(line) != "" {
		if err := r.lonely(); err != nil {
			return err
		}
	}
	r.next++
	return nil
}

// block takes the lines up to the fence that ends it.
func (r *reader) block(indent int, mark, language string) error {
	opened := r.here()
	b := Block{Page: r.page, Line: r.next + 2, Language: language}
	var err error
	said, until := strings.CutSuffix(r.said, untilSo)
	if b.Way, b.Why, err = way(said); err != nil {
		return fmt.Errorf("%s: %w", r.at, err)
	}
	b.Until = until && b.IsShell()
	r.said = ""
	rest := r.lines[r.next+1:]
	end := slices.IndexFunc(rest, func(line string) bool {
		line = strings.TrimSpace(line)
		return strings.HasPrefix(line, mark) && strings.Trim(line, mark[:1]) == ""
	})
	if end < 0 {
		return fmt.Errorf("%s: the block is not closed", opened)
	}
	for _, line := range rest[:end] {
		b.Text += strings.TrimPrefix(line, strings.Repeat(" ", min(indent, len(line)-len(strings.TrimLeft(line, " "))))) + "\n"
	}
	r.next += end + 2
	r.blocks = append(r.blocks, b)
	return nil
}

// way reads a comment.
func way(said string) (Way, string, error) {
	switch kind, why, _ := strings.Cut(said, ":"); {
	case said == "":
		return ByLanguage, "", nil
	case said == string(OnEngine), said == string(WithoutEngine):
		return Way(said), "", nil
	case kind == string(NotRun), kind == string(CheckedBy):
		return Way(kind), strings.TrimSpace(why), nil
	}
	return "", "", fmt.Errorf("%q is none of <!-- %s -->, <!-- %s -->, <!-- %s: REASON --> and <!-- %s: TestName -->",
		said, OnEngine, WithoutEngine, NotRun, CheckedBy)
}
