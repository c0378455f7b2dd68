package spec

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateRoutes(routes []Route, path *field.Path) field.ErrorList {
	switch {
	case len(routes) == 0:
		return field.ErrorList{field.Required(path, "add at least one route, with path and upstream")}
	case len(routes) > MaxRoutes:
		return field.ErrorList{field.TooMany(path, len(routes), MaxRoutes)}
	}
	var errs field.ErrorList
	first := map[string]int{}
	for i, route := range routes {
		at := path.Index(i)
		errs = append(errs, validatePath(route.Path, at.Child("path"))...)
		if before, taken := first[route.Path]; taken && route.Path != "" {
			errs = append(errs, invalid(at.Child("path"), fmt.Sprintf("taken by %s; give each route its own", path.Index(before))))
		} else {
			first[route.Path] = i
		}
		errs = append(errs, validateUpstream(route, at)...)
		errs = append(errs, validateReach(route, at)...)
		if route.Auth != nil {
			errs = append(errs, validateAuth(route.Auth, at.Child("auth"))...)
		}
		errs = append(errs, validateRoutePolicy(&route, at)...)
		errs = append(errs, validateLimits(route.Limits, at.Child("limits"))...)
	}
	return append(errs, validateRoles(routes, path)...)
}

const maxPathLength = 512

func validatePath(prefix string, path *field.Path) field.ErrorList {
	switch {
	case prefix == "":
		return field.ErrorList{field.Required(path, "write the prefix that the agent dials, such as /anthropic")}
	case prefix == "/":
		return nil
	case strings.HasSuffix(prefix, "/"):
		return field.ErrorList{invalid(path, "must not end with '/': the prefix covers what is beneath it anyway")}
	}
	if todo := uncleanPath(prefix); todo != "" {
		return field.ErrorList{invalid(path, todo)}
	}
	return nil
}

// pathSegment is RFC 3986 section 3.3 without percent-encoding, and without ';', which some servers cut off.
var pathSegment = regexp.MustCompile(`^[A-Za-z0-9._~!$&'()*+,=:@-]+$`)

// uncleanPath says what to mend in a path that two readers could take differently, or returns "".
func uncleanPath(p string) string {
	rest, ok := strings.CutPrefix(p, "/")
	if !ok {
		return "must begin with '/'"
	}
	if len(p) > maxPathLength {
		return fmt.Sprintf("must have at most %d characters", maxPathLength)
	}
	for segment := range strings.SplitSeq(rest, "/") {
		switch {
		case segment == "":
			return "must not hold '//'"
		case segment == "." || segment == "..":
			return "must not hold '.' or '..' as a segment; write the path that is meant"
		case !pathSegment.MatchString(segment):
			return "must be letters, digits and -._~!$&'()*+,=:@ between slashes: no spaces, '%', ';', '?', '#' or '\\'"
		}
	}
	return ""
}

func validateUpstream(route Route, at *field.Path) field.ErrorList {
	path := at.Child("upstream")
	if route.Upstream == "" {
		return field.ErrorList{field.Required(path, "write where requests go, such as https://api.example.com")}
	}
	u, err := url.Parse(route.Upstream)
	if err != nil || !isUpstream(u) {
		return field.ErrorList{invalid(path, "must be an absolute URL, such as https://api.example.com/base")}
	}
	var errs field.ErrorList
	for _, todo := range upstreamProblems(u, route.Upstream) {
		errs = append(errs, invalid(path, todo))
	}
	if u.Scheme == "http" && !route.InsecureUpstream {
		errs = append(errs, field.Forbidden(path, "http:// sends the token in clear; write https://, or add insecureUpstream: true to the route"))
	}
	return errs
}

// upstreamProblems says what to mend in an absolute URL.
func upstreamProblems(u *url.URL, raw string) []string {
	var todo []string
	if u.User != nil {
		todo = append(todo, "must not hold a user or password; use auth with a tokenRef")
	}
	if strings.Contains(raw, "?") {
		todo = append(todo, "must not hold a query ('?')")
	}
	if strings.Contains(raw, "#") {
		todo = append(todo, "must not hold a fragment ('#')")
	}
	if !isHost(u.Hostname(), strings.HasPrefix(u.Host, "[")) {
		todo = append(todo, "must name its host by a DNS name (punycode for other letters, no final dot) or an IP address")
	}
	if _, port, found := strings.Cut(u.Host[strings.LastIndex(u.Host, "]")+1:], ":"); found {
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			todo = append(todo, "must have a port from 1 to 65535 after ':'")
		}
	}
	if u.Path != "" && u.Path != "/" {
		if unclean := uncleanPath(u.EscapedPath()); unclean != "" {
			todo = append(todo, "its path "+unclean)
		}
	}
	return todo
}

var (
	hostLabel = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)
	// numberLabel as a last label makes a host an IPv4 address for some resolvers, whatever its form.
	numberLabel = regexp.MustCompile(`^([0-9]+|0[xX][0-9A-Fa-f]*)$`)
)

// isHost reports whether a host is a DNS name, an IPv4 address in its usual form, or in brackets an IPv6 address
// without zone. Underscores are common in names of containers.
func isHost(host string, bracketed bool) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Is6() == bracketed && addr.Zone() == ""
	}
	if bracketed || len(host) > 253 {
		return false
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !hostLabel.MatchString(label) {
			return false
		}
	}
	return !numberLabel.MatchString(labels[len(labels)-1])
}
