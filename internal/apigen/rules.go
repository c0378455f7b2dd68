package apigen

import (
	"errors"
	"fmt"
	"strings"

	"credproxy.dev/controller/internal/apischema"
)

// apply puts rules into a schema.
func (s *source) apply(out *apischema.Schema, pkg string, rules []rule) error {
	var from, to string
	for _, r := range rules {
		var err error
		switch r.name {
		case "from":
			from, err = s.text(pkg, r.value)
		case "to":
			to, err = s.text(pkg, r.value)
		default:
			err = s.applyOne(out, pkg, r)
		}
		if err != nil {
			return fmt.Errorf("+%s=%s: %w", r.name, r.value, err)
		}
	}
	if from != "" {
		out.Description += fmt.Sprintf(" From %s to %s.", from, to)
	}
	return nil
}

func (s *source) applyOne(out *apischema.Schema, pkg string, r rule) (err error) {
	if first, rest, _ := strings.Cut(r.name, ":"); below(out, first) != nil {
		return s.applyBelow(below(out, first), pkg, rule{rest, r.value})
	}
	switch r.name {
	case "default":
		out.Default, err = s.evaluate(pkg, r.value)
	case "pattern":
		out.Pattern, err = s.text(pkg, r.value)
	case "enum":
		out.Enum, err = s.texts(pkg, r.value)
	case "oneOf":
		out.OneOf = append(out.OneOf, apischema.Set{Required: strings.Split(r.value, ",")})
	case "needs":
		field, needed, _ := strings.Cut(r.value, ":")
		if out.Dependencies == nil {
			out.Dependencies = map[string][]string{}
		}
		out.Dependencies[field] = append(out.Dependencies[field], needed)
	case "key":
		return s.knownKey(out, pkg, r.value)
	case "see":
		out.Comment = r.value
	case "title":
		out.Title = r.value
	default:
		return s.bound(out, pkg, r)
	}
	return err
}

// below is what a list or map holds, for items and values, or a field of an object; nil where there is no such.
func below(out *apischema.Schema, name string) *apischema.Schema {
	switch {
	case name == "items":
		return out.Items
	case name == "values" && out.AdditionalProperties != nil:
		return out.AdditionalProperties.Like
	}
	field, _ := out.Properties.Get(name)
	return field
}

// applyBelow says what something below is, or applies a rule to it.
func (s *source) applyBelow(out *apischema.Schema, pkg string, r rule) error {
	if r.name == "" {
		out.Description = r.value
		return nil
	}
	return s.applyOne(out, pkg, r)
}

// bound is one of the rules with a number.
func (s *source) bound(out *apischema.Schema, pkg string, r rule) error {
	at, ok := map[string]*int64{
		"minimum": &out.Minimum, "maximum": &out.Maximum, "minLength": &out.MinLength, "maxLength": &out.MaxLength,
		"minItems": &out.MinItems, "maxItems": &out.MaxItems, "minProperties": &out.MinProperties, "maxProperties": &out.MaxProperties,
	}[r.name]
	if !ok {
		return errors.New("no such rule is known")
	}
	v, err := s.evaluate(pkg, r.value)
	if err != nil {
		return err
	}
	number, ok := v.(int64)
	if !ok {
		return errors.New("must be a number")
	}
	*at = number
	return nil
}

// knownKey describes one key of a map of strings, with the values that it may have: NAME:A,B.
func (s *source) knownKey(out *apischema.Schema, pkg, text string) error {
	name, values, _ := strings.Cut(text, ":")
	key, err := s.text(pkg, name)
	if err != nil {
		return err
	}
	enum, err := s.texts(pkg, values)
	if err != nil {
		return err
	}
	v := s.values[pkg+"."+name]
	doc, _ := meaning(v.doc)
	description, err := s.describe(name, doc)
	if err != nil {
		return err
	}
	out.Properties = append(out.Properties, apischema.Property{Name: key, Schema: &apischema.Schema{
		Description: description, Type: apischema.Types{"string"}, Enum: enum,
	}})
	return nil
}

func (s *source) text(pkg, expr string) (string, error) {
	v, err := s.evaluate(pkg, expr)
	return fmt.Sprint(v), err
}

func (s *source) texts(pkg, list string) ([]string, error) {
	var out []string
	for expr := range strings.SplitSeq(list, ",") {
		text, err := s.text(pkg, expr)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}
