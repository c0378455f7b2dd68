package spec

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fileObject is what a document may hold: CredProxy without status, and of the metadata only what a file decides.
type fileObject struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Metadata   fileMetadata  `json:"metadata"`
	Spec       CredProxySpec `json:"spec"`
}

type fileMetadata struct {
	Name        string            `json:"name"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// credProxy is the object that the document declares.
func (f *fileObject) credProxy() *CredProxy {
	return &CredProxy{
		TypeMeta: metav1.TypeMeta{APIVersion: f.APIVersion, Kind: f.Kind},
		ObjectMeta: metav1.ObjectMeta{
			Name: f.Metadata.Name, Labels: f.Metadata.Labels, Annotations: f.Metadata.Annotations,
		},
		Spec: f.Spec,
	}
}

// decodeObject reads one document. The object is good only when there are no problems.
func decodeObject(root *yaml.Node, opts Options) (*CredProxy, []Problem) {
	if root.Kind != yaml.MappingNode {
		return nil, []Problem{problemAt("", root.Line, fmt.Sprintf(
			"a document must be a mapping that begins with apiVersion: %s and kind: %s, not %s", APIVersion, Kind, describe(root)))}
	}
	if other := otherKind(root); other != nil {
		return nil, []Problem{*other}
	}
	r := reader{lines: map[string]int{}}
	var f fileObject
	r.value(nil, root, root.Line, reflect.ValueOf(&f).Elem(), "")
	object := f.credProxy()
	SetDefaults(object, opts)
	for _, err := range validate(object, opts) {
		if !r.isUnread(err.Field) {
			r.problems = append(r.problems, problemAt(err.Field, r.lineOf(err.Field), err.ErrorBody()))
		}
	}
	return object, r.problems
}

// otherKind is the problem of a document that is of another kind. Its fields are not ours to judge.
func otherKind(root *yaml.Node) *Problem {
	for _, kind := range lookup(root, "kind") {
		if isNull(kind) || kind.Kind != yaml.ScalarNode || kind.Value == Kind {
			continue
		}
		message := fmt.Sprintf("kind %q is not known; known: %s", printable(kind.Value, 60), Kind)
		if strings.HasSuffix(kind.Value, "List") {
			message += "; write each object of a list as a document of its own, separated by ---"
		}
		p := problemAt("kind", kind.Line, message)
		return &p
	}
	return nil
}

// isUnread reports whether a field, or what it is part of, could not be read: then its own problem says it all.
func (r *reader) isUnread(at string) bool {
	for _, unread := range r.unread {
		rest, ok := strings.CutPrefix(at, unread)
		if ok && (unread == "" || rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// lineOf is where a field stands, or what it would be part of.
func (r *reader) lineOf(at string) int {
	for {
		if line, ok := r.lines[at]; ok {
			return line
		}
		end := strings.LastIndexAny(at, ".[")
		if end < 0 {
			return r.lines[""]
		}
		at = at[:end]
	}
}

// namesIn are the values of metadata.name, whatever else is wrong.
func namesIn(root *yaml.Node) []string {
	var names []string
	for _, metadata := range lookup(root, "metadata") {
		for _, name := range lookup(metadata, "name") {
			if name.Kind == yaml.ScalarNode && !isNull(name) && name.Value != "" && printable(name.Value, 253) == name.Value {
				names = append(names, name.Value)
			}
		}
	}
	return names
}

// nameLine is where metadata.name stands, or the document if it has none.
func nameLine(root *yaml.Node) int {
	for _, metadata := range lookup(root, "metadata") {
		for _, name := range lookup(metadata, "name") {
			return name.Line
		}
	}
	return root.Line
}

// mayHideName reports whether a document may be a CredProxy, half-written perhaps, without telling its name.
func mayHideName(root *yaml.Node) bool {
	if root.Kind != yaml.MappingNode {
		return true
	}
	return len(namesIn(root)) == 0 && (holds(root, "kind", Kind) || holds(root, "apiVersion", Group))
}

// holds reports whether a key has a value that begins so.
func holds(root *yaml.Node, key, prefix string) bool {
	for _, v := range lookup(root, key) {
		if strings.HasPrefix(v.Value, prefix) {
			return true
		}
	}
	return false
}
