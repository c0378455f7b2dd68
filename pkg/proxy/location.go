package proxy

import (
	"net/http"
	"net/url"
	"strings"
)

// relocate brings the places that an upstream names in an answer back under the route, so that a client who goes there comes
// by the sidecar again, and has its credential again: Location (RFC 9110 section 10.2.2) and Content-Location (section 8.7).
func (rt *route) relocate(res *http.Response) {
	for _, field := range [...]string{"Location", "Content-Location"} {
		places := res.Header[field]
		for i, place := range places {
			places[i] = rt.relocated(place, res.Request.URL)
		}
	}
}

// relocated is a reference of the upstream's, in answer to a request for a URL of it, as clients of the route have to read it:
// a path of the route for what is below the upstream and no other route's; the whole URL for what is elsewhere at the same server, which as a path
// could be another route's; and anything else as it is.
func (rt *route) relocated(place string, asked *url.URL) string {
	reference, err := url.Parse(place)
	if err != nil {
		return place
	}
	to := asked.ResolveReference(reference)
	if to.User != nil || to.Opaque != "" || !sameServer(to, rt.upstream) {
		return place
	}
	if path, ok := rt.uncut(to.EscapedPath()); ok && rt.among.find(path) == rt {
		here := url.URL{RawQuery: to.RawQuery, ForceQuery: to.ForceQuery, Fragment: to.Fragment, RawFragment: to.RawFragment}
		return path + here.String()
	}
	return to.String()
}

// uncut is the path that clients ask for when they mean an escaped path of the upstream; false when there is none.
func (rt *route) uncut(escaped string) (path string, ok bool) {
	rest, ok := strings.CutPrefix(escaped, strings.TrimSuffix(rt.base, "/"))
	if !ok || rest != "" && rest[0] != '/' || beginsAuthority(rest) {
		return "", false
	}
	prefix := strings.TrimSuffix((&url.URL{Path: rt.path}).EscapedPath(), "/")
	if prefix+rest == "" {
		return "/", true
	}
	return prefix + rest, true
}

// sameServer reports whether two URLs have one origin (RFC 9110 section 4.3.1).
func sameServer(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && portOf(a) == portOf(b) &&
		strings.EqualFold(strings.TrimSuffix(a.Hostname(), "."), strings.TrimSuffix(b.Hostname(), "."))
}

// portOf is the port that a URL leads to (RFC 9110 sections 4.2.1 and 4.2.2).
func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}
