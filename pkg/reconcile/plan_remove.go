package reconcile

import "slices"

// removeAll removes everything that was made for a name.
func (p *planner) removeAll(cause string) {
	for _, s := range p.view.sidecars[p.name] {
		p.add(StepRemove, s.Name, s.ID, cause)
	}
	p.removeLeftovers()
}

// removeLeftovers removes the volumes that lost their container, and the networks that were made for this name, once it
// needs them no more and no other container is on them.
func (p *planner) removeLeftovers() {
	for _, v := range p.view.strayVolumes[p.name] {
		p.repair(DriftLeftover, StepRemoveVolume, v, v, "no container uses it")
	}
	for _, n := range p.view.made[p.name] {
		if !p.needs(n) && p.onlyOwn(n) {
			p.add(StepRemoveNetwork, n.Name, n.ID, "it was made for this spec, which needs it no more")
		}
	}
}

// onlyOwn reports whether nothing is on the network but containers that this plan removes.
func (p *planner) onlyOwn(n Network) bool {
	return !slices.ContainsFunc(p.view.attached[n.ID], func(id string) bool { return !p.removes(id) })
}
