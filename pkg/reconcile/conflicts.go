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
	all := clashes(specs)
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

// clashes finds every pair that wants one place, or that would lead one environment through another.
func clashes(specs []*spec.CredProxy) []clash {
	var found []clash
	places := map[[2]string][]*spec.CredProxy{}
	internals := map[string][]*spec.CredProxy{}
	for _, s := range specs {
		place := [2]string{s.Spec.InternalNetwork, s.Spec.Hostname}
		for _, other := range places[place] {
			found = append(found, clash{other, s, ReasonAliasConflict,
				fmt.Sprintf("hostname %q on internal network %q is also declared by", place[1], place[0]),
				"give one of them another hostname or internal network"})
		}
		places[place] = append(places[place], s)
		internals[place[0]] = append(internals[place[0]], s)
	}
	for _, s := range specs {
		for _, other := range internals[s.Spec.EgressNetwork] {
			found = append(found, clash{s, other, ReasonNetworkConflict,
				fmt.Sprintf("network %q is the way out of one environment and the inside of another, with", s.Spec.EgressNetwork),
				"give one of them another network"})
		}
	}
	return found
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
