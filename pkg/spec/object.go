package spec

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// fileObject is one credential-proxy sidecar for one environment, as a file declares it. Editors check files by this schema; the
// checks of controller validate go further. There is no status here, and of the metadata only what a file decides.
type fileObject struct {
	// APIVersion is the version of the API.
	// +enum=APIVersion
	APIVersion string `json:"apiVersion"`
	// Kind is the kind of the object.
	// +enum=Kind
	Kind string `json:"kind"`
	// Metadata is name, labels and annotations; nothing else is read from a file.
	Metadata fileMetadata `json:"metadata"`
	// Spec is the sidecar as it should be.
	Spec CredProxySpec `json:"spec"`
}

// fileMetadata is what a file says of the object itself.
// +title=Metadata
type fileMetadata struct {
	// Name is the name of the environment, unique among all files: a DNS label, so at most 63 of a-z, 0-9 and "-", beginning and
	// ending with a letter or digit.
	// +pattern="^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
	Name string `json:"name"`
	// Labels are for people, tools and policies. They do not change the sidecar.
	// +maxProperties=maxEntries
	Labels map[string]string `json:"labels,omitempty"`
	// Annotations are those below, and yours; any other that begins with credproxy.dev/ is refused, and so are control characters
	// but tabs and line feeds.
	// +maxProperties=maxEntries
	// +key=AnnotationPaused:"true","false"
	// +key=AnnotationSuspended:"true","false"
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

// decodeObject reads one document, and reports at most limit problems. The object is good only when there are none.
func decodeObject(root *yaml.Node, opts Options, limit int) (*CredProxy, report) {
	var f fileObject
	var object *CredProxy
	found := readObject(root, Kind, limit, &f, func() field.ErrorList {
		object = f.credProxy()
		SetDefaults(object, opts)
		return validate(object, opts)
	})
	return object, found
}

// readObject reads a document of a kind into a struct, and what validate says of it once its types are right. It reports
// at most limit problems.
func readObject(root *yaml.Node, kind string, limit int, into any, validate func() field.ErrorList) report {
	if p := unreadable(root, kind); p != nil {
		return report{problems: []Problem{*p}}
	}
	r := reader{report: report{limit: limit}, lines: map[string]int{}}
	r.value(nil, root, root.Line, reflect.ValueOf(into).Elem(), "")
	if r.more {
		return r.report
	}
	for _, err := range validate() {
		if !r.isUnread(err.Field) {
			r.add(problemAt(err.Field, r.lineOf(err.Field), err.ErrorBody()))
		}
	}
	return r.report
}

// unreadable is the one problem of a document whose fields are not looked at.
func unreadable(root *yaml.Node, kind string) *Problem {
	if root.Kind != yaml.MappingNode {
		p := problemAt("", root.Line, fmt.Sprintf(
			"a document must be a mapping that begins with apiVersion: %s and kind: %s, not %s", APIVersion, kind, describe(root)))
		return &p
	}
	if other := otherKind(root, kind); other != nil {
		return other
	}
	if at := anchored(root); at != nil {
		p := problemAt("", at.Line, noAnchors)
		return &p
	}
	return nil
}

// noAnchors is the rule that keeps the cost of a file within its size: an alias multiplies what it stands for.
const noAnchors = "YAML anchors and aliases (&name, *name) are not read here: write the value out"

// anchored is the first anchor or alias of a tree.
func anchored(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return n
	}
	for _, child := range n.Content {
		if at := anchored(child); at != nil {
			return at
		}
	}
	return nil
}

// otherKind is the problem of a document that is of another kind. Its fields are not ours to judge.
func otherKind(root *yaml.Node, known string) *Problem {
	for kind := range lookup(root, "kind") {
		if isNull(kind) || kind.Kind != yaml.ScalarNode || kind.Value == known {
			continue
		}
		message := fmt.Sprintf("kind %q is not known; known: %s", printable(kind.Value, 60), known)
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

// namesIn are the values of metadata.name, whatever else is wrong: each once, and at most max.
func namesIn(root *yaml.Node, max int) []string {
	var names []string
	seen := sets.New[string]()
	for metadata := range lookup(root, "metadata") {
		for name := range lookup(metadata, "name") {
			switch {
			case name.Kind != yaml.ScalarNode || isNull(name) || seen.Has(name.Value) || !isPrintable(name.Value, maxNameLength):
			case len(names) == max:
				return names
			default:
				seen.Insert(name.Value)
				names = append(names, name.Value)
			}
		}
	}
	return names
}

// nameLine is where metadata.name stands, or the document if it has none.
func nameLine(root *yaml.Node) int {
	for metadata := range lookup(root, "metadata") {
		for name := range lookup(metadata, "name") {
			return name.Line
		}
	}
	return root.Line
}

// mayHideName reports whether a document may be a CredProxy, half-written perhaps, without telling its name.
func mayHideName(root *yaml.Node, named bool) bool {
	if root.Kind != yaml.MappingNode {
		return true
	}
	return !named && (borrows(root) || mayHold(root, "kind", Kind) || mayHold(root, "apiVersion", Group))
}

// borrows reports whether a mapping has keys that stand elsewhere.
func borrows(root *yaml.Node) bool {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if key := root.Content[i]; key.Kind == yaml.AliasNode || key.Tag == "!!merge" {
			return true
		}
	}
	return false
}

// mayHold reports whether a key has a value that begins so, or one behind an alias.
func mayHold(root *yaml.Node, key, prefix string) bool {
	for v := range lookup(root, key) {
		if v.Kind == yaml.AliasNode || strings.HasPrefix(v.Value, prefix) {
			return true
		}
	}
	return false
}
