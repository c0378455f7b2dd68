package revocation

import (
	"fmt"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// ParseRef reads a reference as people write it on a command line: env:NAME, file:PATH or provider:NAME:KEY. What status and
// errors show, such as "env NAME", is read too.
func ParseRef(text string) (spec.TokenRef, error) {
	kind, rest := text, ""
	if i := strings.IndexAny(text, ": "); i > 0 {
		kind, rest = text[:i], text[i+1:]
	}
	ref := spec.TokenRef{}
	switch kind {
	case "env":
		ref.Env = rest
	case "file":
		ref.File = rest
	}
	if ref == (spec.TokenRef{}) {
		return ref, fmt.Errorf("%q is not a reference: write env:NAME or file:PATH, as the spec's tokenRef names it", text)
	}
	return ref, nil
}
