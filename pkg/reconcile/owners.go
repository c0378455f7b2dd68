package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// A network that was made for a spec is that spec's alone, as long as it is there: whoever writes another spec gets neither
// among its agents nor among those who leave by its egress network. A network that nobody here made may be shared.

// claim refuses the specs that want a network made which another one will have. A spec whose sidecar is there already keeps
// the name, or else the first in order of names of those that nothing else stands against.
func claim(specs []*spec.CredProxy, v *view, found map[string]Blocked) {
	claimants := slices.SortedStableFunc(slices.Values(specs), func(a, b *spec.CredProxy) int {
		return compareBool(v.holds(b), v.holds(a))
	})
	claimed := map[string]string{}
	for _, s := range claimants {
		if _, refused := found[s.Name]; refused || !s.Spec.CreateNetworks {
			continue
		}
		missing := v.missing(s)
		if i := slices.IndexFunc(missing, func(name string) bool { return claimed[name] != "" }); i >= 0 {
			found[s.Name] = Blocked{Name: s.Name, Reason: ReasonNetworkConflict, Message: fmt.Sprintf(
				"network %q is made for spec %q, which names it too; name another", missing[i], claimed[missing[i]])}
			continue
		}
		for _, name := range missing {
			claimed[name] = s.Name
		}
	}
}

// missing are the names of a spec's networks that are not there.
func (v *view) missing(s *spec.CredProxy) []string {
	names := []string{s.Spec.InternalNetwork, s.Spec.EgressNetwork}
	return slices.DeleteFunc(names, func(name string) bool { return len(v.networks[name]) > 0 })
}

// foreign refuses a network that was made for another spec.
func (p *planner) foreign(n Network, field string) *Blocked {
	if n.SpecName == "" || n.SpecName == p.name {
		return nil
	}
	return &Blocked{Reason: ReasonNetworkConflict, Message: fmt.Sprintf(
		"%s %q was made for spec %q and is its alone; name another, or make one yourself that both may use", field, n.Name, n.SpecName)}
}

// needs reports whether the spec still names a network.
func (in inputs) needs(n Network) bool {
	return in.spec != nil && (in.spec.Spec.InternalNetwork == n.Name || in.spec.Spec.EgressNetwork == n.Name)
}

// inUse says which networks that were made for the name, and that it needs no more, are kept by containers of others; nil when
// none is.
func (in inputs) inUse() *Blocked {
	var kept []string
	for _, n := range in.view.made[in.name] {
		if users := in.usersOf(n); !in.needs(n) && len(users) > 0 {
			kept = append(kept, fmt.Sprintf("network %q, which was made for it, is removed once it is free; on it: %s (`docker network disconnect %s NAME`)",
				n.Name, some(users), n.Name))
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return &Blocked{Name: in.name, Reason: ReasonNetworkInUse, Message: strings.Join(kept, "; ")}
}

// usersOf are the names of the containers on a network that are not the name's own sidecars, sorted.
func (in inputs) usersOf(n Network) (users []string) {
	own := in.view.sidecars[in.name]
	for name, id := range in.view.holders {
		if slices.Contains(in.view.attached[n.ID], id) && !slices.ContainsFunc(own, func(s Sidecar) bool { return s.ID == id }) {
			users = append(users, name)
		}
	}
	slices.Sort(users)
	return users
}
