package spec

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Upstream is where a route leads, in the one form that all spellings of it have in common.
type Upstream struct {
	// Scheme is http or https.
	Scheme string
	// Host is as CanonicalHost writes it.
	Host string
	// Port is the scheme's own where the URL names none.
	Port uint16
	// Path is the base path, "" for the root: clean, without a final slash. Everything below it can be asked for.
	Path string
}

// String is the upstream as a URL, without a port that is the scheme's own.
func (u Upstream) String() string {
	host := u.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if u.Port != DefaultUpstreamPort(u.Scheme) {
		host = net.JoinHostPort(u.Host, strconv.Itoa(int(u.Port)))
	}
	return u.Scheme + "://" + host + u.Path
}

// DefaultUpstreamPort is the port of a URL without one (RFC 9110 sections 4.2.1 and 4.2.2).
func DefaultUpstreamPort(scheme string) uint16 {
	if scheme == "http" {
		return 80
	}
	return 443
}

// ParseUpstream reads a route's upstream, as SetDefaults leaves it. It fails for what a valid spec cannot hold, on which two readers could differ.
func ParseUpstream(raw string) (Upstream, error) {
	u, err := url.Parse(raw)
	if err != nil || !isUpstream(u) {
		return Upstream{}, errors.New("is not an absolute URL")
	}
	if problems := upstreamProblems(u, raw); len(problems) > 0 {
		return Upstream{}, errors.New(problems[0])
	}
	host, ok := CanonicalHost(u.Hostname())
	if !ok {
		return Upstream{}, errors.New("names no host")
	}
	found := Upstream{Scheme: u.Scheme, Host: host, Port: DefaultUpstreamPort(u.Scheme), Path: strings.TrimSuffix(u.EscapedPath(), "/")}
	if port := u.Port(); port != "" {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return Upstream{}, errors.New("has no port that can be dialled")
		}
		found.Port = uint16(number)
	}
	return found, nil
}

// isUpstream reports whether a URL can lead anywhere.
func isUpstream(u *url.URL) bool {
	return u.Opaque == "" && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// CanonicalHost writes a host in the one form that its spellings have in common: names in small letters and without the
// final dot, an IPv6 address as RFC 5952 does and one that stands for an IPv4 address as that, both without brackets. It is
// not ok for what some resolvers read as an address and others as a name (2130706433, 0x7f.1, 127.1), for an address with
// a zone, and for letters beyond ASCII, of which the punycode form is meant.
func CanonicalHost(host string) (canonical string, ok bool) {
	inner, opened := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if opened != closed {
		return "", false
	}
	if addr, err := netip.ParseAddr(inner); err == nil {
		return addr.Unmap().String(), addr.Zone() == "" && (addr.Is6() || !opened)
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	return name, isHost(name, false)
}
