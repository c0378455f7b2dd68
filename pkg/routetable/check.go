package routetable

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// check reports the first thing that keeps a table from being served. The controller validates specs with better
// words and lines; this is what the sidecar insists on, whoever wrote the file.
func (t *Table) check() error {
	if err := checkListen(t.Listen); err != nil {
		return err
	}
	if err := checkNetwork(t.InternalSubnets, t.InternalGateways); err != nil {
		return err
	}
	for _, a := range t.HostAddresses {
		if _, err := netip.ParseAddr(a); err != nil {
			return fmt.Errorf("hostAddresses: %q is not an IP address", a)
		}
	}
	if err := t.checkRoutes(); err != nil {
		return err
	}
	if t.CallerAuth == nil {
		return nil
	}
	if err := t.checkCallerAuth(*t.CallerAuth); err != nil {
		return fmt.Errorf("callerAuth: %w", err)
	}
	return nil
}

// checkNetwork is about what tells the internal network from others.
func checkNetwork(subnets, gateways []string) error {
	if len(subnets) == 0 {
		return errors.New("internalSubnets is empty: without it the listener cannot tell the internal network from the egress network")
	}
	for _, s := range subnets {
		if _, err := netip.ParsePrefix(s); err != nil {
			return fmt.Errorf("internalSubnets: %q is not a subnet such as 10.1.2.0/24", s)
		}
	}
	for _, g := range gateways {
		if _, err := netip.ParseAddr(g); err != nil {
			return fmt.Errorf("internalGateways: %q is not an IP address", g)
		}
	}
	return nil
}

// checkCallerAuth refuses a key that is a route's token, since whoever may call would hold that token.
func (t *Table) checkCallerAuth(c CallerAuth) error {
	if c.Header != "" {
		if err := checkHeader(c.Header); err != nil {
			return err
		}
	}
	if err := t.checkPlace(c.place()); err != nil {
		return err
	}
	for _, r := range t.Routes {
		for _, at := range r.places() {
			if at == c.place() {
				return fmt.Errorf("its key is the token of route %q", r.Path)
			}
		}
	}
	return nil
}

func (t *Table) checkRoutes() error {
	if len(t.Routes) == 0 {
		return errors.New("routes is empty: at least one is needed")
	}
	seen := map[string]bool{}
	for _, r := range t.Routes {
		if err := t.checkRoute(r); err != nil {
			return fmt.Errorf("route %q: %w", r.Path, err)
		}
		if seen[r.Path] {
			return fmt.Errorf("route %q appears twice", r.Path)
		}
		seen[r.Path] = true
	}
	return nil
}

func (t *Table) checkRoute(r Route) error {
	if err := checkPath(r.Path); err != nil {
		return err
	}
	if err := checkUpstream(r.Upstream); err != nil {
		return err
	}
	if err := checkReach(r); err != nil {
		return err
	}
	if err := checkWithheld(r); err != nil {
		return err
	}
	if err := checkPolicy(r); err != nil {
		return err
	}
	if err := checkLimits(r.Limits); err != nil {
		return err
	}
	if err := t.checkClientCertificate(r.ClientCertificate); err != nil {
		return fmt.Errorf("clientCertificate: %w", err)
	}
	if r.Auth == nil {
		return nil
	}
	if err := checkScheme(*r.Auth); err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	for _, at := range r.Auth.places() {
		if err := t.checkPlace(at); err != nil {
			return fmt.Errorf("auth: %w", err)
		}
	}
	return nil
}

func checkWithheld(r Route) error {
	switch r.Withheld {
	case "":
		return nil
	case WithheldMissing, WithheldSuspended, WithheldRevoked, WithheldDenied:
		if r.Auth != nil || r.ClientCertificate != nil {
			return errors.New("withheld goes without auth and clientCertificate")
		}
		return nil
	}
	return fmt.Errorf("withheld %q is unknown", r.Withheld)
}

func checkListen(listen string) error {
	port, ok := strings.CutPrefix(listen, ":")
	if _, err := strconv.ParseUint(port, 10, 16); !ok || err != nil {
		return fmt.Errorf("listen: %q is not a colon and a port, such as \":9099\"", listen)
	}
	return nil
}

// checkPath holds what the proxy's matching relies on: whole segments, none of them empty or a dot segment.
func checkPath(p string) error {
	if !strings.HasPrefix(p, "/") || path.Clean(p) != p {
		return errors.New("a path begins with / and has no empty, \".\" or \"..\" segment and no / at its end")
	}
	return checkPathChars(p)
}

func checkPathChars(p string) error {
	if strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`%?#\`, r) }) {
		return errors.New(`a path has no control character and none of % ? # \`)
	}
	return nil
}

func checkUpstream(upstream string) error {
	u, err := url.Parse(upstream)
	// The text is not shown: it could hold user info.
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return errors.New("upstream is not an absolute URL such as https://api.example.com")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("upstream is neither https:// nor http://")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("upstream has user info, a query or a fragment")
	}
	return nil
}

func checkScheme(a Auth) error {
	if a.Scheme == schemeCustom {
		return checkCustom(a)
	}
	if len(a.Tokens)+len(a.Headers)+len(a.Query) > 0 || a.Basic != nil {
		return fmt.Errorf("tokens, headers, query and basic go with scheme %s only", schemeCustom)
	}
	if a.Scheme != schemeBasic && a.Username != "" {
		return fmt.Errorf("username goes with scheme %s only", schemeBasic)
	}
	if a.Scheme != schemeHeader && a.Header != "" {
		return fmt.Errorf("header goes with scheme %s only", schemeHeader)
	}
	switch a.Scheme {
	case schemeBearer, schemeToken:
		return nil
	case schemeBasic:
		return checkUsername(a.Username)
	case schemeHeader:
		if a.Header == "" {
			return fmt.Errorf("scheme %s needs header", schemeHeader)
		}
		return checkHeader(a.Header)
	}
	return fmt.Errorf("scheme %q is unknown; the known ones are %s, %s, %s, %s and %s",
		a.Scheme, schemeBearer, schemeToken, schemeBasic, schemeHeader, schemeCustom)
}

// checkUsername holds RFC 7617 section 2: a user-id has no colon and no control character.
func checkUsername(username string) error {
	if strings.ContainsFunc(username, func(r rune) bool { return r == ':' || r < ' ' || r == 0x7f }) {
		return errors.New("username has a colon or a control character")
	}
	return nil
}

const (
	schemeBearer = "Bearer"
	schemeToken  = "Token"
	schemeBasic  = "Basic"
	schemeHeader = "Header"
	schemeCustom = "Custom"
)

// isFraming tells the fields that frame or route a message (RFC 9110 sections 7.2 and 7.6.1, RFC 9112 section 6): as
// a credential's place they would break it, or be removed on the way.
func isFraming(name string) bool {
	switch strings.ToLower(name) {
	case "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "proxy-connection", "te",
		"trailer", "transfer-encoding", "upgrade":
		return true
	}
	return false
}

func checkHeader(name string) error {
	if strings.ContainsFunc(name, func(r rune) bool { return !isTokenChar(r) }) {
		return fmt.Errorf("header %q is not a legal field name", name)
	}
	if isFraming(name) {
		return fmt.Errorf("header %q frames the message and cannot carry a credential", name)
	}
	return nil
}

// isTokenChar is tchar of RFC 9110 section 5.6.2.
func isTokenChar(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r < 0x80 && strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// checkPlace lets a table name tokens of its own generation only, so that an older document can never meet a newer
// token.
func (t *Table) checkPlace(p place) error {
	if (p.file == "") == (p.env == "") {
		return errors.New("exactly one of tokenFile and tokenEnv is needed")
	}
	if p.env != "" {
		if !isSlot(p.env) {
			return fmt.Errorf("tokenEnv %q is not of the form %sN", p.env, SlotPrefix)
		}
		return nil
	}
	dir, slot := path.Split(p.file)
	if dir != TokenDir(t.Generation)+"/" || !isSlot(slot) {
		return fmt.Errorf("tokenFile %q is not of the form %s/%sN", p.file, TokenDir(t.Generation), SlotPrefix)
	}
	return nil
}
