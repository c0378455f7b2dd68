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
	case "provider":
		// "vault key team-a/github" is how a reference is shown.
		name, key, _ := strings.Cut(strings.Replace(rest, " key ", ":", 1), ":")
		if name != "" && key != "" {
			ref.Provider, ref.Key = name, key
		}
	}
	if !ref.Valid() { // nothing would ever be taken away
		return spec.TokenRef{}, fmt.Errorf("%q is not a reference: write env:NAME, file:PATH or provider:NAME:KEY, as the spec's tokenRef names it", text)
	}
	return ref, nil
}
