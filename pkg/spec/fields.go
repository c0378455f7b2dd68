package spec

import (
	"iter"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"credproxy.dev/controller/pkg/nearest"
)

// fieldSet is what a struct may hold in a file.
type fieldSet struct {
	names []string
	index map[string]int
}

// fieldsOf lists a struct's fields by their json names.
func fieldsOf(t reflect.Type) fieldSet {
	set := fieldSet{index: map[string]int{}}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		set.names = append(set.names, name)
		set.index[name] = i
	}
	return set
}

// unknownField says what to do about a field that is not of the API.
func unknownField(at *field.Path, name string, known []string) string {
	if at.String() == "status" {
		return "status is written by the controller and not read from a file; remove it"
	}
	all := "nown here: " + strings.Join(known, ", ")
	if hint := nearest.Hint(name, known); hint != "" {
		return "unknown field" + hint + " K" + all
	}
	return "unknown field; k" + all
}

// isNull reports whether there is nothing at n.
func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == 0 || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// describe names the type of a node for people.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!str":
		return "a string"
	case "!!int":
		return "a number"
	case "!!float":
		return "a fraction"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	case "!!null":
		return "nothing"
	}
	return "a value with a tag"
}

// lookup yields the values of a key of a mapping; several if it is repeated.
func lookup(n *yaml.Node, key string) iter.Seq[*yaml.Node] {
	return func(yield func(*yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := n.Content[i]; k.Kind == yaml.ScalarNode && k.Value == key && !yield(n.Content[i+1]) {
				return
			}
		}
	}
}
