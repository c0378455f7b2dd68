package spec

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateAuth(a *Auth, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch a.Scheme {
	case SchemeBearer, SchemeToken, SchemeBasic, SchemeHeader:
	case "":
		errs = append(errs, field.Required(path.Child("scheme"), "write Bearer, Token, Basic or Header"))
	default:
		errs = append(errs, invalid(path.Child("scheme"), "must be Bearer, Token, Basic or Header, in this spelling"))
	}
	errs = append(errs, validateUsername(a, path.Child("username"))...)
	errs = append(errs, validateHeader(a, path.Child("header"))...)
	return append(errs, validateTokenRef(a.TokenRef, path.Child("tokenRef"))...)
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
		if route.Auth != nil && route.Auth.TokenRef == s.CallerAuth.KeyRef && len(errs) == 0 {
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
	switch {
	case ref == TokenRef{}:
		return field.ErrorList{field.Required(path, "name where the token is found: env: VARIABLE or file: PATH")}
	case ref.Env != "" && ref.File != "":
		return field.ErrorList{field.Forbidden(path, "env and file are both set; keep one")}
	case ref.Env != "" && !envName.MatchString(ref.Env):
		return field.ErrorList{invalid(path.Child("env"), "must be the name of a variable, not its value: letters, digits and '_', not beginning with a digit")}
	case ref.File != "" && !isTokenFile(ref.File):
		return field.ErrorList{invalid(path.Child("file"), "must be a clean path relative to --token-dir: no leading '/', '.', '..', '//' or control characters")}
	}
	return nil
}

func isTokenFile(file string) bool {
	return fs.ValidPath(file) && file != "." && len(file) <= maxTokenFile &&
		!strings.Contains(file, `\`) && !strings.ContainsFunc(file, unicode.IsControl)
}
