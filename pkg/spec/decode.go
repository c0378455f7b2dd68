package spec

import (
	"path/filepath"
	"strings"
)

// Bounds of one file, so that a hostile one costs little and cannot fill logs and answers.
const (
	maxProblems  = 1000
	maxDocuments = 256
	// maxNames is for documents that repeat their names: good ones have one each.
	maxNames = maxDocuments
)

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
	// Problems are everything wrong with the file, in order of lines. Of too many the last says that there are more.
	Problems []Problem
	// Invalid are the names that documents with problems can be read to hold, in order, each once. Those that are not DNS
	// labels are left out: no spec can have them.
	Invalid []InvalidObject
	// Names are the names that the file can be read to hold, good objects and bad ones alike, each once.
	Names []string
	// Parsed is false when some part of the file is not YAML or JSON at all, is not read because the file holds too much,
	// or is a CredProxy whose name cannot be read, so that it might hold other names.
	Parsed bool
}

// DecodedObject is one good document.
type DecodedObject struct {
	CredProxy *CredProxy
	// Line is where the document begins, and NameLine where its metadata.name stands; 1 is the first.
	Line, NameLine int
}

// InvalidObject is a name, and what is wrong with the first bad document that has it.
type InvalidObject struct {
	Name string
	// Problems has at least one.
	Problems []Problem
}

// Decode reads every document of a file strictly: JSON when the file's name ends in .json, else YAML. Documents that
// are empty are skipped. A document is among Objects or has Problems, never both. Problems name the file by its
// ShownPath.
func Decode(file string, data []byte, opts Options) Decoded {
	t := newTally(ShownPath(file), opts)
	for _, doc := range documents(file, data) {
		t.add(doc)
	}
	return t.done()
}

// documents finds the documents of a file in the format that its name tells: at most maxDocuments that are not broken.
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
