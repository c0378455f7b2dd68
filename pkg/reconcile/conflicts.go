package reconcile

import (
	"fmt"
	"maps"
	"slices"

	"credproxy.dev/controller/pkg/spec"
)

// clash is a pair of specs that cannot be in force together.
type clash struct {
	a, b   *spec.CredProxy
	reason string
	// why says what they clash over, and mend what either could change.
	why, mend string
}

// Conflicts finds the specs that cannot be in force together, whatever an engine holds: of each such pair, both.
// It is for those who look at files alone.
func Conflicts(specs []*spec.CredProxy) []Blocked {
	found := conflicts(specs, func(*spec.CredProxy) bool { return false })
	var out []Blocked
	for _, s := range specs {
		if blocked, ok := found[s.Name]; ok {
			out = append(out, blocked)
		}
	}
	return out
}

// conflicts finds the specs that cannot be in force together. A spec whose sidecar holds its place already stays in
// force, so that a new or edited file never takes a place that is in use; and what has lost to it stands in nobody
// else's way. Of two that only want a place neither is made.
func conflicts(specs []*spec.CredProxy, holds func(*spec.CredProxy) bool) map[string]Blocked {
	found := map[string]Blocked{}
	refuse := func(loser, other *spec.CredProxy, c clash) {
		if _, ok := found[loser.Name]; !ok {
			found[loser.Name] = Blocked{Name: loser.Name, Reason: c.reason, Message: fmt.Sprintf("%s spec %q; %s", c.why, other.Name, c.mend)}
		}
	}
	all := clashes(specs, holds)
	for _, c := range all {
		if a, b := holds(c.a), holds(c.b); a && !b {
			refuse(c.b, c.a, c)
		} else if b && !a {
			refuse(c.a, c.b, c)
		}
	}
	losers := maps.Clone(found)
	for _, c := range all {
		_, aLost := losers[c.a.Name]
		_, bLost := losers[c.b.Name]
		if !aLost && !bLost {
			refuse(c.a, c.b, c)
			refuse(c.b, c.a, c)
		}
	}
	return found
}

// clashes finds the pairs that want one place, or that would lead one environment through another. Among many in each
// other's way, each is paired with one that stands for all: one that holds its place, if any does.
func clashes(specs []*spec.CredProxy, holds func(*spec.CredProxy) bool) []clash {
	var found []clash
	places, inside, outside := map[[2]string][]*spec.CredProxy{}, map[string][]*spec.CredProxy{}, map[string][]*spec.CredProxy{}
	for _, s := range specs {
		place := [2]string{s.Spec.InternalNetwork, s.Spec.Hostname}
		places[place] = append(places[place], s)
		inside[place[0]] = append(inside[place[0]], s)
		outside[s.Spec.EgressNetwork] = append(outside[s.Spec.EgressNetwork], s)
	}
	for _, s := range specs {
		place := [2]string{s.Spec.InternalNetwork, s.Spec.Hostname}
		if first := standsFor(places[place], holds); first != s {
			found = append(found, clash{first, s, ReasonAliasConflict,
				fmt.Sprintf("hostname %q on internal network %q is also declared by", place[1], place[0]),
				"give one of them another hostname or internal network"})
		}
		through := func(network string, other *spec.CredProxy) {
			found = append(found, clash{s, other, ReasonNetworkConflict,
				fmt.Sprintf("network %q is the way out of one environment and the inside of another, with", network),
				"give one of them another network"})
		}
		if others := inside[s.Spec.EgressNetwork]; len(others) > 0 {
			through(s.Spec.EgressNetwork, standsFor(others, holds))
		}
		if others := outside[s.Spec.InternalNetwork]; len(others) > 0 {
			through(s.Spec.InternalNetwork, standsFor(others, holds))
		}
	}
	return found
}

// standsFor returns the first that holds its place, or the first.
func standsFor(specs []*spec.CredProxy, holds func(*spec.CredProxy) bool) *spec.CredProxy {
	if i := slices.IndexFunc(specs, holds); i >= 0 {
		return specs[i]
	}
	return specs[0]
}

// holds reports whether a spec's sidecar is in the place that the spec asks for: on both networks, with the alias.
func (v *view) holds(cp *spec.CredProxy) bool {
	return slices.ContainsFunc(v.sidecars[cp.Name], func(s Sidecar) bool {
		inside, outside := false, false
		for _, e := range s.Endpoints {
			inside = inside || e.NetworkName == cp.Spec.InternalNetwork && slices.Contains(e.Aliases, cp.Spec.Hostname)
			outside = outside || e.NetworkName == cp.Spec.EgressNetwork
		}
		return inside && outside
	})
}
