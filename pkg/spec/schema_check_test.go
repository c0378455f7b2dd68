package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// schemaFaults checks every document of a YAML file.
func schemaFaults(t *testing.T, s *schema, file string) []string {
	t.Helper()
	var faults []string
	dec := yaml.NewDecoder(strings.NewReader(file))
	for {
		var document any
		if dec.Decode(&document) != nil {
			return faults
		}
		faults = append(faults, s.faults("", document)...)
	}
}

func (s *schema) faults(path string, value any) []string {
	var kind string
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, path+": "+fmt.Sprintf(format, args...)) }
	switch v := value.(type) {
	case map[string]any:
		kind = "object"
		faults = append(faults, s.objectFaults(path, v)...)
	case []any:
		kind = "array"
		if len(v) < s.MinItems || (s.MaxItems > 0 && len(v) > s.MaxItems) {
			fault("%d items", len(v))
		}
		for i, item := range v {
			if s.Items != nil {
				faults = append(faults, s.Items.faults(fmt.Sprintf("%s[%d]", path, i), item)...)
			}
		}
	case string:
		kind = "string"
		if s.Enum != nil && !slices.Contains(s.Enum, v) {
			fault("%q is none of %q", v, s.Enum)
		}
		if !regexp.MustCompile(s.Pattern).MatchString(v) || len(v) < s.MinLength || (s.MaxLength > 0 && len(v) > s.MaxLength) {
			fault("%q does not match", v)
		}
	case bool:
		kind = "boolean"
	case int:
		kind = "integer"
		if int64(v) < s.Minimum || (s.Maximum > 0 && int64(v) > s.Maximum) {
			fault("%d is out of range", v)
		}
	case float64:
		kind = "number"
	}
	number, _ := s.Type.([]any)
	if s.Type != kind && !slices.Contains(number, any(kind)) && !(kind == "integer" && slices.Contains(number, any("number"))) {
		fault("is of type %s, not %v", kind, s.Type)
	}
	return faults
}

func (s *schema) objectFaults(path string, object map[string]any) []string {
	var faults []string
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			faults = append(faults, path+"."+name+": missing")
		}
	}
	if len(object) < s.MinProperties || (s.MaxProperties > 0 && len(object) > s.MaxProperties) {
		faults = append(faults, fmt.Sprintf("%s: %d fields", path, len(object)))
	}
	faults = append(faults, s.sourceFaults(path, object)...)
	for name, value := range object {
		if property, ok := s.Properties[name]; ok {
			faults = append(faults, property.faults(path+"."+name, value)...)
		} else if s.AdditionalProperties.forbidden {
			faults = append(faults, path+"."+name+": unknown")
		} else if like := s.AdditionalProperties.like; like != nil {
			faults = append(faults, like.faults(path+"."+name, value)...)
		}
	}
	return faults
}

// sourceFaults are those of fields that exclude, or need, each other.
func (s *schema) sourceFaults(path string, object map[string]any) []string {
	var faults []string
	has := func(names []string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { _, ok := object[name]; return !ok })
	}
	fit := len(slices.DeleteFunc(slices.Clone(s.OneOf), func(r requirement) bool { return !has(r.Required) }))
	if len(s.OneOf) > 0 && fit != 1 {
		faults = append(faults, fmt.Sprintf("%s: fits %d of what it may be", path, fit))
	}
	for name, needs := range s.Dependencies {
		if has([]string{name}) && !has(needs) {
			faults = append(faults, fmt.Sprintf("%s.%s: needs %v", path, name, needs))
		}
	}
	return faults
}
