package wiring

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// sidecarHost is how the agent dials the sidecar. The port that goes without saying is left out, since clients that compare URLs
// do so too.
func sidecarHost(s *spec.CredProxySpec) string {
	if s.Port == 80 {
		return s.Hostname
	}
	return net.JoinHostPort(s.Hostname, strconv.Itoa(int(s.Port)))
}

func sidecarURL(s *spec.CredProxySpec) string { return "http://" + sidecarHost(s) }

// host is the sidecar's without the scheme.
func (w *Wiring) host() string { return strings.TrimPrefix(w.URL, "http://") }

// base is the URL of a route, without a slash at the end.
func (w *Wiring) base(r *spec.Route) string { return w.URL + escapedPath(r.Path) }

// escapedPath is a route's path with everything percent-encoded that a shell, a file of settings or a template could take for
// something of its own. The sidecar undoes it (RFC 3986 section 6.2.2.2).
func escapedPath(path string) string {
	if path == "/" {
		return ""
	}
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; isPlain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// isPlain reports whether a byte means itself wherever a URL may be written.
func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~/:@+,", c) >= 0
}

// credential is what a client is given as its key, which it sends in Authorization. It is the caller key where the sidecar looks
// for that there, and otherwise the placeholder.
func (w *Wiring) credential() string {
	if w.CallerKey && w.bearsKey() {
		return keyRef
	}
	return Placeholder
}

// bearsKey reports whether a key in Authorization would be found.
func (w *Wiring) bearsKey() bool {
	return w.KeyHeader == "" || strings.EqualFold(w.KeyHeader, "Authorization")
}

// cannotShow notes that a client has no way to show the caller key.
func (w *Wiring) cannotShow(client string, file Format) {
	w.note(client+" cannot send the caller key in "+w.KeyHeader+", where alone the spec's callerAuth.header has it looked for", file)
}

// ownKey notes that a route passes what the agent sends, so that it gets no placeholder.
func (w *Wiring) ownKey(r *spec.Route, key string, file ...Format) {
	w.note("the route "+r.Path+" has passCredentials: what the agent sends passes, so "+key+" is left to it", file...)
}
