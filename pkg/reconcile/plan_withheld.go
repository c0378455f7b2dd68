package reconcile

import (
	"slices"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// takeTokens takes out of a name's sidecars what is withheld, before anything else is done, and whatever else stands in the
// way of its plan: a pause and a conflict are the doing of whoever writes the files. What cannot be taken out in place goes
// with its container.
func (p *planner) takeTokens() {
	for _, s := range p.view.sidecars[p.name] {
		if p.takes(s) && !p.push(s) {
			p.add(StepRemove, s.Name, s.ID, "it may hold tokens that are withheld")
		}
	}
}

// takes reports whether a sidecar has, or may have, a token that is withheld.
func (p *planner) takes(s Sidecar) bool {
	switch {
	case s.State == StateRemoving, s.State == StateDead:
		return false
	case p.spec == nil:
		return p.withholding.All != nil
	case len(p.withheld) == 0:
		return false
	case p.envBound(s):
		return true
	}
	pushed, known := p.delivered[s.ID]
	switch {
	case known && !p.within(pushed.refs):
		return true
	case s.State != StateRunning:
		return !known
	case s.Report == nil || s.Report.RoutesDigest == "":
		return false // it is about to speak, or serves nothing
	}
	internal, ok := p.view.internalOf(p.spec)
	if !ok { // nobody can tell what it should serve: whoever writes the spec may have named a network that is not there
		return !known || !pushed.lacks(p.withheld)
	}
	return s.Report.RoutesDigest != routetable.RoutesDigest(p.table(internal))
}

// lacks reports whether a delivery already was without the tokens of these routes.
func (d delivery) lacks(withheld map[string]Withheld) bool {
	for path := range withheld {
		if _, ok := d.withheld[path]; !ok {
			return false
		}
	}
	return true
}

// envBound reports whether tokens are in a container's environment, from where they go only with it, and others than the
// spec has, as it is in force.
func (p *planner) envBound(s Sidecar) bool { return len(s.Env) > 0 && !p.fits(s) }

// within reports whether the spec, as it is in force, still has all of a delivery's references.
func (p *planner) within(refs []spec.Slot) bool {
	slots := p.spec.Spec.Slots()
	return !slices.ContainsFunc(refs, func(had spec.Slot) bool {
		return !slices.ContainsFunc(slots, func(has spec.Slot) bool { return has.Ref == had.Ref })
	})
}

// push delivers to a sidecar that runs what is declared and not withheld, and reports whether that can be done: while it is not
// known on which network the spec is to be served, there is no table to deliver. One that is off that network cannot serve it.
func (p *planner) push(s Sidecar) bool {
	if p.spec == nil || s.State != StateRunning || s.Report == nil || p.envBound(s) {
		return false
	}
	internal, ok := p.view.internalOf(p.spec)
	if !ok {
		return false
	}
	_, on := s.endpoint(internal.ID)
	cause := wordsOfWithheld(p.withheld, len(p.spec.Spec.Routes))
	p.resolveTokens(cause)
	p.steps = append(p.steps,
		Step{Step: StepCopyRoutes, Target: s.Name, Cause: cause, id: s.ID, takes: true},
		Step{Step: StepReload, Target: s.Name, Cause: cause, id: s.ID, takes: true, early: !on})
	return true
}
