package page

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/source"
)

// file is one file of specs.
type file struct {
	Path  string
	State mark
	// Note says what becomes of what it declared.
	Note     string
	Declares []link
	Problems []fileProblem
}

// fileProblem is one thing wrong with a file.
type fileProblem struct{ Place, Field, Message string }

// filesPage is the list of files.
type filesPage struct {
	// ScanErr says why not every file could be read; empty when all were.
	ScanErr      string
	Query, State string
	Problems     []string
	States       []choice
	Shown        []file
	All          int
}

// Any reports whether the filter leaves anything out.
func (p filesPage) Any() bool { return p.Query != "" || p.State != "" }

func fileStates() []string {
	return []string{string(source.FileValid), string(source.FileInvalid), string(source.FileEmpty)}
}

// filesOf lists the files that a URL asks for, the bad ones first.
func filesOf(all []source.FileStatus, scanErr error, values url.Values) filesPage {
	var f filter
	p := filesPage{Query: searched(values), State: f.pick(values, "state", fileStates()), All: len(all)}
	p.Problems, p.States = f.Problems, choices(fileStates(), p.State)
	if scanErr != nil {
		p.ScanErr = scanErr.Error()
	}
	for _, one := range all {
		if (p.State == "" || string(one.State) == p.State) && contains(p.Query, func() string { return textOf(one) }) {
			p.Shown = append(p.Shown, fileOf(one))
		}
	}
	slices.SortStableFunc(p.Shown, func(a, b file) int {
		return cmp.Or(a.State.Level.rank()-b.State.Level.rank(), cmp.Compare(a.Path, b.Path))
	})
	return p
}

func textOf(f source.FileStatus) string {
	words := append([]string{f.Path}, f.Declares...)
	for _, p := range f.Errors {
		words = append(words, p.Field, p.Message)
	}
	return strings.ToLower(strings.Join(words, "\n"))
}

func fileOf(f source.FileStatus) file {
	out := file{Path: f.Path, State: mark{fine, string(f.State)}}
	switch f.State {
	case source.FileInvalid:
		out.State.Level = bad
	case source.FileEmpty:
		out.State.Level = warning
	}
	if f.LastGood {
		out.Note = "What it declared when it was last good stays in force."
	}
	for _, name := range f.Declares {
		out.Declares = append(out.Declares, link{name, environmentURL(name)})
	}
	for _, p := range f.Errors {
		out.Problems = append(out.Problems, fileProblem{place(f.Path, p.Line), p.Field, p.Message})
	}
	return out
}
