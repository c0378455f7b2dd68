package revocation

import (
	"errors"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// ParseRef reads a reference as people write it on a command line: env:NAME, file:PATH or provider:NAME:KEY. What status and
// errors show, such as "env NAME", is read too. An error does not repeat the text: it may be a token in the wrong place.
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
		return spec.TokenRef{}, errors.New("that is not a reference (and is not repeated here, since it may be a token): " +
			"write env:NAME, file:PATH or provider:NAME:KEY, as the spec's tokenRef names it")
	}
	return ref, nil
}
