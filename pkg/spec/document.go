package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
}

// readYAML reads a stream of YAML documents. The text is cut at the document markers first, so that a document which
// is not YAML does not hide those after it; no YAML string can hold a marker at the start of a line (YAML 1.2
// section 9.1.2).
func readYAML(text []byte) []document {
	var docs []document
	for _, c := range cut(text) {
		docs = append(docs, c.read()...)
	}
	return docs
}

// chunk is a piece of a file that begins at a line.
type chunk struct {
	line int // 1 is the first
	text []byte
}

// cut splits a YAML stream before each "---" and after each "...". A marker that follows nothing but blank lines,
// comments and directives still belongs to their chunk.
func cut(text []byte) []chunk {
	var chunks []chunk
	current := chunk{line: 1}
	flush := func(next int) {
		chunks = append(chunks, current)
		current = chunk{line: next}
	}
	content := false
	line := 1
	for l := range bytes.Lines(text) {
		starts, ends := isMarker(l, "---"), isMarker(l, "...")
		if starts && content {
			flush(line)
		}
		current.text = append(current.text, l...)
		content = starts || (content || !isPrologue(l))
		line++
		if ends {
			flush(line)
			content = false
		}
	}
	return append(chunks, current)
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

// read returns the documents of a chunk. There is at most one, unless a line break that only YAML knows hid a marker
// from cut.
func (c chunk) read() []document {
	var docs []document
	dec := yaml.NewDecoder(bytes.NewReader(c.text))
	for {
		var node yaml.Node
		err := dec.Decode(&node)
		switch {
		case errors.Is(err, io.EOF):
			return docs
		case err != nil:
			return append(docs, c.explain(err))
		case len(node.Content) > 0:
			shift(&node, c.line-1)
			docs = append(docs, document{root: node.Content[0]})
		}
	}
}

// shift moves a tree's lines from those of the chunk to those of the file. Aliases are not followed: what they stand
// for is in the tree once.
func shift(n *yaml.Node, by int) {
	n.Line += by
	for _, child := range n.Content {
		shift(child, by)
	}
}

var yamlErrorLine = regexp.MustCompile(`^line (\d+): `)

// explain turns the library's error into a problem with the line of the file, and keeps what can be read before it.
func (c chunk) explain(err error) document {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := yamlErrorLine.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
		line, _ = strconv.Atoi(m[1])
		if strings.HasPrefix(message, "did not find expected") {
			line++ // the library's parser counts from 0, unlike its scanner
		}
	}
	root, line := c.readableBefore(line)
	return document{root: root, broken: &Problem{
		Line:    c.line - 1 + line,
		Message: fmt.Sprintf("not YAML: %s; the rest of this document is not read", printable(message, 200)),
	}}
}

const (
	maxPrefixBytes = 64 << 10
	maxPrefixTries = 200
)

// readableBefore returns the longest beginning of the chunk, from the given line on, that is YAML, and the line after
// it. The library names the line where the surrounding block began, which may be far above the line to mend.
func (c chunk) readableBefore(line int) (*yaml.Node, int) {
	lines := bytes.SplitAfter(c.text, []byte("\n"))
	var root *yaml.Node
	at := max(1, min(line, len(lines)))
	for try := 0; try < maxPrefixTries; try++ {
		prefix := bytes.Join(lines[:at-1], nil)
		if len(prefix) > maxPrefixBytes {
			break
		}
		var node yaml.Node
		if yaml.Unmarshal(prefix, &node) != nil {
			return root, max(1, at-1)
		}
		if len(node.Content) > 0 {
			root = node.Content[0]
		}
		if at == len(lines) {
			return root, at
		}
		at++
	}
	return root, line
}
