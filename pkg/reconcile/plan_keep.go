package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// unusable says why a container cannot become, or go on being, the one that serves; empty when it can.
func (p *planner) unusable(s Sidecar, nets pair) (string, Drift) {
	switch s.State {
	case StateExited:
		if !p.fits(s) || !p.inPlace(s, nets) {
			return "it ended, and cannot be started as it is", DriftStopped
		}
		return "", ""
	case StateRestarting:
		return p.outgrown(s), "" // an edit may be what mends a sidecar that crashes
	case StatePaused:
		return "it was paused", DriftPaused
	case StateCreated:
		return "it was left over by an attempt that did not finish", DriftLeftover
	case StateRemoving:
		return "somebody is removing its sidecar", DriftMissing
	case StateDead:
		return "the engine could not remove it whole", DriftLeftover
	}
	return p.outgrown(s), ""
}

// settle brings the container that is kept to what is declared, in place.
func (p *planner) settle(s Sidecar, nets pair) *Blocked {
	switch s.State {
	case StateRestarting:
		p.update(s) // its limits may be why it crashes
		return nil  // the engine backs off by itself; the status says that it crashes
	case StateExited:
		p.restart(s)
		return nil
	}
	return p.adjust(s, nets)
}

// willServe reports whether the container that is kept serves at the end of the plan, adding a wait where that is
// needed to know.
func (p *planner) willServe(s Sidecar) bool {
	waits := slices.ContainsFunc(p.steps, func(s Step) bool { return s.Step == StepReload || s.Step == StepWaitReady })
	switch {
	case serving(s) || waits:
		return true
	case s.Report == nil || s.Report.Generation == 0:
		return false
	}
	p.steps = append(p.steps, Step{
		Step: StepWaitReady, Target: s.Name, Cause: "others leave once it serves", id: s.ID, generation: s.Report.Generation,
	})
	return true
}

// inPlace reports whether a stopped sidecar is still on its networks and holds the tokens that it would need.
func (p *planner) inPlace(s Sidecar, nets pair) bool {
	_, internal := s.endpoint(nets.internal.ID)
	_, egress := s.endpoint(nets.egress.ID)
	return internal && egress && p.envFits(s)
}

// restart starts a stopped sidecar with a generation of its own.
func (p *planner) restart(s Sidecar) {
	cause := fmt.Sprintf("it was stopped (exit code %d)", s.ExitCode)
	p.resolveTokens(cause)
	p.update(s)
	p.launch(Step{Step: StepStart, Target: s.Name, Cause: cause, id: s.ID, drift: DriftStopped})
}

// outgrown says why only another container will do; empty when this one will.
func (p *planner) outgrown(s Sidecar) string {
	switch {
	case !p.fits(s):
		return "the declaration changed in a way that needs another container"
	case !p.envFits(s):
		return "a token in its environment changed"
	case p.opts.UpgradeSidecars && p.outdated(s):
		return "it runs another image than the controller's own"
	case p.fixedLimits && p.limitsDiffer(s) && p.delivered[s.ID].limits != p.limits():
		// One that was made with these limits, and shows others, is left: the next one would show them too.
		return "its limits changed, and this engine cannot change them in place"
	}
	return ""
}

func (p *planner) limits() Limits { return LimitsOf(p.spec.Spec.Resources) }

func (p *planner) limitsDiffer(s Sidecar) bool { return s.Resources != p.limits() }

func (p *planner) envFits(s Sidecar) bool {
	return p.spec.Spec.TokenDelivery != spec.DeliverEnv || p.tokens == nil || p.tokens.equal(s.Env)
}

// outdated reports whether a sidecar should run the controller's own image, and runs another. One that was only built
// anew is the same.
func (p *planner) outdated(s Sidecar) bool {
	same := s.ImageID == p.ownImage || s.ImageTag != "" && s.ImageTag == p.view.imageTag
	return p.spec.Spec.Image == "" && p.ownImage != "" && !same
}

// adjust brings a running sidecar of the right make to what is declared, without another container.
func (p *planner) adjust(s Sidecar, nets pair) *Blocked {
	p.ensureNetworks(nets)
	if blocked := p.reattach(s, nets); blocked != nil {
		return blocked
	}
	p.update(s)
	p.deliver(s, nets)
	return nil
}

// update plans to change what an engine can change of a container in whatever state, unless it has said that it cannot.
func (p *planner) update(s Sidecar) {
	switch {
	case p.fixedLimits:
	case p.limitsDiffer(s):
		p.repair(p.unlessEdited(DriftLimits), StepUpdate, s.Name, s.ID, "its limits differ from the declared ones")
	case s.NoRestart:
		p.repair(DriftLimits, StepUpdate, s.Name, s.ID, "the engine would not start it again by itself")
	}
}

// restoreName gives the container that is kept its proper name, once that is free. Until then it makes way for another
// sidecar whose name it bears: the two may have changed names.
func (p *planner) restoreName(s Sidecar) {
	name := p.containerName()
	switch {
	case s.Name == name:
		return
	case p.freesName():
	case p.anothers(s.Name):
		name += "-" + p.suffix
	default:
		return
	}
	drift := DriftRenamed
	if p.madeAs(s.Name) {
		drift = ""
	}
	p.repair(drift, StepRename, name, s.ID, fmt.Sprintf("it is named %q", s.Name))
}

// madeAs reports whether a container's name is one that a replacement gets while another container has the proper one.
func (p *planner) madeAs(container string) bool {
	end, ok := strings.CutPrefix(container, p.containerName()+"-")
	return ok && len(end) == suffixLength && !p.anothers(container)
}

// anothers reports whether a container's name is the proper one of another spec's sidecar.
func (p *planner) anothers(container string) bool {
	other, ok := strings.CutPrefix(container, p.opts.NamePrefix+"-")
	return ok && len(p.view.sidecars[other]) > 0
}

// reattach puts a running sidecar on its two networks, and takes it off any other.
func (p *planner) reattach(s Sidecar, nets pair) *Blocked {
	_, onEgress := s.endpoint(nets.egress.ID)
	strays := s.strays(nets)
	switch {
	case !onEgress && len(strays) > 0:
		p.move(s, nets, strays, "", "its egress network is another one now")
	case !onEgress:
		p.repair(DriftDisconnected, StepConnectEgress, nets.egress.Name, s.ID, "it is not on its egress network")
	case len(strays) > 0:
		p.move(s, nets, strays, DriftAttached, "it is on a network that it does not belong on")
	}
	place, on := s.endpoint(nets.internal.ID)
	if on && slices.Contains(place.Aliases, p.spec.Spec.Hostname) {
		return nil
	}
	if blocked := p.rival; blocked != nil {
		return blocked
	}
	if on {
		p.repair(DriftAlias, StepReconnect, nets.internal.Name, s.ID, fmt.Sprintf("it lacks its alias %q", p.spec.Spec.Hostname))
	} else {
		drift, cause := DriftDisconnected, "it is not on its internal network"
		if p.withdrawn {
			drift, cause = "", "the breach has ended on account of which it was taken off"
		}
		p.repair(drift, StepReconnect, nets.internal.Name, s.ID, cause)
	}
	return nil
}

// deliver plans a push when the sidecar serves other routes or tokens than it should. A sidecar that has not spoken yet
// is left alone: a signal might reach it before its handler is set.
func (p *planner) deliver(s Sidecar, nets pair) {
	if s.Report == nil {
		return
	}
	cause, drift := p.stale(s, nets)
	if cause == "" {
		return
	}
	p.resolveTokens(cause)
	p.repair(drift, StepCopyRoutes, s.Name, s.ID, cause)
	p.steps = append(p.steps, Step{
		Step: StepReload, Target: s.Name, Cause: cause, id: s.ID, early: p.apart, standsBy: s.Report.RoutesDigest == "",
	})
}

// stale says why what the sidecar serves is not what it should serve; empty when it is.
func (p *planner) stale(s Sidecar, nets pair) (string, Drift) {
	pushed, known := p.delivered[s.ID]
	switch {
	case s.Report.RoutesDigest == "":
		return "it serves no routes yet", ""
	case known && len(pushed.withheld) > 0 && len(p.withheld) == 0:
		return "its tokens are not withheld any more", ""
	case s.Report.RoutesDigest != routetable.RoutesDigest(p.table(nets.internal)):
		return "the routes, who may call, or the addresses of its internal network changed", ""
	case known && !slices.Equal(pushed.refs, p.spec.Spec.Slots()):
		return "a token or the caller key comes from elsewhere now", ""
	case known && s.Report.Generation != pushed.generation:
		return fmt.Sprintf("it serves generation %d instead of %d", s.Report.Generation, pushed.generation), DriftRoutes
	case known && pushed.doubtful && p.spec.Spec.TokenDelivery == spec.DeliverMemory:
		return "another process acted on it, and may have left tokens in its volume", ""
	}
	return p.staleTokens(pushed, known), ""
}

// staleTokens says why the tokens that were delivered as files are not those of their sources; empty when they are, or were not
// asked for.
func (p *planner) staleTokens(pushed delivery, known bool) string {
	switch {
	case p.spec.Spec.TokenDelivery == spec.DeliverEnv:
		return ""
	case !known && p.unfound:
		// Whether it has those of the references that are declared now, nobody can tell: that is said by the step that fails.
		return "whose tokens it has is not known after a start of the controller"
	case len(p.tokens) == 0:
		return ""
	case !known:
		return "tokens are delivered anew after a start of the controller"
	case !p.tokens.equal(pushed.tokens):
		return "a token changed at its source"
	}
	return ""
}

// move connects a sidecar to its egress network first, then takes it off the networks that are not its own.
func (p *planner) move(s Sidecar, nets pair, strays []string, drift Drift, cause string) {
	p.steps = append(p.steps, Step{
		Step: StepReconnect, Target: nets.egress.Name, Cause: cause, id: s.ID, drift: drift, leaves: strays,
	})
}
