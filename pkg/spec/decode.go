package spec

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"
)

// maxProblems bounds what is said of one file, so that a hostile one cannot fill logs and answers.
const maxProblems = 1000

// Options are what the operator decides about specs.
type Options struct {
	// Hostname and Port are the defaults of those fields; zero values mean DefaultHostname and DefaultPort.
	Hostname string
	Port     int32
	// AllowCustomImages permits spec.image.
	AllowCustomImages bool
}

// Decoded is all that one file says.
type Decoded struct {
	// Objects are the documents without a problem, defaults set, in order.
	Objects []DecodedObject
	// Problems are everything wrong with the file, in order of lines.
	Problems []Problem
	// Names are the names that the file can be read to hold, good objects and bad ones alike, each once.
	Names []string
	// Parsed is false when some part of the file is not YAML or JSON at all, or is a CredProxy whose name cannot
	// be read, so that it might hold other names.
	Parsed bool
}

// DecodedObject is one good document.
type DecodedObject struct {
	CredProxy *CredProxy
	// Line is where the document begins, and NameLine where its metadata.name stands; 1 is the first.
	Line, NameLine int
}

// Decode reads every document of a file strictly: JSON when the file's name ends in .json, else YAML. Documents that
// are empty are skipped. A document is among Objects or has Problems, never both.
func Decode(file string, data []byte, opts Options) Decoded {
	out := Decoded{Parsed: true}
	names := sets.New[string]()
	for _, doc := range documents(file, data) {
		for _, name := range namesIn(doc.root) {
			if !names.Has(name) {
				names.Insert(name)
				out.Names = append(out.Names, name)
			}
		}
		out.add(doc, opts)
	}
	slices.SortStableFunc(out.Problems, func(a, b Problem) int { return a.Line - b.Line })
	if more := len(out.Problems) - maxProblems; more > 0 {
		out.Problems = append(out.Problems[:maxProblems:maxProblems], Problem{
			Message: fmt.Sprintf("and %d more problems; mend these first", more),
		})
	}
	for i := range out.Problems {
		out.Problems[i].File = file
	}
	return out
}

// documents finds the documents of a file in the format that its name tells.
func documents(file string, data []byte) []document {
	text, broken := asText(data)
	switch {
	case broken != nil:
		return []document{{broken: broken}}
	case strings.EqualFold(filepath.Ext(file), ".json"):
		return readJSON(text)
	default:
		return readYAML(text)
	}
}

// add takes the objects and problems of one document into what the file says.
func (d *Decoded) add(doc document, opts Options) {
	if doc.broken != nil {
		d.Parsed = false
		d.Problems = append(d.Problems, *doc.broken)
		return
	}
	if isNull(doc.root) {
		return
	}
	if mayHideName(doc.root) {
		d.Parsed = false
	}
	object, problems := decodeObject(doc.root, opts)
	d.Problems = append(d.Problems, problems...)
	if len(problems) == 0 {
		d.Objects = append(d.Objects, DecodedObject{CredProxy: object, Line: doc.root.Line, NameLine: nameLine(doc.root)})
	}
}
