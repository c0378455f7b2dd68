package reconcile

import (
	"fmt"

	"credproxy.dev/controller/pkg/spec"
)

// conflicts finds the specs that cannot be in force together. In a pair of which only one has a sidecar already, that one
// stays in force, so that a new file never takes a place that is in use; otherwise neither is made.
func conflicts(specs []*spec.CredProxy, hasSidecar func(name string) bool) map[string]Blocked {
	found := map[string]Blocked{}
	refuse := func(loser, other *spec.CredProxy, reason, message string) {
		if hasSidecar(loser.Name) && !hasSidecar(other.Name) {
			return
		}
		if _, ok := found[loser.Name]; !ok {
			found[loser.Name] = Blocked{Name: loser.Name, Reason: reason, Message: message}
		}
	}
	both := func(a, b *spec.CredProxy, reason, format string, args ...any) {
		refuse(a, b, reason, fmt.Sprintf(format, append(args, b.Name)...))
		refuse(b, a, reason, fmt.Sprintf(format, append(args, a.Name)...))
	}

	places := map[[2]string]*spec.CredProxy{}
	internals := map[string][]*spec.CredProxy{}
	for _, s := range specs {
		place := [2]string{s.Spec.InternalNetwork, s.Spec.Hostname}
		if first, ok := places[place]; ok {
			both(first, s, ReasonAliasConflict,
				"hostname %q on internal network %q is also declared by spec %q; give one of them another hostname or network",
				s.Spec.Hostname, s.Spec.InternalNetwork)
		} else {
			places[place] = s
		}
		internals[s.Spec.InternalNetwork] = append(internals[s.Spec.InternalNetwork], s)
	}
	for _, s := range specs {
		for _, other := range internals[s.Spec.EgressNetwork] {
			both(s, other, ReasonNetworkConflict,
				"network %q would be internal for one spec and egress for another, %q; no environment may lead out through another's internal network",
				s.Spec.EgressNetwork)
		}
	}
	return found
}
