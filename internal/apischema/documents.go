package apischema

import (
	"fmt"
	"strings"

	controller "credproxy.dev/controller"
	"credproxy.dev/controller/pkg/nearest"
)

// Kinds are those of the files that people write, as they write them.
func Kinds() []string { return []string{"CredProxy", "TokenPolicy", "TokenProviders"} }

// UnknownKindError says that there is no such kind.
type UnknownKindError struct{ Name string }

func (e *UnknownKindError) Error() string {
	return fmt.Sprintf("there is no kind %q%s (known: %s)", e.Name, nearest.Hint(e.Name, Kinds()), strings.Join(Kinds(), ", "))
}

// KindOf is the kind of a name as people type it: in any case, in the singular or plural. It fails with an UnknownKindError.
func KindOf(name string) (string, error) {
	typed := strings.ToLower(name)
	for _, kind := range Kinds() {
		if lower := strings.ToLower(kind); typed == lower || typed == plural(lower) || typed == strings.TrimSuffix(lower, "s") {
			return kind, nil
		}
	}
	return "", &UnknownKindError{name}
}

func plural(kind string) string {
	if stem, ok := strings.CutSuffix(kind, "y"); ok {
		return stem + "ies"
	}
	return kind
}

// Load returns the schema of one of Kinds.
func Load(kind string) (*Schema, error) {
	text, err := Text(kind)
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Text is the schema of one of Kinds as it is written.
func Text(kind string) ([]byte, error) {
	text, ok := controller.Schema(kind)
	if !ok {
		return nil, &UnknownKindError{kind}
	}
	return text, nil
}
