package explain

import (
	"fmt"
	"io"
	"strings"

	"credproxy.dev/controller/internal/apischema"
	"credproxy.dev/controller/pkg/spec"
)

// indent is that of texts below a heading.
const indent = "    "

// Write prints the page in lines of at most width columns, with the fields below, and theirs; or with their descriptions, one level of
// them.
func (p Page) Write(w io.Writer, width int, recursive bool) error {
	t := &text{width: width}
	fmt.Fprintf(&t.b, "KIND:       %s\nVERSION:    %s\n\n", p.Kind, spec.APIVersion)
	if p.Path != "" {
		t.line("FIELD: %s %s", p.Path, typeOf(p.field))
	}
	t.values(p.field.Schema)
	t.line("DESCRIPTION:")
	t.wrap(indent, description(p.field.Schema))
	if more := p.field.Schema.Comment; more != "" {
		t.wrap(indent, "More: "+more)
	}
	if fields := p.field.Schema.Fields(); len(fields) > 0 {
		t.line("\nFIELDS:")
		if recursive {
			t.tree(fields, "  ")
		} else {
			t.list(fields)
		}
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

// text is written in lines that fit.
type text struct {
	b     strings.Builder
	width int
}

func (t *text) line(format string, args ...any) { fmt.Fprintf(&t.b, format+"\n", args...) }

// values says what a field may hold, and what it is when left out.
func (t *text) values(s *apischema.Schema) {
	of := s
	if s.Items != nil {
		of = s.Items
	}
	if len(of.Enum) > 0 {
		t.line("ENUM:")
		for i, value := range of.Enum {
			if i < len(of.EnumDescriptions) {
				value += ": " + of.EnumDescriptions[i]
			}
			t.wrap(indent, value)
		}
	}
	if s.Default != nil && s.Default != "" {
		t.line("DEFAULT: %v", s.Default)
	}
	if bounds := s.Bounds(); bounds != "" {
		t.line("RANGE: %s", bounds)
	}
}

// list prints fields with their descriptions.
func (t *text) list(fields []apischema.Field) {
	for i, f := range fields {
		if i > 0 {
			t.line("")
		}
		t.line("  %s\t%s", f.Name, typeOf(f))
		if len(f.Schema.Enum) > 0 {
			t.wrap("  ", "enum: "+strings.Join(f.Schema.Enum, ", "))
		}
		t.wrap(indent, description(f.Schema))
	}
}

// tree prints fields and those below them.
func (t *text) tree(fields []apischema.Field, at string) {
	for _, f := range fields {
		t.line("%s%s\t%s", at, f.Name, typeOf(f))
		t.tree(f.Schema.Fields(), at+"  ")
	}
}

// typeOf is a field's type, and whether it has to be there.
func typeOf(f apischema.Field) string {
	name := "<" + f.Schema.TypeName() + ">"
	if f.Required {
		name += " -required-"
	}
	return name
}

// description is what a field means, and of a list or map also what it holds.
func description(s *apischema.Schema) string {
	text := s.Description
	if of := s.Object(); of != s && of.Description != "" {
		text += " Each: " + of.Description
	}
	if sets := s.Object().OneOf; len(sets) > 0 {
		var all []string
		for _, set := range sets {
			all = append(all, strings.Join(set.Required, " with "))
		}
		text += " Exactly one of: " + strings.Join(all, "; ") + "."
	}
	return strings.ReplaceAll(text, "`", "")
}

// wrap prints words in lines that begin with an indent.
func (t *text) wrap(at, words string) {
	line := at
	for word := range strings.FieldsSeq(words) {
		switch {
		case line == at:
			line += word
		case len(line)+1+len(word) > t.width:
			t.line("%s", line)
			line = at + word
		default:
			line += " " + word
		}
	}
	t.line("%s", line)
}
