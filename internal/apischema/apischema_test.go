package apischema

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKindsAreKnownByTheNamesThatPeopleType(t *testing.T) {
	for typed, want := range map[string]string{
		"CredProxy": "CredProxy", "credproxy": "CredProxy", "credproxies": "CredProxy", "tokenpolicies": "TokenPolicy",
		"TOKENPOLICY": "TokenPolicy", "tokenprovider": "TokenProviders", "tokenproviders": "TokenProviders",
	} {
		if got, err := KindOf(typed); got != want || err != nil {
			t.Errorf("%q is %q, %v; want %q", typed, got, err, want)
		}
	}
	var unknown *UnknownKindError
	if _, err := KindOf("pods"); !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
	if _, err := Load("Pod"); !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
}

func TestASchemaWithARuleThatIsNotKnownIsRefused(t *testing.T) {
	for _, text := range []string{
		`{"if": {}}`, `{"properties": {"a": {"if": {}}}}`, `{"items": {"not": {}}}`, `{"additionalProperties": {"anyOf": []}}`,
		`{"additionalProperties": true}`, `[]`,
	} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestTypesAreNamedAsInGo(t *testing.T) {
	for text, want := range map[string]string{
		`{"type": "string"}`:             "string",
		`{"type": ["string", "number"]}`: "string or number",
		`{"type": "array", "items": {"type": "object", "title": "Route"}}`:           "[]Route",
		`{"type": "object", "additionalProperties": {"type": "string"}}`:             "map[string]string",
		`{"type": "object", "title": "Thing", "additionalProperties": false}`:        "Thing",
		`{"type": "array", "items": {"type": "array", "items": {"type": "string"}}}`: "[][]string",
	} {
		s, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.TypeName(); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestFieldsAreFoundThroughListsAndMaps(t *testing.T) {
	s, err := Load("CredProxy")
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Find(strings.Split("spec.routes.auth.tokens.env", "."))
	if err != nil || f.Name != "env" || f.Required {
		t.Errorf("found %+v, %v", f, err)
	}
	var unknown *UnknownFieldError
	if _, err = s.Find([]string{"spec", "resources", "cpu"}); !errors.As(err, &unknown) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(UnknownFieldError{"spec.resources", "cpu", []string{"memory", "cpus", "pids"}}, *unknown); diff != "" {
		t.Error(diff)
	}
}
