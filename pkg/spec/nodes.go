package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	// quantityTag marks a string field that may also be written as a number: `spec:"quantity"`.
	quantityTag = "quantity"
	// statedTag marks a field that protects something, so that one which was left empty by mistake must not count as
	// left out: `spec:"stated"`.
	statedTag = "stated"
)

// isTagged reports whether a field bears one of these marks; several are parted by commas.
func isTagged(tag reflect.StructTag, mark string) bool {
	return slices.Contains(strings.Split(tag.Get("spec"), ","), mark)
}

// reader reads nodes into Go values, keeps every problem up to the limit instead of stopping at the first, and
// remembers where each field stands. It walks by type, so it goes no deeper than the API does.
type reader struct {
	report
	// lines has the line of each field that was seen.
	lines map[string]int
	// unread are the fields whose value could not be taken; nothing more is said of them.
	unread []string
}

// dotted writes a path as problems do: the whole document is "".
func dotted(path *field.Path) string {
	if path == nil {
		return ""
	}
	return path.String()
}

// fail notes a problem of a field.
func (r *reader) fail(path *field.Path, line int, format string, args ...any) {
	r.add(problemAt(dotted(path), line, fmt.Sprintf(format, args...)))
}

// refuse notes that a field's value cannot be taken.
func (r *reader) refuse(path *field.Path, format string, args ...any) {
	r.unread = append(r.unread, dotted(path))
	r.fail(path, r.lines[dotted(path)], format, args...)
}

// mistyped notes that a field has the wrong type.
func (r *reader) mistyped(path *field.Path, n *yaml.Node, want, hint string) {
	r.refuse(path, "must be %s, not %s%s", want, describe(n), hint)
}

// value reads a node into v, which may be a struct, a pointer to what it may be, a slice, a map by strings, a string, a bool or
// an integer. A null counts as a field that is left out. The line is that of the key, if there is one.
func (r *reader) value(path *field.Path, n *yaml.Node, line int, v reflect.Value, tag reflect.StructTag) {
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		line = n.Line
	}
	r.lines[dotted(path)] = line
	if n.Style&yaml.TaggedStyle != 0 {
		r.refuse(path, "the tag %s is not known here; remove it", printable(n.Tag, 40))
		return
	}
	if isNull(n) {
		if isTagged(tag, statedTag) {
			r.mistyped(path, n, stated(v), "; write it, or remove the field")
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		r.value(path, n, line, v.Elem(), tag)
	case reflect.Struct:
		r.object(path, n, v)
	case reflect.Slice:
		r.list(path, n, v)
	case reflect.Map:
		r.mapping(path, n, v)
	default:
		r.scalar(path, n, v, tag)
	}
}

// stated says what to write for a field that must not be left empty.
func stated(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Map:
		return "a mapping of strings"
	case reflect.String:
		return "a string"
	case reflect.Int32, reflect.Int64:
		return "a whole number"
	default:
		return "a mapping of fields"
	}
}

// object reads a mapping into a struct, by the names of its json tags.
func (r *reader) object(path *field.Path, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		r.mistyped(path, n, "a mapping of fields", "")
		return
	}
	fields := fieldsOf(v.Type())
	r.entries(path, n, path.Child, func(key string, at *field.Path, child *yaml.Node, line int) {
		i, known := fields.index[key]
		if !known {
			r.fail(at, line, "%s", unknownField(at, key, fields.names))
			return
		}
		r.value(at, child, line, v.Field(i), v.Type().Field(i).Tag)
	})
}

// entries calls each for every key of a mapping, the first of each name only.
func (r *reader) entries(path *field.Path, n *yaml.Node, child func(string, ...string) *field.Path,
	each func(key string, at *field.Path, value *yaml.Node, line int),
) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content) && !r.more; i += 2 {
		key, line := n.Content[i], n.Content[i].Line
		switch {
		case key.Tag == "!!merge":
			r.fail(path, line, "merge keys (<<) are not read; write the fields out")
			continue
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str":
			r.fail(path, line, "a key must be a string, not %s; put it in quotes", describe(key))
			continue
		}
		at := child(key.Value)
		if before, repeated := first[key.Value]; repeated {
			r.fail(at, line, "repeated field, first on line %d; keep one", before)
			continue
		}
		first[key.Value] = line
		each(key.Value, at, n.Content[i+1], line)
	}
}

func (r *reader) list(path *field.Path, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		r.mistyped(path, n, "a list", "; begin each entry with \"- \"")
		return
	}
	if len(n.Content) > maxEntries {
		r.refuse(path, "must have at most %d entries, not %d", maxEntries, len(n.Content))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		r.value(path.Index(i), item, item.Line, v.Index(i), "")
	}
}

// mapping reads a map by strings, of strings or of structs.
func (r *reader) mapping(path *field.Path, n *yaml.Node, v reflect.Value) {
	of, entry, hint := "a mapping of strings", "a string", `; write "" for an empty one`
	if v.Type().Elem().Kind() == reflect.Struct {
		of, entry, hint = "a mapping by name", "a mapping of fields", "; write its fields, or remove it"
	}
	if n.Kind != yaml.MappingNode {
		r.mistyped(path, n, of, "")
		return
	}
	if entries := len(n.Content) / 2; entries > maxEntries {
		r.refuse(path, "must have at most %d entries, not %d", maxEntries, entries)
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	byKey := func(key string, _ ...string) *field.Path { return path.Key(key) }
	r.entries(path, n, byKey, func(key string, at *field.Path, child *yaml.Node, line int) {
		value := reflect.New(v.Type().Elem()).Elem()
		r.value(at, child, line, value, "")
		if isNull(child) {
			r.mistyped(at, child, entry, hint)
		}
		v.SetMapIndex(reflect.ValueOf(key), value)
	})
}

// scalar reads a string, bool or integer. Values are not put into messages: one may be a token in the wrong place.
func (r *reader) scalar(path *field.Path, n *yaml.Node, v reflect.Value, tag reflect.StructTag) {
	is := n.ShortTag()
	switch v.Kind() {
	case reflect.String:
		number := isTagged(tag, quantityTag) && (is == "!!int" || is == "!!float")
		switch {
		case n.Kind != yaml.ScalarNode:
			r.mistyped(path, n, "a string", "")
		case is != "!!str" && !number:
			r.mistyped(path, n, "a string", "; put it in quotes")
		case n.Value == "" && isTagged(tag, statedTag):
			r.refuse(path, "must not be empty; write it, or remove the field")
		default:
			v.SetString(n.Value)
		}
	case reflect.Bool:
		if is != "!!bool" {
			r.mistyped(path, n, "true or false", meantBool(n))
			return
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int32, reflect.Int64:
		r.integer(path, n, v)
	default:
		panic("spec: no field may have the type " + v.Type().String())
	}
}

// integer reads a plain decimal number. Octal, hexadecimal and 1_000 are refused: YAML 1.1, YAML 1.2 and JSON do not
// agree on them. No field means anything by 0, which would be taken for a field that is left out.
func (r *reader) integer(path *field.Path, n *yaml.Node, v reflect.Value) {
	if n.ShortTag() != "!!int" {
		r.mistyped(path, n, "a whole number", meantInt(n))
		return
	}
	number, err := strconv.ParseInt(n.Value, 10, 64)
	switch {
	case err != nil || strconv.FormatInt(number, 10) != n.Value || v.OverflowInt(number):
		r.refuse(path, "must be a plain decimal number of at most %d bits", v.Type().Bits())
	case number == 0:
		r.refuse(path, "must be at least 1; leave the field out for its default")
	default:
		v.SetInt(number)
	}
}

func meantBool(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return ""
	}
	switch strings.ToLower(n.Value) {
	case "yes", "on", "y", "true":
		return "; write true, without quotes"
	case "no", "off", "n", "false":
		return "; write false, without quotes"
	}
	return ""
}

func meantInt(n *yaml.Node) string {
	if number, err := strconv.ParseInt(n.Value, 10, 32); err == nil && n.Kind == yaml.ScalarNode {
		return fmt.Sprintf("; write %d, without quotes", number)
	}
	return ""
}
