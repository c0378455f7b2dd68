package spec

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"credproxy.dev/controller/pkg/nearest"
)

// holder is where a role stands.
type holder struct {
	role Role
	at   *field.Path
}

// validateRoles judges the roles of all routes of a spec: a client that has one setting can be given one route.
func validateRoles(routes []Route, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	settings, rewritten := map[string]holder{}, map[string]holder{}
	for i := range routes {
		route, at := &routes[i], path.Index(i).Child("roles")
		if route.Roles != nil && len(route.Roles) == 0 {
			errs = append(errs, field.Required(at, "list what the agent's clients use the route for, such as "+string(RoleAnthropic)+", or remove it"))
		}
		for j, role := range route.Roles {
			here := at.Index(j)
			switch {
			case !slices.Contains(Roles(), role):
				errs = append(errs, invalid(here, unknownRole(role)))
				continue
			case slices.Contains(route.Roles[:j], role):
				errs = append(errs, field.Duplicate(here, omitted{}))
				continue
			}
			errs = append(errs, once(settings, role.setting(), holder{role, here})...)
			if role == RoleGit {
				errs = append(errs, once(rewritten, upstreamOf(route), holder{role, here})...)
			}
			for _, todo := range misfits(route, role) {
				errs = append(errs, field.Forbidden(here, todo))
			}
		}
	}
	return errs
}

// unknownRole says what to write for a role that is none. It does not repeat it: it may be a token in the wrong place.
func unknownRole(typed Role) string {
	var known []string
	for _, role := range Roles() {
		known = append(known, string(role))
	}
	return "must be one of " + strings.Join(known, ", ") + nearest.Hint(string(typed), known)
}

// once refuses the second of two that set the same thing.
func once(taken map[string]holder, what string, h holder) field.ErrorList {
	if what == "" {
		return nil
	}
	first, found := taken[what]
	if !found {
		taken[what] = h
		return nil
	}
	if h.role == RoleGit {
		return field.ErrorList{field.Forbidden(h.at, fmt.Sprintf("the upstream is that of %s too, and git rewrites a URL to one place; remove one of the two", first.at))}
	}
	return field.ErrorList{field.Forbidden(h.at, fmt.Sprintf("a client has one %s, which %s sets already; remove one of the two", what, first.at))}
}

// upstreamOf is a route's upstream in the form that all of its spellings have in common; empty for one that has none.
func upstreamOf(r *Route) string {
	u, err := ParseUpstream(r.Upstream)
	if err != nil {
		return ""
	}
	return u.String()
}

// misfits say why the clients of a role cannot use a route, as far as that can be known.
func misfits(r *Route, role Role) (todo []string) {
	if r.Mode != ModeWarn {
		if r.Git != nil && role != RoleGit {
			todo = append(todo, "git: passes the requests of git alone; give "+string(role)+" a route of its own")
		}
		for _, method := range role.needs() {
			if r.Methods != nil && !slices.Contains(r.Methods, method) {
				todo = append(todo, "its clients need the method "+method+", which methods does not pass; add it there")
			}
		}
	}
	u, err := ParseUpstream(r.Upstream)
	if err != nil {
		return todo
	}
	if end := role.appended(); end != "" && strings.HasSuffix(u.Path, end) {
		todo = append(todo, "its clients put "+end+" behind the URL that they are given; end the upstream before it")
	}
	if role == RoleNPM && u.Path != "" && u.Path != r.Path {
		todo = append(todo, "npm keeps the path of the upstream when it fetches a package; write path: "+u.Path+", as in the upstream")
	}
	if role == RolePip && elsewhere(u.Host) {
		todo = append(todo, "the pages of this index lead to files on another host, where the agent cannot go; "+
			"name an index that serves the files itself, such as a mirror")
	}
	return todo
}

// elsewhere reports whether a host is that of the Python Package Index, whose files are on hosts of their own.
func elsewhere(host string) bool {
	return host == "pypi.org" || strings.HasSuffix(host, ".pypi.org") || host == "pypi.python.org"
}
