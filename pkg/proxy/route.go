package proxy

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
)

// route is one prefix, ready to serve.
type route struct {
	path string
	// segments are those of path, decoded; none for "/".
	segments []string
	upstream *url.URL
	// base is the upstream's escaped path, decodedBase the same decoded.
	base, decodedBase string
	credential        *credential
	// withheld is why there is none, where a token may not be used.
	withheld routetable.Withheld
	// passes lets the client's own credentials through.
	passes bool
	// takenFields and takenParams are what is taken out of the client's header and query.
	takenFields, takenParams []string
	// standing is what the upstream makes of the credential; nil without one.
	standing *standing
	// tally counts its requests.
	tally   *tally
	callers *callers
	// gate is the route's policy, and limits what its requests may take; nil where it has none.
	gate   *gate
	limits *limits
	scrub  *scrubbing
	// among are all routes of its generation.
	among *table
	// anonymous is true while the sidecar has no key for the route's client certificate.
	anonymous bool
	// way is how the upstream is reached.
	way       way
	transport http.RoundTripper
}

// table routes one generation. It never changes.
type table struct {
	// routes has the longest prefix first.
	routes  []*route
	callers *callers
	// waiting is true of what stands for a table until the first is delivered.
	waiting bool
}

// newTable prepares a loaded generation. through gives the transport of a way.
func newTable(loaded routetable.Loaded, through func(way, *tls.Certificate) (http.RoundTripper, error)) (*table, error) {
	t := &table{callers: newCallers(&loaded)}
	for _, r := range loaded.Table.Routes {
		upstream, err := url.Parse(r.Upstream)
		if err != nil {
			return nil, fmt.Errorf("route %s: its upstream is not a URL", r.Path)
		}
		way, certificate, err := wayOf(&loaded, r)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", r.Path, err)
		}
		rt := &route{
			path: r.Path, upstream: upstream, base: upstream.EscapedPath(), decodedBase: upstream.Path, callers: t.callers,
			withheld: r.Withheld, passes: r.PassCredentials, gate: newGate(r), limits: newLimits(r.Limits),
			among: t, way: way, anonymous: r.ClientCertificate != nil && certificate == nil,
		}
		if r.Path != "/" {
			rt.segments = strings.Split(r.Path[1:], "/")
		}
		if r.Auth != nil {
			tokens, ok := loaded.Tokens(r.Auth)
			if rt.credential, err = newCredential(r.Auth, tokens, ok); err != nil {
				return nil, fmt.Errorf("route %s: %w", r.Path, err)
			}
			if !r.Unscrubbed {
				rt.scrub = newScrubbing(tokens)
			}
		}
		if rt.transport, err = through(way, certificate); err != nil {
			return nil, fmt.Errorf("route %s: %w", r.Path, err)
		}
		t.routes = append(t.routes, rt)
	}
	t.takeOut()
	slices.SortStableFunc(t.routes, func(a, b *route) int { return len(b.segments) - len(a.segments) })
	return t, nil
}

// ready reports whether the route has the token and the key that it needs.
func (rt *route) ready() bool {
	return rt.withheld == "" && !rt.anonymous && (rt.credential == nil || rt.credential.present)
}

// find returns the route with the longest prefix of an escaped path; nil when there is none.
func (t *table) find(escaped string) *route {
	for _, rt := range t.routes {
		if _, ok := rt.cut(escaped); ok {
			return rt
		}
	}
	return nil
}

// paths lists the prefixes, for a person who missed them all.
func (t *table) paths() string {
	var paths []string
	for _, rt := range t.routes {
		paths = append(paths, rt.path)
	}
	slices.Sort(paths)
	return strings.Join(paths, ", ")
}

// cut takes the route's prefix off an escaped path, on whole segments, and returns what follows as it was written:
// empty or beginning with a slash.
func (rt *route) cut(escaped string) (rest string, ok bool) {
	if !strings.Contains(escaped, "%") {
		if len(rt.segments) == 0 {
			return escaped, true
		}
		rest, ok = strings.CutPrefix(escaped, rt.path)
		return rest, ok && (rest == "" || rest[0] == '/')
	}
	for _, want := range rt.segments {
		if !strings.HasPrefix(escaped, "/") {
			return "", false
		}
		segment, _, _ := strings.Cut(escaped[1:], "/")
		// %61 is another way to write a (RFC 3986 section 6.2.2.2), but %2f does not part segments.
		if decoded, err := url.PathUnescape(segment); err != nil || decoded != want {
			return "", false
		}
		escaped = escaped[1+len(segment):]
	}
	return escaped, true
}

// target sets where a request goes: the upstream's scheme, host and base path, then the rest of the client's path as the
// client wrote it, and the query.
func (rt *route) target(out *url.URL, in *url.URL) bool {
	rest, ok := rt.cut(in.EscapedPath())
	if !ok {
		return false
	}
	decodedRest, err := url.PathUnescape(rest)
	if err != nil {
		return false
	}
	out.Scheme, out.Host, out.User, out.Opaque = rt.upstream.Scheme, rt.upstream.Host, nil, ""
	out.Path, out.RawPath = joinPath(rt.decodedBase, decodedRest), joinPath(rt.base, rest)
	out.RawQuery, out.ForceQuery = inASCII(rt.query(in.RawQuery)), in.ForceQuery
	return true
}

func joinPath(base, rest string) string {
	switch {
	case rest == "" && base == "":
		return "/"
	case rest == "":
		return base
	}
	return strings.TrimSuffix(base, "/") + rest
}

// rewrite makes the upstream's request of the client's, from which the hop-by-hop fields are gone, those named by Connection
// too, so that nothing takes away what is added here.
func (rt *route) rewrite(out, in *http.Request) {
	if !rt.target(out.URL, in.URL) {
		// Unreachable after routing. A request without a host cannot be sent, so nothing leaks if it is reached.
		out.URL, out.Header = &url.URL{}, http.Header{}
		return
	}
	// With an empty Host the transport sends the upstream's own.
	out.Host = ""
	rt.announce(out, in)
	rt.authorize(out.Header)
	rt.scrub.ask(out.Header)
}
