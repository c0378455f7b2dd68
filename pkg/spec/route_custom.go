package spec

import (
	"maps"
	"slices"

	"credproxy.dev/controller/pkg/template"
)

// Addition is a header or a parameter of the query that scheme Custom adds.
type Addition struct {
	// Name is its name.
	Name string `json:"name"`
	// Value is a template: {NAME} stands for the token of that name, {{ and }} for the characters. Visible ASCII and spaces;
	// without a token in it, the same for every request.
	// +minLength=1
	// +maxLength=maxTemplate
	// +see=docs/spec.md#templates
	Value string `json:"value"`
}

// BasicPair is what scheme Custom puts into Authorization: Basic. Both are templates, and either may be empty.
type BasicPair struct {
	// Username is the template of the user name, such as {user}, without ":"; left out, it is empty.
	// +maxLength=maxTemplate
	Username string `json:"username,omitempty"`
	// Password is the template of the password, such as {token}; left out, it is empty.
	// +maxLength=maxTemplate
	Password string `json:"password,omitempty"`
}

// Refs lists the token references of a route's credential, each once: of several in order of their names. None of nil.
func (a *Auth) Refs() []TokenRef {
	switch {
	case a == nil:
		return nil
	case a.Scheme != SchemeCustom:
		return []TokenRef{a.TokenRef}
	}
	var refs []TokenRef
	for _, name := range slices.Sorted(maps.Keys(a.Tokens)) {
		if ref := a.Tokens[name]; !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// UsernameRefs lists the references among Refs whose tokens are part of the user name of Basic, where they cannot have a colon
// (RFC 7617 section 2).
func (a *Auth) UsernameRefs() []TokenRef {
	if a == nil || a.Basic == nil {
		return nil
	}
	username, err := template.Parse(a.Basic.Username)
	if err != nil {
		return nil // of an auth that is not valid
	}
	var refs []TokenRef
	for _, name := range username.Names() {
		refs = append(refs, a.Tokens[name])
	}
	return refs
}

// DeepCopy returns a copy that shares nothing with a. The copy of nil is nil.
func (a *Auth) DeepCopy() *Auth {
	if a == nil {
		return nil
	}
	out := *a
	out.Tokens, out.Headers, out.Query = maps.Clone(a.Tokens), slices.Clone(a.Headers), slices.Clone(a.Query)
	out.Basic = copyOf(a.Basic)
	return &out
}
