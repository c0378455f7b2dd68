package spec

import "fmt"

// Problem is one thing wrong with a file, in words that say what to do.
type Problem struct {
	// File is the ShownPath of the file.
	File string `json:"-"`
	// Line is 1 for the first; 0 when the problem is of the whole file.
	Line int `json:"line"`
	// Field is the path within the object, such as spec.routes[0].upstream; empty for the whole document.
	Field   string `json:"field"`
	Message string `json:"message"`
}

// String writes file:line: field: message, leaving out what is not known.
func (p Problem) String() string {
	s := p.Message
	if p.Field != "" {
		s = p.Field + ": " + s
	}
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, s)
	}
	return p.File + ": " + s
}

// Bounds of what a problem repeats from a file.
const (
	maxFieldLength   = 300
	maxMessageLength = 1000
	// maxNameLength is that of a DNS name. Nothing longer is the name of any sidecar.
	maxNameLength = 253
)

// problemAt makes a problem that is safe to print.
func problemAt(field string, line int, message string) Problem {
	return Problem{Line: line, Field: printable(field, maxFieldLength), Message: printable(message, maxMessageLength)}
}

// report collects problems up to a limit, so that what is wrong with a file costs no more than is said of it.
type report struct {
	problems []Problem
	limit    int
	// more is true once there was a problem beyond the limit: then nothing more need be looked for.
	more bool
}

func (r *report) add(p Problem) {
	if r.room() <= 0 {
		r.more = true
		return
	}
	r.problems = append(r.problems, p)
}

// room is how many problems can be added.
func (r *report) room() int { return r.limit - len(r.problems) }
