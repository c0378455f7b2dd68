package spec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"credproxy.dev/controller/pkg/template"
)

const (
	// maxAdditions is for the tokens, the headers and the parameters of a route, each by itself.
	maxAdditions = 16
	maxTemplate  = 1024
)

// validateCustom is about the fields that only scheme Custom has.
func validateCustom(a *Auth, path *field.Path) field.ErrorList {
	if a.Scheme != SchemeCustom {
		return forbidCustom(a, path)
	}
	v := customAuth{auth: a, path: path, used: sets.New[string]()}
	v.tokens()
	v.headers()
	v.query()
	v.basic()
	v.unused()
	return v.errs
}

func forbidCustom(a *Auth, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, one := range []struct {
		name string
		set  bool
	}{{"tokens", a.Tokens != nil}, {"headers", a.Headers != nil}, {"query", a.Query != nil}, {"basic", a.Basic != nil}} {
		if one.set {
			errs = append(errs, field.Forbidden(path.Child(one.name), "only scheme Custom has it; write scheme: Custom, or remove it"))
		}
	}
	return errs
}

// customAuth is one auth of scheme Custom that is validated.
type customAuth struct {
	auth *Auth
	path *field.Path
	errs field.ErrorList
	// used are the names that stand in templates.
	used sets.Set[string]
	// misread is true once a template was not understood, which may have meant any name.
	misread bool
}

func (v *customAuth) add(errs ...*field.Error) { v.errs = append(v.errs, errs...) }

func (v *customAuth) tokens() {
	at, tokens := v.path.Child("tokens"), v.auth.Tokens
	switch {
	case len(tokens) == 0:
		v.add(field.Required(at, "name the tokens of the templates, each with its source, such as token: {env: VARIABLE}"))
	case len(tokens) > maxAdditions:
		v.add(field.TooMany(at, len(tokens), maxAdditions))
	}
	for _, name := range slices.Sorted(maps.Keys(tokens)) {
		if !template.IsName(name) {
			v.add(invalid(at.Key(name), "a token's name must be at most 63 letters, digits, '_' and '-', beginning with a letter"))
		}
		v.add(validateTokenRef(tokens[name], at.Key(name))...)
	}
}

func (v *customAuth) unused() {
	for _, name := range slices.Sorted(maps.Keys(v.auth.Tokens)) {
		if template.IsName(name) && !v.used.Has(name) && !v.misread {
			v.add(invalid(v.path.Child("tokens").Key(name), "is in no template; write its name in braces where it belongs, or remove it"))
		}
	}
}

// additions goes through a list of which no two may be about the same, by what fold makes of their names.
func (v *customAuth) additions(list []Addition, at *field.Path, fold func(string) string, each func(Addition, *field.Path)) {
	switch {
	case list != nil && len(list) == 0:
		v.add(field.Required(at, "write at least one entry, or remove the field"))
	case len(list) > maxAdditions:
		v.add(field.TooMany(at, len(list), maxAdditions))
	}
	first := map[string]int{}
	for i, one := range list {
		if before, taken := first[fold(one.Name)]; taken && one.Name != "" {
			v.add(invalid(at.Index(i).Child("name"), fmt.Sprintf("is that of %s too, as servers compare names; keep one", at.Index(before))))
		} else {
			first[fold(one.Name)] = i
		}
		each(one, at.Index(i))
	}
}

// foldHeader is what CGI makes of a header's name (RFC 3875 section 4.1.18).
func foldHeader(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// foldParameter is what PHP makes of a parameter's name.
func foldParameter(name string) string { return strings.ReplaceAll(strings.ToLower(name), ".", "_") }

// credentialHeaders hold a credential whatever else is known of a route, so that a constant one would be a secret in a file.
func credentialHeaders() sets.Set[string] {
	return sets.New("authorization", "cookie", "x-api-key", "x-goog-api-key", "api-key")
}

func (v *customAuth) headers() {
	v.additions(v.auth.Headers, v.path.Child("headers"), foldHeader, func(h Addition, at *field.Path) {
		if h.Name == "" {
			v.add(field.Required(at.Child("name"), "write the name of the header, such as X-Api-Key"))
		} else {
			v.add(validateHeaderName(h.Name, at.Child("name"))...)
		}
		if foldHeader(h.Name) == "authorization" && v.auth.Basic != nil {
			v.add(field.Forbidden(at.Child("name"), "basic adds Authorization already; keep one"))
		}
		value := at.Child("value")
		secret, ok := v.template(h.Value, value)
		switch {
		case !ok:
		case h.Value == "":
			v.add(field.Required(value, "write what the header says, such as Bearer {token}"))
		case !isFieldValue(h.Value):
			v.add(invalid(value, "cannot be sent in a header: it must be letters, digits, spaces and punctuation of ASCII, with no space at an end"))
		case !secret && credentialHeaders().Has(foldHeader(h.Name)):
			v.add(invalid(value, "holds a credential in this header, which is no secret in this file: write a token's name in braces, such as {token}"))
		}
	})
}

// isFieldValue reports whether a text can be a header's value that every server reads alike (RFC 9110 section 5.5).
func isFieldValue(text string) bool {
	return strings.TrimSpace(text) == text && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// parameterName is of characters that need no encoding (RFC 3986 section 2.3).
var parameterName = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,128}$`)

func (v *customAuth) query() {
	v.additions(v.auth.Query, v.path.Child("query"), foldParameter, func(p Addition, at *field.Path) {
		if !parameterName.MatchString(p.Name) {
			v.add(invalid(at.Child("name"), "must be the name of a parameter alone: at most 128 letters, digits and '-._~', such as key"))
		}
		if _, ok := v.template(p.Value, at.Child("value")); ok && p.Value == "" {
			v.add(field.Required(at.Child("value"), "write what the parameter says, such as {token}"))
		}
	})
}

func (v *customAuth) basic() {
	b, at := v.auth.Basic, v.path.Child("basic")
	if b == nil {
		return
	}
	if strings.Contains(b.Username, ":") {
		v.add(invalid(at.Child("username"), "must not hold ':', which ends the user name (RFC 7617 section 2)"))
	}
	username, ok := v.template(b.Username, at.Child("username"))
	password, good := v.template(b.Password, at.Child("password"))
	if ok && good && !username && !password {
		v.add(invalid(at, "has a token in neither half: write its name in braces, such as password: \"{token}\""))
	}
}

// template notes the names in a template. It is not ok if something was wrong with it; secret is whether there is a token in it.
func (v *customAuth) template(text string, at *field.Path) (secret, ok bool) {
	before := len(v.errs)
	parsed, err := template.Parse(text)
	switch {
	case len(text) > maxTemplate:
		v.add(field.TooLong(at, omitted{}, maxTemplate))
	case err != nil:
		v.add(invalid(at, err.Error()))
		v.misread = true
	case strings.ContainsFunc(text, unicode.IsControl):
		v.add(invalid(at, "must not hold control characters, a line break for one"))
	}
	for _, name := range parsed.Names() {
		if _, known := v.auth.Tokens[name]; !known {
			v.add(invalid(at, "has a name in braces that is none of tokens; they are: "+v.known()))
			v.misread = true
			break
		}
		v.used.Insert(name)
	}
	return len(parsed.Names()) > 0, len(v.errs) == before
}

// known lists the names of the tokens.
func (v *customAuth) known() string {
	names := slices.Sorted(maps.Keys(v.auth.Tokens))
	names = slices.DeleteFunc(names, func(name string) bool { return !template.IsName(name) })
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names[:min(len(names), maxAdditions)], ", ")
}
