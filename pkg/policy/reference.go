package policy

import (
	"fmt"
	"slices"

	"credproxy.dev/controller/pkg/glob"
	"credproxy.dev/controller/pkg/spec"
)

// matches reports whether a token reference, which names one source, is among those of the pattern.
func (r Reference) matches(ref spec.TokenRef) bool {
	switch ref {
	case spec.TokenRef{Env: ref.Env}:
		return r.Env != "" && glob.Match(r.Env, ref.Env)
	case spec.TokenRef{File: ref.File}:
		return r.File != "" && pathGlob(r.File, ref.File)
	case spec.TokenRef{Provider: ref.Provider, Key: ref.Key}:
		return r.Provider != "" && glob.Match(r.Provider, ref.Provider) && pathGlob(r.Key, ref.Key)
	}
	return false
}

func anyReference(all []Reference, ref spec.TokenRef) bool {
	return slices.ContainsFunc(all, func(r Reference) bool { return r.matches(ref) })
}

// String names the pattern as a token reference names itself.
func (r Reference) String() string {
	switch {
	case r.Env != "":
		return "env " + r.Env
	case r.File != "":
		return "file " + r.File
	}
	return fmt.Sprintf("provider %s key %s", r.Provider, r.Key)
}
