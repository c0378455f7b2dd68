package apischema

import (
	"fmt"
	"slices"
	"strings"
)

// Field is a place in a document.
type Field struct {
	// Name is the last part of its path; empty for the document itself.
	Name   string
	Schema *Schema
	// Required is true where the object that it is part of cannot do without it.
	Required bool
}

// UnknownFieldError says that an object has no such field.
type UnknownFieldError struct {
	// At is where the object is, such as spec.routes; empty for the document itself.
	At string
	// Name was asked for, and Known are the fields that there are; none for what is no object.
	Name  string
	Known []string
}

func (e *UnknownFieldError) Error() string {
	at := "the document"
	if e.At != "" {
		at = e.At
	}
	if len(e.Known) == 0 {
		return fmt.Sprintf("%s has no fields, so no %q", at, e.Name)
	}
	return fmt.Sprintf("%s has no field %q", at, e.Name)
}

// Find follows a path through objects, and through what lists and maps hold. It fails with an UnknownFieldError.
func (s *Schema) Find(path []string) (Field, error) {
	at := Field{Schema: s}
	for i, name := range path {
		object := at.Schema.Object()
		next, known := object.Properties.Get(name)
		if !known {
			return Field{}, &UnknownFieldError{At: strings.Join(path[:i], "."), Name: name, Known: object.Properties.Names()}
		}
		at = Field{Name: name, Schema: next, Required: object.requires(name)}
	}
	return at, nil
}

// Fields are those of an object, or of what a list or map holds, in order.
func (s *Schema) Fields() []Field {
	object := s.Object()
	fields := make([]Field, len(object.Properties))
	for i, p := range object.Properties {
		fields[i] = Field{Name: p.Name, Schema: p.Schema, Required: object.requires(p.Name)}
	}
	return fields
}

func (s *Schema) requires(name string) bool { return slices.Contains(s.Required, name) }

// Object is what a list or a map holds in the end; any other schema itself.
func (s *Schema) Object() *Schema {
	for {
		switch like := s.like(); {
		case s.Items != nil:
			s = s.Items
		case like != nil:
			s = like
		default:
			return s
		}
	}
}

// like is what the values of a map are like; nil for anything else.
func (s *Schema) like() *Schema {
	if s.AdditionalProperties == nil || len(s.Properties) > 0 {
		return nil
	}
	return s.AdditionalProperties.Like
}

// TypeName is the type as people write it, such as string, []Route or map[string]TokenRef.
func (s *Schema) TypeName() string {
	switch {
	case s.Items != nil:
		return "[]" + s.Items.TypeName()
	case s.AdditionalProperties != nil && s.AdditionalProperties.Like != nil:
		return "map[string]" + s.AdditionalProperties.Like.TypeName()
	case s.Title != "":
		return s.Title
	}
	return strings.Join(s.Type, " or ")
}

// Bounds are the numbers that the rules have, in words such as 1 to 65535; empty where there are none.
func (s *Schema) Bounds() string {
	switch {
	case s.Maximum != 0:
		return fmt.Sprintf("%d to %d", s.Minimum, s.Maximum)
	case s.Minimum != 0:
		return fmt.Sprintf("at least %d", s.Minimum)
	case s.MinItems != 0:
		return fmt.Sprintf("%d to %d entries", s.MinItems, s.MaxItems)
	case s.MaxItems != 0:
		return fmt.Sprintf("up to %d entries", s.MaxItems)
	case s.MaxProperties != 0 && s.like() != nil:
		return fmt.Sprintf("up to %d entries", s.MaxProperties)
	case s.MaxLength != 0:
		return fmt.Sprintf("at most %d characters", s.MaxLength)
	}
	return ""
}
