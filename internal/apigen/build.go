package apigen

import (
	"fmt"
	"go/ast"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"credproxy.dev/controller/internal/apischema"
)

// isField reports whether any struct has a field of a Go name that files write otherwise, and that is no value that they write.
func (s *source) isField(name string) bool {
	for of := range s.enums {
		for _, v := range s.enums[of] {
			if v.name == name {
				return false
			}
		}
	}
	for _, t := range s.types {
		for _, f := range fields(t) {
			if f.name == name && f.json != name {
				return true
			}
		}
	}
	return false
}

// member is a field of a struct.
type member struct {
	name, json string
	doc        string
	required   bool
	quantity   bool
	expr       ast.Expr
}

// fields are those of a struct that have a tag; none of any other type.
func fields(t declared) []member {
	of, ok := t.expr.(*ast.StructType)
	if !ok {
		return nil
	}
	var all []member
	for _, f := range of.Fields.List {
		if f.Tag == nil || len(f.Names) != 1 {
			continue
		}
		text, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			continue // the compiler has a word for that
		}
		tag := reflect.StructTag(text)
		json, options, _ := strings.Cut(tag.Get("json"), ",")
		all = append(all, member{
			name: f.Names[0].Name, json: json, doc: comment(f.Doc, f.Comment), required: options == "",
			quantity: slices.Contains(strings.Split(tag.Get("spec"), ","), "quantity"), expr: f.Type,
		})
	}
	return all
}

// object makes the schema of a struct, which has no other fields than those that are declared.
func (s *source) object(t declared) (*apischema.Schema, error) {
	text, rules := meaning(t.doc)
	description, err := s.describe(t.name, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	out := &apischema.Schema{
		Title: t.name, Description: description, Type: apischema.Types{"object"}, AdditionalProperties: &apischema.Additional{},
	}
	for _, f := range fields(t) {
		property, err := s.property(t.pkg, f)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t.name, f.name, err)
		}
		out.Properties = append(out.Properties, apischema.Property{Name: f.json, Schema: property})
		if f.required {
			out.Required = append(out.Required, f.json)
		}
	}
	if err := s.apply(out, t.pkg, rules); err != nil {
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	return out, nil
}

func (s *source) property(pkg string, f member) (*apischema.Schema, error) {
	text, rules := meaning(f.doc)
	description, err := s.describe(f.name, text)
	if err != nil {
		return nil, err
	}
	out, err := s.schema(pkg, f.expr)
	if err != nil {
		return nil, err
	}
	out.Description = description
	if f.quantity {
		out.Type = apischema.Types{"string", "number"}
	}
	return out, s.apply(out, pkg, rules)
}

// schema makes that of a type.
func (s *source) schema(pkg string, expr ast.Expr) (*apischema.Schema, error) {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return s.schema(pkg, e.X)
	case *ast.ArrayType:
		items, err := s.schema(pkg, e.Elt)
		return &apischema.Schema{Type: apischema.Types{"array"}, Items: items}, err
	case *ast.MapType:
		like, err := s.schema(pkg, e.Value)
		return &apischema.Schema{Type: apischema.Types{"object"}, AdditionalProperties: &apischema.Additional{Like: like}}, err
	case *ast.Ident:
		if name, ok := map[string]string{
			"string": "string", "bool": "boolean", "int32": "integer", "int64": "integer",
		}[e.Name]; ok {
			return &apischema.Schema{Type: apischema.Types{name}}, nil
		}
		if t, ok := s.types[pkg+"."+e.Name]; ok {
			return s.declared(t)
		}
	case *ast.SelectorExpr:
		if of, ok := e.X.(*ast.Ident); ok {
			return s.schema(of.Name, e.Sel)
		}
	}
	return nil, fmt.Errorf("package %s: no field may have a type of this kind", pkg)
}

// declared makes the schema of a type that is a struct, or a string with the values of its constants.
func (s *source) declared(t declared) (*apischema.Schema, error) {
	if _, ok := t.expr.(*ast.StructType); ok {
		return s.object(t)
	}
	out, err := s.schema(t.pkg, t.expr)
	if err != nil {
		return nil, err
	}
	for _, v := range s.enums[t.pkg+"."+t.name] {
		text, err := s.evaluate(v.pkg, v.name)
		if err != nil {
			return nil, err
		}
		out.Enum = append(out.Enum, fmt.Sprint(text))
		out.EnumDescriptions = append(out.EnumDescriptions, valueMeaning(v))
	}
	return out, nil
}

// valueMeaning is what a constant's comment says, without the constant's name.
func valueMeaning(v value) string {
	text, _ := meaning(v.doc)
	text = strings.TrimPrefix(text, v.name+" ")
	return strings.TrimSuffix(strings.TrimPrefix(text, "is "), ".")
}
