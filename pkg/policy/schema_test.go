package policy

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// schema is what the file says of fields.
type schema struct {
	Description string             `json:"description"`
	Type        any                `json:"type"`
	Enum        []string           `json:"enum"`
	Pattern     string             `json:"pattern"`
	Required    []string           `json:"required"`
	Properties  map[string]*schema `json:"properties"`
	Items       *schema            `json:"items"`
	Additional  any                `json:"additionalProperties"`
}

func readSchema(t *testing.T) *schema {
	t.Helper()
	var s schema
	if err := json.Unmarshal(read(t, config+"schema/tokenpolicy.v1alpha1.schema.json"), &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

func TestTheSchemaHasExactlyTheFieldsOfTheTypes(t *testing.T) {
	sameFields(t, "", readSchema(t), reflect.TypeFor[Document](), "")
}

func sameFields(t *testing.T, path string, s *schema, typ reflect.Type, tag reflect.StructTag) {
	t.Helper()
	if s == nil || s.Description == "" {
		t.Fatalf("%s is not described", path)
	}
	if want := schemaType(typ, tag); !reflect.DeepEqual(want, s.Type) {
		t.Errorf("%s is of type %v, want %v", path, s.Type, want)
	}
	switch typ.Kind() {
	case reflect.Slice:
		sameFields(t, path+"[]", s.Items, typ.Elem(), "")
	case reflect.Struct:
		if s.Additional != false {
			t.Errorf("%s permits unknown fields", path)
		}
		var names, required []string
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if names = append(names, name); options == "" {
				required = append(required, name)
			}
			sameFields(t, path+"."+name, s.Properties[name], f.Type, f.Tag)
		}
		slices.Sort(names)
		if diff := cmp.Diff(names, slices.Sorted(maps.Keys(s.Properties))); diff != "" {
			t.Errorf("fields of %s (-go +schema):\n%s", path, diff)
		}
		if diff := cmp.Diff(required, s.Required); diff != "" {
			t.Errorf("required fields of %s (-go +schema):\n%s", path, diff)
		}
	}
}

func schemaType(typ reflect.Type, tag reflect.StructTag) any {
	switch typ.Kind() {
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice:
		return "array"
	case reflect.String:
		if tag.Get("spec") == "quantity" {
			return []any{"string", "number"}
		}
		return "string"
	default:
		return "integer"
	}
}

func TestTheSchemaHasTheRulesOfTheValidation(t *testing.T) {
	spec := readSchema(t).Properties["spec"].Properties
	rule := spec["rules"].Items.Properties
	var options []string
	for _, o := range Options() {
		options = append(options, string(o))
	}
	for what, pair := range map[string][2]any{
		"allow":    {options, rule["allow"].Items.Enum},
		"names":    {namePatternForm.String(), rule["names"].Items.Pattern},
		"env":      {envPatternForm.String(), rule["tokens"].Items.Properties["env"].Pattern},
		"provider": {namePatternForm.String(), rule["tokens"].Items.Properties["provider"].Pattern},
		"networks": {networkPatternForm.String(), rule["networks"].Items.Pattern},
		"images":   {imagePatternForm.String(), rule["images"].Items.Pattern},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s (-go +schema):\n%s", what, diff)
		}
	}
}
