package reconcile

import (
	"cmp"
	"fmt"
)

// networks finds the spec's networks. Where the spec permits it, missing ones will be made; otherwise, and where a name
// does not mean one suitable network, the spec waits.
func (p *planner) networks() (pair, *Blocked) {
	internal, noInternal := p.network(p.spec.Spec.InternalNetwork, "internalNetwork")
	egress, noEgress := p.network(p.spec.Spec.EgressNetwork, "egressNetwork")
	switch {
	case noInternal != nil && noEgress != nil:
		noInternal.Message += "; " + noEgress.Message
		return pair{}, noInternal
	case noInternal != nil || noEgress != nil:
		return pair{}, cmp.Or(noInternal, noEgress)
	case egress.Internal:
		return pair{}, &Blocked{Reason: ReasonEgressInternal, Message: fmt.Sprintf(
			"egressNetwork %q is an internal network and leads nowhere; name one that leads out", egress.Name)}
	}
	return pair{internal, egress}, nil
}

// pair is the two networks of an environment. A network that is yet to be made has no ID.
type pair struct{ internal, egress Network }

func (p *planner) network(name, field string) (Network, *Blocked) {
	found := p.view.networks[name]
	switch {
	case len(found) == 1:
		return found[0], p.foreign(found[0], field)
	case len(found) > 1:
		return Network{}, &Blocked{Reason: ReasonAmbiguousNetwork, Message: fmt.Sprintf(
			"%s %q is the name of %d networks; remove or rename all but one", field, name, len(found))}
	case p.spec.Spec.CreateNetworks:
		return Network{Name: name}, nil
	default:
		return Network{}, &Blocked{Reason: ReasonNetworkNotFound, Message: fmt.Sprintf(
			"%s %q does not exist; create it (`docker network create%s %s`) or set createNetworks: true",
			field, name, map[string]string{"internalNetwork": " --internal -o com.docker.network.bridge.inhibit_ipv4=true"}[field], name)}
	}
}

// ensureNetworks plans the networks that are to be made.
func (p *planner) ensureNetworks(nets pair) {
	for _, n := range []Network{nets.internal, nets.egress} {
		if n.ID == "" {
			p.add(StepEnsureNetwork, n.Name, "", "declared with createNetworks, and there is none")
		}
	}
}
