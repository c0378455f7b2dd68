package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// guard answers only requests that someone with the right to ask meant to send here. Each check is against a
// web page in the operator's browser: a name of the attacker's that resolves to this address (421), a request
// from another site (403), and a request that could change something (405).
func guard(allowedHosts []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		switch {
		case !hostAllowed(r, allowedHosts):
			writeStatus(w, http.StatusMisdirectedRequest, "this server does not answer for the host it was asked "+
				"by; ask by a loopback name or address, or start the controller with --allowed-hosts NAME")
		case crossSite(r):
			writeStatus(w, http.StatusForbidden, "requests from other web sites are refused")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			writeStatus(w, http.StatusMethodNotAllowed, "only GET and HEAD are answered; specs are changed by "+
				"changing their files")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// hostAllowed accepts loopback names and addresses, the operator's names, and on a listener that is not on
// loopback the very address that was dialled: an address, unlike a name, cannot be pointed here by someone else.
func hostAllowed(r *http.Request, allowed []string) bool {
	host := bareHost(r.Host)
	if host == "localhost" || slices.ContainsFunc(allowed, func(a string) bool { return bareHost(a) == host }) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	if addr.Unmap().IsLoopback() {
		return true
	}
	dialled, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && dialled.AddrPort().Addr().Unmap() == addr.Unmap()
}

// bareHost is the host of a Host header in lower case, without port, brackets or a final dot.
func bareHost(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// crossSite reports whether a browser sent the request for another site. Sec-Fetch-Site is what browsers of
// today say (Fetch Metadata, section 2.4), Origin what older ones do (RFC 6454 section 7). Two ports of
// localhost are the same site and still not the same owner, so same-site is refused too.
func crossSite(r *http.Request) bool {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" {
			return true
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return true
		}
	}
	return false
}
