package spec

import (
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateRoutePolicy(r *Route, at *field.Path) field.ErrorList {
	errs := validateMethods(r.Methods, at.Child("methods"))
	errs = append(errs, validatePaths(r.Paths, at.Child("paths"))...)
	errs = append(errs, validateGit(r, at)...)
	switch {
	case r.Mode != "" && r.Mode != ModeEnforce && r.Mode != ModeWarn:
		errs = append(errs, invalid(at.Child("mode"), "must be Enforce or Warn"))
	case r.Mode != "" && !r.hasPolicy():
		errs = append(errs, field.Forbidden(at.Child("mode"), "there is nothing that it could be of; add methods, paths or git, or remove it"))
	}
	return errs
}

// methodName is the part of the methods of RFC 9110 section 9.1 that is in use. They are compared letter by letter.
var methodName = regexp.MustCompile(`^[A-Z][A-Z-]{0,31}$`)

func validateMethods(methods []string, path *field.Path) field.ErrorList {
	if methods != nil && len(methods) == 0 {
		return field.ErrorList{field.Required(path, "list the methods that pass, such as GET and POST, or remove it to pass all")}
	}
	var errs field.ErrorList
	for i, method := range methods {
		switch at := path.Index(i); {
		case !methodName.MatchString(method):
			errs = append(errs, invalid(at, "must be a method in capitals, such as GET"))
		case method == "CONNECT" || method == "TRACE":
			errs = append(errs, invalid(at, "is never passed on; remove it"))
		case slices.Contains(methods[:i], method):
			errs = append(errs, field.Duplicate(at, omitted{}))
		}
	}
	return errs
}

func validatePaths(p *Paths, path *field.Path) field.ErrorList {
	if p == nil {
		return nil
	}
	if p.Allow == nil && p.Deny == nil {
		return field.ErrorList{field.Required(path, "write allow, deny or both, or remove it")}
	}
	return append(validatePathPatterns(p.Allow, path.Child("allow")), validatePathPatterns(p.Deny, path.Child("deny"))...)
}

func validatePathPatterns(patterns []string, path *field.Path) field.ErrorList {
	if patterns != nil && len(patterns) == 0 {
		return field.ErrorList{field.Required(path, "list patterns of paths, such as /v1/**, or remove it")}
	}
	var errs field.ErrorList
	for i, pattern := range patterns {
		if todo := badPathPattern(pattern); todo != "" {
			errs = append(errs, invalid(path.Index(i), todo))
		}
	}
	return errs
}

// badPathPattern says what to mend in a pattern of paths below a route's prefix.
func badPathPattern(pattern string) string {
	if pattern == "/" {
		return ""
	}
	plain := strings.NewReplacer("%2f", "/", "%2F", "/").Replace(pattern)
	if todo := uncleanPath(plain); todo != "" {
		return todo + "; %2f is a slash that may be encoded"
	}
	for segment := range strings.SplitSeq(plain, "/") {
		if segment != "**" && strings.Contains(segment, "**") {
			return "must have ** alone between slashes; * is any number of characters of a segment"
		}
	}
	return ""
}

func validateGit(r *Route, at *field.Path) field.ErrorList {
	if r.Git == nil {
		return nil
	}
	path := at.Child("git")
	var errs field.ErrorList
	if !r.Git.Fetch && len(r.Git.Push) == 0 {
		errs = append(errs, field.Required(path, "write fetch: true, or the repositories that may be pushed to, or both: nothing else passes"))
	}
	for i, repository := range r.Git.Push {
		if todo := badRepository(repository); todo != "" {
			errs = append(errs, invalid(path.Child("push").Index(i), todo))
		}
	}
	if r.Methods != nil {
		errs = append(errs, field.Forbidden(at.Child("methods"), "git says already which requests pass; remove one of the two"))
	}
	if r.Paths != nil {
		errs = append(errs, field.Forbidden(at.Child("paths"), "git says already which requests pass; to bound what can be fetched, write an upstream below which there is nothing else"))
	}
	return errs
}

// badRepository says what to mend in a pattern of repositories.
func badRepository(pattern string) string {
	if strings.HasPrefix(pattern, "/") || strings.Contains(pattern, "%") {
		return "must be a repository as it stands behind the route's prefix, such as org/repo, org/* or **"
	}
	return badPathPattern("/" + pattern)
}
