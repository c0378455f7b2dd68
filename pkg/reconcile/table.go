package reconcile

import (
	"net/netip"
	"slices"
	"strconv"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// tableOf is the routing that a spec asks for on an internal network, while some of its routes are withheld. Its token files
// are slots until it is sealed.
func tableOf(s *spec.CredProxySpec, internal Network, withheld map[string]Withheld) routetable.Table {
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
			Path:     r.Path,
			Upstream: r.Upstream,
			Auth:     authOf(r.Auth, s.TokenDelivery, slots),
			Withheld: withheld[r.Path].Word,
			Methods:  r.Methods,
			Paths:    pathsOf(r.Paths),
			Git:      gitOf(r.Git),
			Mode:     modeOf(r.Mode),
			Limits:   limitsOf(r.Limits),
		})
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
	if delivery == spec.DeliverEnv {
		out.TokenEnv = slots[a.TokenRef]
	} else {
		out.TokenFile = slots[a.TokenRef]
	}
	return out
}

func callerAuthOf(c *spec.CallerAuth, delivery spec.TokenDelivery, slots map[spec.TokenRef]string) *routetable.CallerAuth {
	if c == nil {
		return nil
	}
	out := &routetable.CallerAuth{Header: c.Header}
	if delivery == spec.DeliverEnv {
		out.TokenEnv = slots[c.KeyRef]
	} else {
		out.TokenFile = slots[c.KeyRef]
	}
	return out
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
