package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is one document of a file.
type document struct {
	// root is what could be read of it; nil when that is nothing.
	root *yaml.Node
	// broken says why the rest cannot be read; nil when all was.
	broken *Problem
	// rest: it stands for all the documents that are too many.
	rest bool
}

// readYAML reads a stream of YAML documents. The text is cut at the document markers first, so that a document which
// is not YAML does not hide those after it; no YAML string can hold a marker at the start of a line (YAML 1.2
// section 9.1.2).
func readYAML(text []byte) []document {
	var docs []document
	budget, chunks := maxReread, 0
	for c := range cut(text) {
		if chunks++; chunks > maxDocuments {
			return append(docs, tooMany(c.line))
		}
		docs = append(docs, c.read(&budget, maxDocuments-len(docs))...)
		if len(docs) > maxDocuments {
			return docs
		}
	}
	return docs
}

// tooMany stands for the documents of a file that are not read, the first of them at this line.
func tooMany(line int) document {
	return document{rest: true, broken: &Problem{Line: line, Message: fmt.Sprintf(
		"more than %d documents in one file: split it into several files; nothing from here on is read", maxDocuments)}}
}

// maxReread is how many bytes of a file may be parsed once more to find out where it stops being YAML.
const maxReread = 1 << 20

// chunk is a piece of a file that begins at a line.
type chunk struct {
	line int // 1 is the first
	text []byte
}

// cut splits a YAML stream before each "---" and after each "...". A marker that follows nothing but blank lines,
// comments and directives still belongs to their chunk. Blank chunks are left out.
func cut(text []byte) iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		current, content := chunk{line: 1}, false
		var line, at int // behind the lines that were looked at, which are the text up to at
		begin := 0
		flush := func() bool {
			current.text, content = text[begin:at], false
			ok := len(bytes.TrimSpace(current.text)) == 0 || yield(current)
			current, begin = chunk{line: line + 1}, at
			return ok
		}
		for l := range bytes.Lines(text) {
			starts, ends := isMarker(l, "---"), isMarker(l, "...")
			if starts && content && !flush() {
				return
			}
			content = content || starts || !isPrologue(l)
			line, at = line+1, at+len(l)
			if ends && !flush() {
				return
			}
		}
		flush()
	}
}

// isMarker reports whether a line is the marker, alone or followed by white space.
func isMarker(line []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	return ok && (len(rest) == 0 || bytes.ContainsAny(rest[:1], " \t\r\n"))
}

// isPrologue reports whether a line may stand before a document's marker.
func isPrologue(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#' || line[0] == '%'
}

// read returns the documents of a chunk, and tooMany if there is no room for all. There is at most one, unless a line
// break that only YAML knows hid a marker from cut.
func (c chunk) read(budget *int, room int) []document {
	var docs []document
	dec := yaml.NewDecoder(bytes.NewReader(c.text))
	for {
		var node yaml.Node
		err := dec.Decode(&node)
		switch {
		case errors.Is(err, io.EOF):
			return docs
		case err != nil:
			return append(docs, c.explain(err, budget))
		case len(node.Content) > 0:
			shift(&node, c.line-1)
			if len(docs) == room {
				return append(docs, tooMany(node.Content[0].Line))
			}
			docs = append(docs, document{root: node.Content[0]})
		}
	}
}

// shift moves a tree's lines from those of the chunk to those of the file.
func shift(n *yaml.Node, by int) {
	n.Line += by
	for _, child := range n.Content {
		shift(child, by)
	}
}

var yamlErrorLine = regexp.MustCompile(`^line (\d+): `)

// explain turns the library's error into a problem with the line of the file, and keeps what can be read before it.
// The line to mend is where the chunk stops being readable. The library's own line helps to find it: its scanner's is
// that line or one before it, its parser's may be any.
func (c chunk) explain(err error, budget *int) document {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line, scanner := 1, false
	if m := yamlErrorLine.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
		line, _ = strconv.Atoi(m[1])
		scanner = !strings.HasPrefix(message, "did not find expected")
	}
	root, stop := c.readableBefore(line, budget)
	if stop > line || !scanner {
		line = stop
	}
	return document{root: root, broken: &Problem{
		Line:    c.line - 1 + line,
		Message: fmt.Sprintf("not YAML: %s; the rest of this document is not read", printable(message, 200)),
	}}
}

// readableBefore returns what can be read before the line where the chunk stops being YAML, and that line. It looks
// from the hint on, or back.
func (c chunk) readableBefore(hint int, budget *int) (*yaml.Node, int) {
	lines := bytes.SplitAfter(c.text, []byte("\n"))
	bad := max(1, min(hint, len(lines)))
	root, ok := parsePrefix(lines[:bad-1], budget)
	if !ok {
		for !ok && bad > 1 && *budget > 0 {
			bad--
			root, ok = parsePrefix(lines[:bad-1], budget)
		}
		return root, bad
	}
	for bad < len(lines) {
		longer, ok := parsePrefix(lines[:bad], budget)
		if !ok {
			break
		}
		root = longer
		bad++
	}
	return root, bad
}

// parsePrefix reads the first document of some lines; nil if there is none. It is not ok beyond the budget.
func parsePrefix(lines [][]byte, budget *int) (root *yaml.Node, ok bool) {
	text := bytes.Join(lines, nil)
	if *budget -= len(text); *budget < 0 {
		return nil, false
	}
	var node yaml.Node
	if yaml.Unmarshal(text, &node) != nil {
		return nil, false
	}
	if len(node.Content) > 0 {
		root = node.Content[0]
	}
	return root, true
}
