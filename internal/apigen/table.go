package apigen

import (
	"fmt"
	"path"
	"reflect"
	"regexp"
	"strings"

	"credproxy.dev/controller/internal/apischema"
)

// Table writes the fields of a document as a table in Markdown, for a page of the project. An object that is met again is not
// written out again.
func Table(root *apischema.Schema, page string) string {
	t := tabler{page: page, seen: map[string]written{}}
	t.b.WriteString("| field | type | required | default | meaning |\n|---|---|---|---|---|\n")
	t.object(root, "")
	return t.b.String()
}

type tabler struct {
	page string
	b    strings.Builder
	// seen are the objects that were written, by the name of their type.
	seen map[string]written
}

// written is an object, and the path at which its fields are.
type written struct {
	object *apischema.Schema
	at     string
}

func (t *tabler) object(s *apischema.Schema, at string) {
	for _, f := range s.Fields() {
		t.field(s.Object(), f, at)
	}
}

func (t *tabler) field(in *apischema.Schema, f apischema.Field, at string) {
	name := strings.TrimPrefix(at+"."+f.Name, ".")
	if strings.Contains(f.Name, "/") {
		name = at + "[" + f.Name + "]"
	}
	object := f.Schema.Object()
	meaning := sentence(f.Schema)
	before := t.seen[object.Title]
	again := before.object != nil && len(object.Properties) > 0 && reflect.DeepEqual(before.object.Properties, object.Properties)
	if again {
		meaning += " Its fields are those of `" + before.at + "`."
	}
	if link := t.link(f.Schema.Comment); link != "" {
		meaning += " " + link
	}
	fmt.Fprintf(&t.b, "| `%s` | %s | %s | %s | %s |\n", name, typeWords(f.Schema), required(in, f), byDefault(f.Schema), meaning)
	if again || len(object.Properties) == 0 {
		return
	}
	below := name + suffix(f.Schema)
	if object.Title != "" {
		t.seen[object.Title] = written{object, below}
	}
	t.object(f.Schema, below)
}

// suffix is how a path goes on below a field.
func suffix(s *apischema.Schema) string {
	switch {
	case s.Items != nil:
		return "[]"
	case s.Object() != s:
		return "{}"
	}
	return ""
}

// typeWords is the type as people who do not know Go write it.
func typeWords(s *apischema.Schema) string {
	switch like := s.AdditionalProperties; {
	case s.Items != nil:
		return "list of " + typeWords(s.Items) + "s"
	case like != nil && like.Like != nil:
		return "map of " + typeWords(like.Like) + "s"
	}
	return strings.Join(s.Type, " or ")
}

func required(in *apischema.Schema, f apischema.Field) string {
	if f.Required {
		return "yes"
	}
	for _, set := range in.OneOf {
		for _, name := range set.Required {
			if name == f.Name {
				return "one of " + alternatives(in)
			}
		}
	}
	return "no"
}

func alternatives(in *apischema.Schema) string {
	sets := make([]string, len(in.OneOf))
	for i, set := range in.OneOf {
		sets[i] = strings.Join(set.Required, " with ")
	}
	return strings.Join(sets, ", ")
}

func byDefault(s *apischema.Schema) string {
	if s.Default == nil || s.Default == "" {
		return "–"
	}
	return fmt.Sprintf("`%v`", s.Default)
}

// sentence is what a field means, with what it may hold.
func sentence(s *apischema.Schema) string {
	text := Escape(s.Description)
	if bounds := s.Bounds(); bounds != "" {
		text += " " + strings.ToUpper(bounds[:1]) + bounds[1:] + "."
	}
	of := s
	if s.Items != nil {
		of = s.Items
		if len(of.Properties) == 0 {
			text += " " + Escape(of.Description)
		}
	}
	for i, value := range of.Enum {
		if i == 0 && len(of.Enum) > 1 {
			text += " One of"
		}
		text += fmt.Sprintf(" `%s`", value)
		if i < len(of.EnumDescriptions) {
			text += " (" + Escape(of.EnumDescriptions[i]) + ")"
		}
		if i < len(of.Enum)-1 {
			text += ","
		} else {
			text += "."
		}
	}
	return text
}

// link leads to where the documents say more.
func (t *tabler) link(to string) string {
	if to == "" {
		return ""
	}
	file, anchor, part := strings.Cut(to, "#")
	target := ""
	if part {
		target = "#" + anchor
	}
	if file != t.page {
		target = path.Base(file) + target
	}
	return "[More](" + target + ")."
}

// code is what is written as code: flags of the command, and variables.
var code = regexp.MustCompile(`--[a-z]+(-[a-z]+)*|'?\$?\b[A-Z]+_[A-Z_*]+'?`)

// Escape keeps a text from being read as markup. What is between backticks stands as it is, and so do flags and variables.
func Escape(text string) string {
	parts := strings.Split(text, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = escapePlain(parts[i])
	}
	return strings.ReplaceAll(strings.Join(parts, "`"), "|", `\|`)
}

func escapePlain(text string) string {
	markup := strings.NewReplacer("*", `\*`, "_", `\_`, "<", "&lt;")
	var b strings.Builder
	end := 0
	for _, at := range code.FindAllStringIndex(text, -1) {
		b.WriteString(markup.Replace(text[end:at[0]]) + "`" + text[at[0]:at[1]] + "`")
		end = at[1]
	}
	return b.String() + markup.Replace(text[end:])
}
