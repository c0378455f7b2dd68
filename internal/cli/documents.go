package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	goyaml "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"credproxy.dev/controller/pkg/spec"
)

// Documents for programs are read by people too, and their texts may be what a spec's author or a sidecar wrote: what could steer a terminal
// is written as escapes, which mean the same.

// printJSON prints a document of JSON.
func printJSON(w io.Writer, v any) error {
	doc, err := json.MarshalIndent(v, "", "  ")
	return writeJSON(w, doc, err)
}

// printJSONLine prints a document of JSON on a line.
func printJSONLine(w io.Writer, v any) error {
	doc, err := json.Marshal(v)
	return writeJSON(w, doc, err)
}

// writeJSON writes a document that could be encoded.
func writeJSON(w io.Writer, doc []byte, err error) error {
	if err == nil {
		_, err = io.WriteString(w, escapeUnprintable(string(doc))+"\n")
	}
	return err
}

// printYAML prints a document of YAML. Whatever texts are in it, it can be written: YAML takes no control characters but as escapes.
func printYAML(w io.Writer, v any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return err
	}
	text, err := yaml.JSONToYAML([]byte(escapeForYAML(string(doc))))
	if err != nil {
		return err
	}
	if bytes.ContainsFunc(text, steersInYAML) {
		if text, err = withEscapes(text); err != nil {
			return err
		}
	}
	_, err = w.Write(text)
	return err
}

// withEscapes is a document of YAML with each text in quotes that has what is to be an escape: outside of quotes YAML has none.
func withEscapes(text []byte) ([]byte, error) {
	var doc goyaml.Node
	if err := goyaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	quote(&doc)
	var b bytes.Buffer
	encoder := goyaml.NewEncoder(&b)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent() // as it is where nothing is escaped
	if err := encoder.Encode(&doc); err != nil {
		return nil, err
	}
	return []byte(escapeForYAML(b.String())), nil
}

func quote(n *goyaml.Node) {
	if strings.ContainsFunc(n.Value, steersInYAML) {
		n.Style = goyaml.DoubleQuotedStyle
	}
	for _, child := range n.Content {
		quote(child)
	}
}

func steersInYAML(r rune) bool { return r != '\n' && r != '\t' && !spec.IsPrintable(r) }

// escapeForYAML is escapeUnprintable with the escapes of YAML 1.2, section 5.7, which knows no surrogates.
func escapeForYAML(valid string) string {
	var b strings.Builder
	for _, r := range valid {
		switch {
		case !steersInYAML(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
