package reconcile

import (
	"cmp"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// makeFirst plans the sidecar of a name that has none.
func (p *planner) makeFirst(nets pair) *Blocked {
	if blocked := cmp.Or(p.nameTaken(), p.rival); blocked != nil {
		return blocked
	}
	cause, drift := "declared, and there is no sidecar", Drift("")
	if p.wasReady {
		cause, drift = "its sidecar is gone", DriftMissing
	}
	p.prepare(nets, cause)
	p.create(p.containerName(), nets, cause, drift)
	return nil
}

// create plans a new sidecar up to its word that it serves, where none serves yet.
func (p *planner) create(container string, nets pair, cause string, drift Drift) {
	p.repair(drift, StepCreate, container, "", cause)
	p.launch(Step{Step: StepStart, Target: container, Cause: cause},
		Step{Step: StepConnectEgress, Target: nets.egress.Name, Cause: cause})
}

// createBeside plans a new sidecar while another serves: it joins the internal network, and with that the alias, only
// once it is ready to serve.
func (p *planner) createBeside(container string, nets pair, cause string, drift Drift) {
	p.steps = append(p.steps, Step{Step: StepCreate, Target: container, Cause: cause, drift: drift, early: true})
	p.launch(Step{Step: StepStart, Target: container, Cause: cause, early: true})
	p.add(StepReconnect, nets.internal.Name, "", cause)
	p.add(StepWaitReady, container, "", cause)
}

// launch plans a start, what comes right before it, and a first generation with the sidecar's word on it. Routes are copied
// first, so that no sidecar runs without. A volume in memory takes files only while the container runs: there the sidecar
// stands by for them.
func (p *planner) launch(start Step, before ...Step) {
	routes := Step{Step: StepCopyRoutes, Target: start.Target, Cause: start.Cause, id: start.id}
	wait := Step{Step: StepWaitReady, Target: start.Target, Cause: start.Cause, id: start.id, early: start.early}
	if p.spec.Spec.TokenDelivery == spec.DeliverMemory {
		wait.standsBy = true
		p.steps = slices.Concat(p.steps, before, []Step{start, routes, wait})
	} else {
		p.steps = slices.Concat(p.steps, []Step{routes}, before, []Step{start, wait})
	}
}

// prepare plans what a new container needs before it is made. Tokens come first: without them, nothing is made.
func (p *planner) prepare(nets pair, cause string) {
	p.resolveTokens(cause)
	p.add(StepEnsureImage, cmp.Or(p.spec.Spec.Image, "the controller's own"), "", cause)
	p.ensureNetworks(nets)
}

func (p *planner) resolveTokens(cause string) {
	if slots := p.spec.Spec.Slots(); len(slots) > 0 {
		p.add(StepResolveTokens, refs(slots), "", cause)
	}
}

func refs(slots []spec.Slot) string {
	names := make([]string, len(slots))
	for i, slot := range slots {
		names[i] = slot.Ref.String()
	}
	return strings.Join(names, ", ")
}

// replace makes a new container in the place of all that there are. Those that run leave once it serves; the others
// are in nobody's use and go first, except those that may not go at all for a while: nothing waits for them.
func (p *planner) replace(sidecars []Sidecar, nets pair, cause string, drift Drift) *Blocked {
	if blocked := p.rival; blocked != nil {
		return blocked
	}
	p.prepare(nets, cause)
	var running, dead []Sidecar
	for _, s := range sidecars {
		switch s.State {
		case StateRunning:
			running = append(running, s)
		case StateDead:
			dead = append(dead, s)
		case StateRemoving: // that is the engine's business by now
		default:
			p.repair(drift, StepRemove, s.Name, s.ID, cause)
		}
	}
	if slices.ContainsFunc(p.steps, func(s Step) bool { return s.Step == StepRemove }) {
		drift = "" // it is counted with what goes
	}
	name := p.containerName()
	if !p.freesName() {
		if len(running) == 0 && !p.ownName(sidecars) {
			return p.nameTaken()
		}
		name += "-" + p.suffix
	}
	if len(running) == 0 {
		p.create(name, nets, cause, drift)
	} else {
		p.createBeside(name, nets, cause, drift)
	}
	for _, old := range slices.Concat(running, dead) {
		p.drainAndRemove(old, cause, "")
	}
	if name != p.containerName() && p.freesName() {
		p.add(StepRename, p.containerName(), "", cause)
	}
	return nil
}

// freesName reports whether nothing holds the container's proper name once the plan's removals are done.
func (p *planner) freesName() bool {
	holder, held := p.view.holders[p.containerName()]
	return !held || p.removes(holder)
}

// ownName reports whether one of the sidecars holds the container's proper name.
func (p *planner) ownName(sidecars []Sidecar) bool {
	holder := p.view.holders[p.containerName()]
	return slices.ContainsFunc(sidecars, func(s Sidecar) bool { return s.ID == holder })
}

// removes reports whether the plan removes a container.
func (p *planner) removes(id string) bool {
	return slices.ContainsFunc(p.steps, func(s Step) bool { return s.Step == StepRemove && s.id == id })
}

func (p *planner) drainAndRemove(s Sidecar, cause string, drift Drift) {
	if s.State == StateRunning {
		p.add(StepDrain, s.Name, s.ID, cause)
	}
	p.repair(drift, StepRemove, s.Name, s.ID, cause)
}
