package spec

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateAuth(a *Auth, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch a.Scheme {
	case SchemeBearer, SchemeToken, SchemeBasic, SchemeHeader, SchemeCustom:
	case "":
		errs = append(errs, field.Required(path.Child("scheme"), "write Bearer, Token, Basic, Header or Custom"))
	default:
		errs = append(errs, invalid(path.Child("scheme"), "must be Bearer, Token, Basic, Header or Custom, in this spelling"))
	}
	errs = append(errs, validateUsername(a, path.Child("username"))...)
	errs = append(errs, validateHeader(a, path.Child("header"))...)
	switch {
	case a.Scheme != SchemeCustom:
		errs = append(errs, validateTokenRef(a.TokenRef, path.Child("tokenRef"))...)
	case a.TokenRef != TokenRef{}:
		errs = append(errs, field.Forbidden(path.Child("tokenRef"), "scheme Custom names its tokens in tokens; move it there"))
	}
	return append(errs, validateCustom(a, path)...)
}

// validateUsername holds RFC 7617 section 2: a user-id has no colon and no control characters.
func validateUsername(a *Auth, path *field.Path) field.ErrorList {
	switch {
	case a.Username == "" && a.Scheme == SchemeBasic:
		return field.ErrorList{field.Required(path, "Basic needs a username, such as x-access-token")}
	case a.Username == "":
		return nil
	case a.Scheme != SchemeBasic:
		return field.ErrorList{field.Forbidden(path, "only scheme Basic has a username; remove it")}
	case strings.Contains(a.Username, ":") || strings.ContainsFunc(a.Username, unicode.IsControl):
		return field.ErrorList{invalid(path, "must not hold ':' or control characters; the token goes into tokenRef")}
	case len(a.Username) > 255:
		return field.ErrorList{field.TooLong(path, omitted{}, 255)}
	}
	return nil
}

// fieldName is a token of RFC 9110 section 5.6.2, which section 5.1 makes the form of field names.
var fieldName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$")

// reservedHeaders cannot carry a token: they belong to one connection (RFC 9110 section 7.6.1, RFC 9112) or say how
// the message is framed and where it goes.
func reservedHeaders() sets.Set[string] {
	return sets.New("connection", "proxy-connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
		"proxy-authenticate", "proxy-authorization", "host", "content-length", "content-type", "content-encoding",
		"expect", "date", "http2-settings")
}

func validateHeader(a *Auth, path *field.Path) field.ErrorList {
	switch {
	case a.Header == "" && a.Scheme == SchemeHeader:
		return field.ErrorList{field.Required(path, "Header needs the name of a header, such as X-Api-Key")}
	case a.Header == "":
		return nil
	case a.Scheme != SchemeHeader:
		return field.ErrorList{field.Forbidden(path, "only scheme Header has a header; remove it")}
	}
	return validateHeaderName(a.Header, path)
}

func validateHeaderName(name string, path *field.Path) field.ErrorList {
	switch {
	case !fieldName.MatchString(name):
		return field.ErrorList{invalid(path, "must be the name of a header alone: letters, digits and '-', such as X-Api-Key")}
	case reservedHeaders().Has(strings.ToLower(name)):
		return field.ErrorList{invalid(path, "this header belongs to the connection or the message and cannot carry a token; name another")}
	}
	return nil
}

// validateCallerAuth refuses a key that a route has as its token: the agent shows the key, so it would hold the token.
func validateCallerAuth(s *CredProxySpec, spec *field.Path) field.ErrorList {
	if s.CallerAuth == nil {
		return nil
	}
	path := spec.Child("callerAuth")
	errs := validateTokenRef(s.CallerAuth.KeyRef, path.Child("keyRef"))
	if s.CallerAuth.Header != "" {
		errs = append(errs, validateHeaderName(s.CallerAuth.Header, path.Child("header"))...)
	}
	for i, route := range s.Routes {
		if slices.Contains(route.Refs(), s.CallerAuth.KeyRef) && len(errs) == 0 {
			errs = append(errs, field.Forbidden(path.Child("keyRef"), fmt.Sprintf(
				"is the token of %s too, and the agent would hold it; give the callers a key of their own", spec.Child("routes").Index(i))))
		}
	}
	return errs
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,254}$`)

// maxTokenFile is the longest path that Linux opens.
const maxTokenFile = 4095

func validateTokenRef(ref TokenRef, path *field.Path) field.ErrorList {
	switch sources := ref.sources(); {
	case len(sources) == 0:
		return field.ErrorList{field.Required(path, "name where the token is found: env: VARIABLE, file: PATH, or provider: NAME with key: KEY")}
	case len(sources) > 1:
		return field.ErrorList{field.Forbidden(path, strings.Join(sources, " and ")+" are set together; keep one source")}
	case sources[0] == "provider":
		return validateProviderRef(ref, path)
	case ref.Env != "" && !envName.MatchString(ref.Env):
		return field.ErrorList{invalid(path.Child("env"), "must be the name of a variable, not its value: letters, digits and '_', not beginning with a digit")}
	case ref.File != "" && !isTokenFile(ref.File):
		return field.ErrorList{invalid(path.Child("file"), "must be a clean path relative to --token-dir: no leading '/', '.', '..', '//' or control characters")}
	}
	return nil
}

// Valid reports whether a spec can name a token so.
func (r TokenRef) Valid() bool { return len(validateTokenRef(r, nil)) == 0 }

// sources are the fields that are set of those that each name a source by themselves; a key belongs to its provider.
func (r TokenRef) sources() []string {
	var found []string
	for _, source := range []struct {
		field string
		set   bool
	}{{"env", r.Env != ""}, {"file", r.File != ""}, {"provider", r.Provider != "" || r.Key != ""}} {
		if source.set {
			found = append(found, source.field)
		}
	}
	return found
}

func validateProviderRef(ref TokenRef, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	provider, key := path.Child("provider"), path.Child("key")
	switch {
	case ref.Provider == "":
		errs = append(errs, field.Required(provider, "name the provider that knows the key: one of --token-providers"))
	case content.IsDNS1123Label(ref.Provider) != nil:
		errs = append(errs, invalid(provider, mustBeLabel))
	}
	switch {
	case ref.Key == "":
		errs = append(errs, field.Required(key, "say which token of the provider, such as team-a/github"))
	case !IsTokenKey(ref.Key):
		errs = append(errs, invalid(key, "must be at most 253 letters, digits and '.', '_', '/', '@', ':', '+', '=', '-', "+
			"beginning with a letter or digit, with no '/' at the end and no '//', '/./' or '/../'"))
	}
	return errs
}

// maxTokenKey is that of a DNS name, and of much else that keys are made from.
const maxTokenKey = 253

var tokenKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/@:+=-]*$`)

// IsTokenKey reports whether a provider may be handed a key. It is a path of segments that is relative and clean, at most
// 253 bytes long, and never anything to a shell, quoted or not: no option, variable, glob, or second word.
func IsTokenKey(key string) bool {
	return len(key) <= maxTokenKey && tokenKey.MatchString(key) && fs.ValidPath(key)
}

func isTokenFile(file string) bool {
	return fs.ValidPath(file) && file != "." && len(file) <= maxTokenFile &&
		!strings.Contains(file, `\`) && !strings.ContainsFunc(file, unicode.IsControl)
}
