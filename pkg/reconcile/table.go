package reconcile

import (
	"net/netip"
	"slices"
	"strconv"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// tableOf is the routing that a spec asks for on an internal network, while some of its routes are withheld, and for the world
// that they lead into. Its token files
// are slots until it is sealed.
func tableOf(s *spec.CredProxySpec, internal Network, withheld map[string]Withheld, world reach) routetable.Table {
	slots := map[spec.TokenRef]string{}
	for _, slot := range s.Slots() {
		slots[slot.Ref] = slot.Name
	}
	t := routetable.Table{
		Version:          routetable.Version,
		Listen:           ":" + strconv.Itoa(int(s.Port)),
		InternalSubnets:  internal.Subnets,
		InternalGateways: gatewaysTold(internal),
		CallerAuth:       callerAuthOf(s.CallerAuth, s.TokenDelivery, slots),
	}
	for _, r := range s.Routes {
		t.Routes = append(t.Routes, routetable.Route{
			Path:            r.Path,
			Upstream:        r.Upstream,
			Auth:            authOf(r.Auth, s.TokenDelivery, slots),
			Withheld:        withheld[r.Path].Word,
			PassCredentials: r.PassCredentials,
			Methods:         r.Methods,
			Paths:           pathsOf(r.Paths),
			Git:             gitOf(r.Git),
			Mode:            modeOf(r.Mode),
			Limits:          limitsOf(r.Limits),

			AllowPrivate: r.AllowPrivate,
			Roots:        world.rootsOf(r),

			ClientCertificate: world.certificateOf(r, s.TokenDelivery, slots),
			ProxyURL:          r.ProxyURL,
			// Only what is out of the ordinary is written.
			Unscrubbed: !r.Scrubbed(),
		})
	}
	// Without leave for private addresses nobody gets there, and earlier sidecars, which do not know the field, are served.
	if slices.ContainsFunc(s.Routes, func(r spec.Route) bool { return r.AllowPrivate }) {
		t.HostAddresses = world.hosts
	}
	return t
}

func pathsOf(p *spec.Paths) *routetable.Paths {
	if p == nil {
		return nil
	}
	return &routetable.Paths{Allow: p.Allow, Deny: p.Deny}
}

func gitOf(g *spec.Git) *routetable.Git {
	if g == nil {
		return nil
	}
	return &routetable.Git{Fetch: g.Fetch, Push: g.Push}
}

// modeOf leaves out what goes without saying.
func modeOf(m spec.Mode) string {
	if m == spec.ModeWarn {
		return routetable.ModeWarn
	}
	return ""
}

func limitsOf(l *spec.Limits) *routetable.Limits {
	if l == nil {
		return nil
	}
	return &routetable.Limits{
		HeaderBytes:        l.MaxHeaderBytes(),
		BodyBytes:          l.MaxBodyBytes(),
		ConcurrentRequests: l.ConcurrentRequests,
		RequestsPerMinute:  l.RequestsPerMinute,
		BodyTimeout:        l.BodyDuration().Milliseconds(),
		IdleTimeout:        l.IdleDuration().Milliseconds(),
	}
}

// reach is what the ways to upstreams depend on besides the spec.
type reach struct {
	// roots are the certificates of each caFile and certFile.
	roots map[string]string
	// hosts are addresses of the engine's host.
	hosts []string
}

// rootsOf are the certificates of a route's own authorities; empty where it names none.
func (w reach) rootsOf(r spec.Route) string {
	if r.CAFile == "" {
		return ""
	}
	return w.roots[r.CAFile]
}

// certificateOf is a route's client certificate, nil where it has none.
func (w reach) certificateOf(r spec.Route, delivery spec.TokenDelivery, slots map[spec.TokenRef]string) *routetable.ClientCertificate {
	c := r.ClientCertificate
	if c == nil {
		return nil
	}
	out := &routetable.ClientCertificate{Certificates: w.roots[c.CertFile]}
	if delivery == spec.DeliverEnv {
		out.TokenEnv = slots[c.KeyRef]
	} else {
		out.TokenFile = slots[c.KeyRef]
	}
	return out
}

// gatewaysTold are the addresses that a sidecar does not serve. Of a subnet without any, it takes the first address for the
// host's. Where the host has none that address may be an agent's, and the sidecar is told the one that nobody can have.
func gatewaysTold(n Network) []string {
	told := slices.Clone(n.Gateways)
	if n.HostReachable {
		return told
	}
	for _, s := range n.Subnets {
		subnet, err := netip.ParsePrefix(s)
		if err == nil && !slices.ContainsFunc(n.Gateways, func(g string) bool { return within(subnet, g) }) {
			told = append(told, subnet.Masked().Addr().String())
		}
	}
	return told
}

func within(subnet netip.Prefix, address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && subnet.Contains(a)
}

func authOf(a *spec.Auth, delivery spec.TokenDelivery, slots map[spec.TokenRef]string) *routetable.Auth {
	if a == nil {
		return nil
	}
	out := &routetable.Auth{Scheme: string(a.Scheme), Username: a.Username, Header: a.Header}
	if a.Scheme == spec.SchemeCustom {
		addCustom(out, a, delivery, slots)
		return out
	}
	at := placeOf(slots[a.TokenRef], delivery)
	out.TokenFile, out.TokenEnv = at.TokenFile, at.TokenEnv
	return out
}

// addCustom writes what scheme Custom has of its own.
func addCustom(out *routetable.Auth, a *spec.Auth, delivery spec.TokenDelivery, slots map[spec.TokenRef]string) {
	out.Tokens = map[string]routetable.TokenPlace{}
	for name, ref := range a.Tokens {
		out.Tokens[name] = placeOf(slots[ref], delivery)
	}
	for _, h := range a.Headers {
		out.Headers = append(out.Headers, routetable.Addition(h))
	}
	for _, p := range a.Query {
		out.Query = append(out.Query, routetable.Addition(p))
	}
	if a.Basic != nil {
		basic := routetable.Basic(*a.Basic)
		out.Basic = &basic
	}
}

// placeOf says where a delivery puts a slot's token.
func placeOf(slot string, delivery spec.TokenDelivery) routetable.TokenPlace {
	if delivery == spec.DeliverEnv {
		return routetable.TokenPlace{TokenEnv: slot}
	}
	return routetable.TokenPlace{TokenFile: slot}
}

func callerAuthOf(c *spec.CallerAuth, delivery spec.TokenDelivery, slots map[spec.TokenRef]string) *routetable.CallerAuth {
	if c == nil {
		return nil
	}
	at := placeOf(slots[c.KeyRef], delivery)
	return &routetable.CallerAuth{Header: c.Header, TokenFile: at.TokenFile, TokenEnv: at.TokenEnv}
}

// tokens are the values of a spec's slots, by slot.
type tokens map[string]Token

// equal reports whether both assign the same values to the same slots.
func (t tokens) equal(u tokens) bool {
	if len(t) != len(u) {
		return false
	}
	for slot, token := range t {
		other, ok := u[slot]
		if !ok || !token.Equal(other) {
			return false
		}
	}
	return true
}

// reveal returns the values, for the call that seals them.
func (t tokens) reveal() map[string]string {
	values := make(map[string]string, len(t))
	for slot, token := range t {
		values[slot] = token.Reveal()
	}
	return values
}
