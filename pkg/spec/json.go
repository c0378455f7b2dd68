package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxJSONDepth is far above what a CredProxy needs.
const maxJSONDepth = 100

// readJSON reads JSON documents, one after the other, as the nodes that YAML would give.
func readJSON(text []byte) []document {
	r := jsonReader{text: text, dec: json.NewDecoder(bytes.NewReader(text)), line: 1}
	r.dec.UseNumber()
	var docs []document
	for {
		root := &yaml.Node{}
		err := r.value(root, 0)
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			return append(docs, document{root: root, broken: r.explain(err)})
		}
		if len(docs) == maxDocuments {
			return append(docs, tooMany(root.Line))
		}
		docs = append(docs, document{root: root})
	}
}

// jsonReader counts lines while it reads tokens.
type jsonReader struct {
	text []byte
	dec  *json.Decoder
	// line is that of the byte at offset.
	line   int
	offset int
}

var errTooDeep = fmt.Errorf("nested deeper than %d levels", maxJSONDepth)

// value reads one value into n. On an error n holds what could be read. io.EOF means that there is no value.
func (r *jsonReader) value(n *yaml.Node, depth int) error {
	token, err := r.dec.Token()
	if err != nil {
		return err
	}
	n.Line = r.lineAt(int(r.dec.InputOffset()))
	delim, ok := token.(json.Delim)
	if !ok {
		n.Kind = yaml.ScalarNode
		n.Tag, n.Value = scalarOf(token)
		return nil
	}
	n.Kind, n.Tag = yaml.MappingNode, "!!map"
	if delim == '[' {
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
	}
	if depth >= maxJSONDepth {
		return errTooDeep
	}
	return r.children(n, depth)
}

// children reads up to the closing bracket. Keys are children of their object, as in YAML.
func (r *jsonReader) children(n *yaml.Node, depth int) error {
	for r.dec.More() {
		child := &yaml.Node{}
		if err := r.value(child, depth+1); err != nil {
			return unexpectedEnd(err)
		}
		n.Content = append(n.Content, child)
	}
	_, err := r.dec.Token()
	return unexpectedEnd(err)
}

func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// scalarOf gives a token the tag that YAML would.
func scalarOf(token json.Token) (tag, value string) {
	switch t := token.(type) {
	case string:
		return "!!str", t
	case bool:
		return "!!bool", fmt.Sprint(t)
	case json.Number:
		if strings.ContainsAny(t.String(), ".eE") {
			return "!!float", t.String()
		}
		return "!!int", t.String()
	default:
		return "!!null", ""
	}
}

// lineAt is the line of an offset that is not before the last one asked for.
func (r *jsonReader) lineAt(offset int) int {
	r.line += bytes.Count(r.text[r.offset:offset], []byte("\n"))
	r.offset = offset
	return r.line
}

// explain says where and why reading ended.
func (r *jsonReader) explain(err error) *Problem {
	at := int(r.dec.InputOffset())
	at += len(r.text[at:]) - len(bytes.TrimLeft(r.text[at:], " \t\r\n"))
	message := err.Error()
	if errors.Is(err, io.ErrUnexpectedEOF) {
		message = "the file ends in the middle of a value"
		at = len(bytes.TrimRight(r.text, " \t\r\n"))
	}
	return &Problem{
		Line:    r.lineAt(at),
		Message: fmt.Sprintf("not JSON: %s; the rest of this file is not read", printable(message, 200)),
	}
}
