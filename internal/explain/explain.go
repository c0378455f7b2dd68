// Package explain tells people what a field of a file means, as kubectl explain does of Kubernetes' objects: by the schemas that
// are made from the types.
package explain

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"credproxy.dev/controller/internal/apischema"
	"credproxy.dev/controller/pkg/nearest"
	"credproxy.dev/controller/pkg/spec"
)

// Page is what there is to tell of one field, or of a whole kind.
type Page struct {
	Kind string
	// Path leads to the field, such as spec.routes.auth; empty for the kind itself.
	Path  string
	field apischema.Field
}

// index is what stands behind the name of a list or map in messages: [], [0], or a key in brackets.
var index = regexp.MustCompile(`\[[^\]]*\]|\{\}`)

// Find reads what people type: a kind, with the path of a field behind it such as credproxy.spec.routes.auth, or a path alone,
// which is of a CredProxy. Indexes are ignored, so that the field of a message of validate can be given as it is. Its error says
// which name is nearest to one that is not known.
func Find(typed string) (Page, error) {
	parts := strings.Split(strings.Trim(index.ReplaceAllString(typed, ""), "."), ".")
	kind, err := apischema.KindOf(parts[0])
	switch {
	case err == nil:
		parts = parts[1:]
	case nearest.Name(parts[0], apischema.Kinds()) != "":
		return Page{}, err
	default:
		kind = spec.Kind
	}
	s, err := apischema.Load(kind)
	if err != nil {
		return Page{}, err
	}
	page := Page{Kind: kind, Path: strings.Join(parts, ".")}
	page.field, err = s.Find(parts)
	return page, hinted(err, kind)
}

// hinted says of an unknown field which is nearest, and which there are.
func hinted(err error, kind string) error {
	var unknown *apischema.UnknownFieldError
	switch {
	case !errors.As(err, &unknown):
		return err
	case unknown.At == "" && unknown.Name == "status" && kind == spec.Kind:
		return errors.New("status is written by the controller, and no field of a file: 'controller status NAME -o yaml' shows it")
	case len(unknown.Known) == 0:
		return fmt.Errorf("%s: %w", kind, err)
	case deeper(kind, unknown) != "":
		return fmt.Errorf("%s: %w; do you mean %s?", kind, err, deeper(kind, unknown))
	case unknown.At == "" && nearest.Name(unknown.Name, unknown.Known) == "":
		return fmt.Errorf("no kind, and no field of a %s, is called %q (kinds: %s; fields: %s)", kind, unknown.Name,
			strings.Join(apischema.Kinds(), ", "), strings.Join(unknown.Known, ", "))
	}
	return fmt.Errorf("%s: %w%s (known: %s)", kind, err, nearest.Hint(unknown.Name, unknown.Known), strings.Join(unknown.Known, ", "))
}

// deeper is the path of the only field of a kind that is called so, below where it was looked for; empty where there is none, or several.
func deeper(kind string, unknown *apischema.UnknownFieldError) string {
	s, err := apischema.Load(kind)
	if err != nil {
		return ""
	}
	field, err := s.Find(strings.FieldsFunc(unknown.At, func(r rune) bool { return r == '.' }))
	if err != nil {
		return ""
	}
	var found []string
	var look func(at []string, s *apischema.Schema)
	look = func(at []string, s *apischema.Schema) {
		for _, f := range s.Fields() {
			path := append(slices.Clone(at), f.Name)
			if f.Name == unknown.Name {
				found = append(found, strings.Join(path, "."))
			}
			look(path, f.Schema)
		}
	}
	at := []string{}
	if unknown.At != "" {
		at = append(at, unknown.At)
	}
	if look(at, field.Schema); len(found) != 1 {
		return ""
	}
	return found[0]
}

// Below are the fields below a field as people type it; none of what is not known.
func Below(typed string) []apischema.Field {
	page, err := Find(typed)
	if err != nil {
		return nil
	}
	return page.field.Schema.Fields()
}
