// Package apischema is the JSON Schema of the files that people write: which fields there are, what they mean, and what they
// may hold. The documents in config/schema are made from the Go types by internal/apigen; editors check files by them, and
// this package reads them for what the command and the pages tell of fields.
package apischema

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Dialect is the version of JSON Schema that is written: the one that all editors know.
const Dialect = "http://json-schema.org/draft-07/schema#"

// Schema is the part of JSON Schema, draft 7, that these documents use.
type Schema struct {
	Dialect string `json:"$schema,omitempty"`
	ID      string `json:"$id,omitempty"`
	// Comment is where the documents say more, such as docs/spec.md#delivery.
	Comment string `json:"$comment,omitempty"`
	// Title is the kind of a document, or the name of the Go type of an object.
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Type        Types    `json:"type,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	// EnumDescriptions say what each of Enum means. It is a keyword of editors; others ignore it.
	EnumDescriptions []string `json:"enumDescriptions,omitempty"`
	Default          any      `json:"default,omitempty"`
	Pattern          string   `json:"pattern,omitempty"`
	MinLength        int64    `json:"minLength,omitempty"`
	MaxLength        int64    `json:"maxLength,omitempty"`
	Minimum          int64    `json:"minimum,omitempty"`
	Maximum          int64    `json:"maximum,omitempty"`
	MinItems         int64    `json:"minItems,omitempty"`
	MaxItems         int64    `json:"maxItems,omitempty"`
	MinProperties    int64    `json:"minProperties,omitempty"`
	MaxProperties    int64    `json:"maxProperties,omitempty"`
	Required         []string `json:"required,omitempty"`
	// OneOf says which sets of fields exclude each other, exactly one of which has to be there.
	OneOf []Set `json:"oneOf,omitempty"`
	// Dependencies are the fields that a field needs.
	Dependencies map[string][]string `json:"dependencies,omitempty"`
	Properties   Properties          `json:"properties,omitempty"`
	// AdditionalProperties is what other fields are like.
	AdditionalProperties *Additional `json:"additionalProperties,omitempty"`
	Items                *Schema     `json:"items,omitempty"`
}

// Types are the JSON types that a value may have; one is written without a list.
type Types []string

// MarshalJSON implements json.Marshaler.
func (t Types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Types) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*[]string)(t))
	}
	*t = Types{""}
	return json.Unmarshal(data, &(*t)[0])
}

// Set asks for fields and nothing else.
type Set struct {
	Required []string `json:"required"`
}

// Additional is false, or what fields are like that Properties does not name.
type Additional struct {
	// Like is nil where there are no others.
	Like *Schema
}

// MarshalJSON implements json.Marshaler.
func (a Additional) MarshalJSON() ([]byte, error) {
	if a.Like == nil {
		return []byte("false"), nil
	}
	return plainly(a.Like)
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *Additional) UnmarshalJSON(data []byte) error {
	if string(data) == "false" {
		*a = Additional{}
		return nil
	}
	return strictly(data, &a.Like)
}

// Property is one field of an object.
type Property struct {
	Name   string
	Schema *Schema
}

// Properties are the fields of an object in the order in which they are declared.
type Properties []Property

// Get returns the field of a name.
func (p Properties) Get(name string) (*Schema, bool) {
	for _, one := range p {
		if one.Name == name {
			return one.Schema, true
		}
	}
	return nil, false
}

// Names are those of all fields, in their order.
func (p Properties) Names() []string {
	names := make([]string, len(p))
	for i, one := range p {
		names[i] = one.Name
	}
	return names
}

// MarshalJSON implements json.Marshaler, and keeps the order.
func (p Properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(one.Name)
		if err != nil {
			return nil, err
		}
		value, err := plainly(one.Schema)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON implements json.Unmarshaler, and keeps the order.
func (p *Properties) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		one := Property{Name: fmt.Sprint(name)}
		if err := dec.Decode(&one.Schema); err != nil {
			return err
		}
		*p = append(*p, one)
	}
	return nil
}

// Parse reads a document. A keyword that this package does not know is an error: nobody would be told of its rule.
func Parse(data []byte) (*Schema, error) {
	var s Schema
	if err := strictly(data, &s); err != nil {
		return nil, fmt.Errorf("not a JSON Schema as this project writes it: %w", err)
	}
	return &s, nil
}

// Format writes a document, indented, with a line end.
func (s *Schema) Format() ([]byte, error) {
	compact, err := plainly(s)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func strictly(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

// plainly writes JSON in which "<", ">" and "&" stand as they are: people read it.
func plainly(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
