package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"credproxy.dev/controller/pkg/glob"
	"credproxy.dev/controller/pkg/spec"
)

// anything, as a host or a port, is any.
const anything = "*"

// below begins the pattern of the names below one.
const below = "*."

// matches reports whether all that can be asked for through a route to the upstream is permitted.
func (u Upstream) matches(to spec.Upstream) bool {
	return u.scheme() == to.Scheme && u.matchesHost(to.Host) && u.matchesPort(to.Port) &&
		(len(u.Paths) == 0 || slices.ContainsFunc(u.Paths, func(p string) bool { return covers(p, to.Path) }))
}

// covers reports whether a base path and all that is below it match a pattern. Only one that ends in ** can do that, and
// then it does so if it matches the base.
func covers(pattern, base string) bool {
	return strings.HasSuffix(pattern, "/"+glob.AnyDepth) && pathGlob(pattern, base)
}

func (u Upstream) scheme() string {
	if u.Scheme == "" {
		return "https"
	}
	return u.Scheme
}

// matchesHost compares canonical hosts. "*.example.org" takes one label or more, of names only.
func (u Upstream) matchesHost(host string) bool {
	if u.Host == anything {
		return true
	}
	if parent, ok := strings.CutPrefix(u.Host, below); ok {
		parent, ok = spec.CanonicalHost(parent)
		return ok && !isAddress(host) && strings.HasSuffix(host, "."+parent) && len(host) > len(parent)+1
	}
	own, ok := spec.CanonicalHost(u.Host)
	return ok && own == host
}

func (u Upstream) matchesPort(port uint16) bool {
	own, ok := u.port()
	return ok && (own == 0 || own == port)
}

// port is the port; 0 for any.
func (u Upstream) port() (port uint16, ok bool) {
	switch u.Port {
	case anything:
		return 0, true
	case "":
		return spec.DefaultUpstreamPort(u.scheme()), true
	}
	number, err := strconv.ParseUint(u.Port, 10, 16)
	return uint16(number), err == nil && number > 0
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// String is the pattern as a URL, without a port that is the scheme's own.
func (u Upstream) String() string {
	host := u.Host
	if isAddress(host) && strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if u.Port != "" && u.Port != strconv.Itoa(int(spec.DefaultUpstreamPort(u.scheme()))) {
		host += ":" + u.Port
	}
	text := u.scheme() + "://" + host
	if len(u.Paths) == 1 {
		return text + u.Paths[0]
	}
	if len(u.Paths) > 1 {
		return text + "{" + strings.Join(u.Paths[:min(len(u.Paths), listed)], ",") + "}"
	}
	return text + "/**"
}
