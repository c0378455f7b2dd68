package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// inputs is all that the plan of one name is made from.
type inputs struct {
	name string
	// spec is the declaration; nil when there is none that can be used.
	spec *spec.CredProxy
	// refused withholds every step, for a reason that lies in the declared set as a whole.
	refused *Blocked
	view    *view
	// declared are the names of networks that any spec refers to; such a network is never removed.
	declared map[string]bool
	// tokens are the values now at the source; nil when they were not resolved, and then nothing is done about them.
	tokens tokens
	// delivered is what this process pushed, by container ID. With tokens set, a sidecar without an entry gets them anew.
	delivered map[string]delivery
	// edited is true while the declaration is newer than what was last brought into force, so that a difference is no drift.
	edited bool
	// wasReady is true once the name was ready in this process: without a sidecar now, one has gone missing.
	wasReady bool
	// ownImage is the ID of the controller's own image; empty when not known.
	ownImage string
	opts     Options
	// suffix makes a replacement's name unique.
	suffix string
}

// delivery is what this process last pushed to a container, and the sidecar confirmed.
type delivery struct {
	generation int64
	tokens     tokens
	// refs are where each slot's token came from.
	refs []spec.Slot
}

// planner builds the steps of one name.
type planner struct {
	inputs
	steps []Step
}

// planName decides what to do about one name. It is pure. Either steps or a refusal come back, or neither.
func planName(in inputs) (Item, *Blocked) {
	p := &planner{inputs: in}
	blocked := p.decide()
	if blocked != nil {
		blocked.Name = in.name
		return Item{Name: in.name}, blocked
	}
	return Item{Name: in.name, Steps: p.steps}, nil
}

func (p *planner) decide() *Blocked {
	switch {
	case p.refused != nil:
		return p.refused
	case p.view.unclear[p.name] != nil:
		return &Blocked{Reason: ReasonEngineUnavailable, Message: p.view.unclear[p.name].Error()}
	case p.spec == nil:
		p.removeAll("no file declares it")
		return nil
	case p.spec.Paused():
		return &Blocked{Reason: ReasonPaused, Message: "annotation " + spec.AnnotationPaused + " is \"true\""}
	}
	nets, blocked := p.networks()
	if blocked != nil {
		return blocked
	}
	if blocked := p.converge(nets); blocked != nil {
		return blocked
	}
	p.removeLeftovers()
	return nil
}

// converge keeps the best of a name's containers, or makes a better one, and lets the others go.
func (p *planner) converge(nets pair) *Blocked {
	sidecars := p.rank()
	if len(sidecars) == 0 {
		return p.makeFirst(nets)
	}
	if cause, drift := p.unusable(sidecars[0], nets); cause != "" {
		return p.replace(sidecars, nets, cause, drift)
	}
	keep := sidecars[0]
	if blocked := p.settle(keep, nets); blocked != nil {
		return blocked
	}
	if len(sidecars) > 1 && p.willServe(keep) {
		for _, extra := range sidecars[1:] {
			p.drainAndRemove(extra, "another sidecar serves this spec", DriftLeftover)
		}
	}
	p.restoreName(keep)
	return nil
}

// add appends a step. An id of "" means the container that this plan makes.
func (p *planner) add(step StepName, target, id, cause string) {
	p.steps = append(p.steps, Step{Step: step, Target: target, Cause: cause, id: id})
}

// repair appends a step that answers drift.
func (p *planner) repair(drift Drift, step StepName, target, id, cause string) {
	p.steps = append(p.steps, Step{Step: step, Target: target, Cause: cause, id: id, drift: drift})
}

// unlessEdited is a kind of drift, or none when it is the declaration that changed.
func (p *planner) unlessEdited(drift Drift) Drift {
	if p.edited {
		return ""
	}
	return drift
}

func (p *planner) containerName() string { return p.opts.NamePrefix + "-" + p.name }

// rank orders a name's containers: the one to keep first.
func (p *planner) rank() []Sidecar {
	sidecars := slices.Clone(p.view.sidecars[p.name])
	slices.SortFunc(sidecars, func(a, b Sidecar) int {
		return cmp.Or(
			compareBool(p.fits(b), p.fits(a)),
			compareBool(b.State == StateRunning, a.State == StateRunning),
			compareBool(serving(b), serving(a)),
			compareBool(b.Name == p.containerName(), a.Name == p.containerName()),
			b.Created.Compare(a.Created),
			cmp.Compare(a.ID, b.ID),
		)
	})
	return sidecars
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

func (p *planner) fits(s Sidecar) bool { return spec.HashMatches(s.SpecHash, &p.spec.Spec) }

func serving(s Sidecar) bool { return s.Report != nil && s.Report.Serving }

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
		return found[0], nil
	case len(found) > 1:
		return Network{}, &Blocked{Reason: ReasonAmbiguousNetwork, Message: fmt.Sprintf(
			"%s %q is the name of %d networks; remove or rename all but one", field, name, len(found))}
	case p.spec.Spec.CreateNetworks:
		return Network{Name: name}, nil
	default:
		return Network{}, &Blocked{Reason: ReasonNetworkNotFound, Message: fmt.Sprintf(
			"%s %q does not exist; create it (`docker network create%s %s`) or set createNetworks: true",
			field, name, map[string]string{"internalNetwork": " --internal"}[field], name)}
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

// nameTaken refuses when a container that is not ours holds the name that a new sidecar needs, or answers to
// its hostname.
func (p *planner) nameTaken() *Blocked {
	if _, held := p.view.holders[p.containerName()]; held {
		return &Blocked{Reason: ReasonNameConflict, Message: fmt.Sprintf(
			"container %q is not this controller's and holds the name; remove or rename it, or set --name-prefix", p.containerName())}
	}
	return nil
}

func (p *planner) aliasTaken(internal Network) *Blocked {
	if internal.ID == "" {
		return nil
	}
	return p.view.aliasConflict(p.spec, internal)
}

// aliasConflict says which other container answers to a spec's hostname; nil when none does.
func (v *view) aliasConflict(cp *spec.CredProxy, internal Network) *Blocked {
	rival, taken := v.rival(cp.Name, internal.ID, cp.Spec.Hostname)
	if !taken {
		return nil
	}
	return &Blocked{Name: cp.Name, Reason: ReasonAliasConflict, Message: fmt.Sprintf(
		"container %q answers to %q on network %q too; disconnect or rename it, or choose another hostname",
		rival, cp.Spec.Hostname, internal.Name)}
}

// makeFirst plans the sidecar of a name that has none.
func (p *planner) makeFirst(nets pair) *Blocked {
	if blocked := cmp.Or(p.nameTaken(), p.aliasTaken(nets.internal)); blocked != nil {
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
	p.add(StepCopyRoutes, container, "", cause)
	p.add(StepConnectEgress, nets.egress.Name, "", cause)
	p.add(StepStart, container, "", cause)
	p.add(StepWaitReady, container, "", cause)
}

// createBeside plans a new sidecar while another serves: it joins the internal network, and with that the alias, only
// once it is ready to serve.
func (p *planner) createBeside(container string, nets pair, cause string, drift Drift) {
	p.steps = append(p.steps,
		Step{Step: StepCreate, Target: container, Cause: cause, drift: drift, early: true},
		Step{Step: StepCopyRoutes, Target: container, Cause: cause},
		Step{Step: StepStart, Target: container, Cause: cause},
		Step{Step: StepWaitReady, Target: container, Cause: cause, early: true},
		Step{Step: StepReconnect, Target: nets.internal.Name, Cause: cause},
		Step{Step: StepWaitReady, Target: container, Cause: cause})
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
// are in nobody's use and go first.
func (p *planner) replace(sidecars []Sidecar, nets pair, cause string, drift Drift) *Blocked {
	if blocked := p.aliasTaken(nets.internal); blocked != nil {
		return blocked
	}
	p.prepare(nets, cause)
	var running []Sidecar
	for _, s := range sidecars {
		if s.State == StateRunning {
			running = append(running, s)
		} else {
			p.repair(drift, StepRemove, s.Name, s.ID, cause)
		}
	}
	name := p.containerName()
	if !p.freesName() {
		if len(running) == 0 {
			return p.nameTaken()
		}
		name += "-" + p.suffix
	}
	if len(running) == 0 {
		p.create(name, nets, cause, "")
		return nil
	}
	p.createBeside(name, nets, cause, "")
	for _, old := range running {
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
		return "it is being removed", DriftMissing
	case StateDead:
		return "the engine could not remove it whole", DriftLeftover
	}
	return p.outgrown(s), ""
}

// settle brings the container that is kept to what is declared, in place.
func (p *planner) settle(s Sidecar, nets pair) *Blocked {
	switch s.State {
	case StateRestarting:
		return nil // the engine backs off by itself; the status says that it crashes
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
	p.add(StepCopyRoutes, s.Name, s.ID, cause)
	p.repair(DriftStopped, StepStart, s.Name, s.ID, cause)
	p.add(StepWaitReady, s.Name, s.ID, cause)
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
	}
	return ""
}

func (p *planner) envFits(s Sidecar) bool {
	return p.spec.Spec.TokenDelivery != spec.DeliverEnv || p.tokens == nil || p.tokens.equal(s.Env)
}

func (p *planner) outdated(s Sidecar) bool {
	return p.spec.Spec.Image == "" && p.ownImage != "" && s.ImageID != p.ownImage
}

// adjust brings a running sidecar of the right make to what is declared, without another container.
func (p *planner) adjust(s Sidecar, nets pair) *Blocked {
	p.ensureNetworks(nets)
	if blocked := p.reattach(s, nets); blocked != nil {
		return blocked
	}
	if want := LimitsOf(p.spec.Spec.Resources); s.Resources != want {
		p.repair(p.unlessEdited(DriftLimits), StepUpdate, s.Name, s.ID, "its limits differ from the declared ones")
	}
	p.deliver(s, nets)
	return nil
}

// restoreName gives the container that is kept its proper name, once that is free.
func (p *planner) restoreName(s Sidecar) {
	if s.Name != p.containerName() && p.freesName() {
		p.repair(DriftRenamed, StepRename, p.containerName(), s.ID, fmt.Sprintf("it is named %q", s.Name))
	}
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
	if blocked := p.aliasTaken(nets.internal); blocked != nil {
		return blocked
	}
	if on {
		p.repair(DriftAlias, StepReconnect, nets.internal.Name, s.ID, fmt.Sprintf("it lacks its alias %q", p.spec.Spec.Hostname))
	} else {
		p.repair(DriftDisconnected, StepReconnect, nets.internal.Name, s.ID, "it is not on its internal network")
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
	p.add(StepReload, s.Name, s.ID, cause)
}

// stale says why what the sidecar serves is not what it should serve; empty when it is.
func (p *planner) stale(s Sidecar, nets pair) (string, Drift) {
	pushed, known := p.delivered[s.ID]
	switch {
	case s.Report.RoutesDigest == "":
		return "it serves no routes yet", ""
	case s.Report.RoutesDigest != routetable.RoutesDigest(tableOf(&p.spec.Spec, nets.internal)):
		return "the routes, or the addresses of its internal network, changed", ""
	case known && !slices.Equal(pushed.refs, p.spec.Spec.Slots()):
		return "a route takes its token from elsewhere now", ""
	case known && s.Report.Generation != pushed.generation:
		return fmt.Sprintf("it serves generation %d instead of %d", s.Report.Generation, pushed.generation), DriftRoutes
	case p.tokens == nil || p.spec.Spec.TokenDelivery == spec.DeliverEnv || len(p.tokens) == 0:
		return "", ""
	case !known:
		return "tokens are delivered anew after a start of the controller", ""
	case !p.tokens.equal(pushed.tokens):
		return "a token changed at its source", ""
	}
	return "", ""
}

// move connects a sidecar to its egress network first, then takes it off the networks that are not its own.
func (p *planner) move(s Sidecar, nets pair, strays []string, drift Drift, cause string) {
	p.steps = append(p.steps, Step{
		Step: StepReconnect, Target: nets.egress.Name, Cause: cause, id: s.ID, drift: drift, leaves: strays,
	})
}

// removeAll removes everything that was made for a name.
func (p *planner) removeAll(cause string) {
	for _, s := range p.view.sidecars[p.name] {
		p.add(StepRemove, s.Name, s.ID, cause)
	}
	p.removeLeftovers()
}

// removeLeftovers removes the volumes that lost their container, and the networks that were made for this name, once no
// spec refers to them and no other container is on them.
func (p *planner) removeLeftovers() {
	for _, v := range p.view.strayVolumes[p.name] {
		p.repair(DriftLeftover, StepRemoveVolume, v, v, "no container uses it")
	}
	for _, n := range p.view.made[p.name] {
		if !p.declared[n.Name] && p.onlyOwn(n) {
			p.add(StepRemoveNetwork, n.Name, n.ID, "it was made for this spec, and none refers to it")
		}
	}
}

// onlyOwn reports whether nothing is on the network but containers that this plan removes.
func (p *planner) onlyOwn(n Network) bool {
	return !slices.ContainsFunc(p.view.attached[n.ID], func(id string) bool { return !p.removes(id) })
}
