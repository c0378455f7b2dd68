package spec

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/sets"
)

// tally sums up the documents of one file, within the bounds of a file.
type tally struct {
	file   string // as it is shown
	opts   Options
	out    Decoded
	report report
	// names and invalid are the names of out.
	names, invalid sets.Set[string]
}

func newTally(file string, opts Options) *tally {
	return &tally{
		file: file, opts: opts, out: Decoded{Parsed: true}, report: report{limit: maxProblems},
		names: sets.New[string](), invalid: sets.New[string](),
	}
}

// add takes in one document.
func (t *tally) add(doc document) {
	names := namesIn(doc.root, maxNames+1)
	t.hold(names)
	if doc.broken != nil {
		t.out.Parsed = false
		if doc.rest {
			t.report.limit++ // Whatever else is too much to say, this is said.
		}
		t.blame(names, report{problems: []Problem{*doc.broken}})
		return
	}
	if isNull(doc.root) {
		return
	}
	if mayHideName(doc.root, len(names) > 0) {
		t.out.Parsed = false
	}
	// A document is judged even when nothing more is said of the file: it may be good.
	object, found := decodeObject(doc.root, t.opts, max(1, t.report.room()))
	if len(found.problems) == 0 {
		t.out.Objects = append(t.out.Objects, DecodedObject{CredProxy: object, Line: doc.root.Line, NameLine: nameLine(doc.root)})
		return
	}
	t.blame(names, found)
}

// hold takes in the names of a document.
func (t *tally) hold(names []string) {
	for _, name := range names {
		switch {
		case t.names.Has(name):
		case len(t.names) == maxNames:
			t.out.Parsed = false
		default:
			t.names.Insert(name)
			t.out.Names = append(t.out.Names, name)
		}
	}
}

// blame takes in what is wrong with the document that has these names.
func (t *tally) blame(names []string, found report) {
	for i := range found.problems {
		found.problems[i].File = t.file
		t.report.add(found.problems[i])
	}
	t.report.more = t.report.more || found.more
	byLine(found.problems)
	for _, name := range names {
		if t.names.Has(name) && !t.invalid.Has(name) && len(content.IsDNS1123Label(name)) == 0 {
			t.invalid.Insert(name)
			t.out.Invalid = append(t.out.Invalid, InvalidObject{Name: name, Problems: slices.Clip(found.problems)})
		}
	}
}

// done returns the sum.
func (t *tally) done() Decoded {
	byLine(t.report.problems)
	t.out.Problems = t.report.problems
	if t.report.more {
		t.out.Problems = append(t.out.Problems, Problem{File: t.file, Message: "and more problems; mend these first"})
	}
	return t.out
}

func byLine(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
}
