package reconcile

import (
	"cmp"
	"slices"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// inputs is all that the plan of one name is made from.
type inputs struct {
	name string
	// spec is the declaration, without what is withheld of it; nil when there is none that can be used.
	spec *spec.CredProxy
	// withholding is what the declaration as a whole withholds, and withheld the routes that follow from it and from tokens
	// that are gone, by path.
	withholding Withholding
	withheld    map[string]Withheld
	world       reach
	// refused withholds every step, for a reason that lies in the declared set as a whole.
	refused *Blocked
	view    *view
	// tokens are the values now at the source; nil when they were not resolved, and then nothing is done about them.
	tokens tokens
	// unfound is true when they were looked for, and not all of them were found, so that tokens is nil.
	unfound bool
	// held are tokens that the name's sidecars have: they stand in for those that cannot be found now.
	held map[spec.TokenRef]Token
	// delivered is what this process pushed, by container ID. With tokens set, a sidecar without an entry gets them anew.
	delivered map[string]delivery
	// edited is true while the declaration is newer than what was last brought into force, so that a difference is no drift.
	edited bool
	// fixedLimits is true once the engine has said that it cannot change limits in place.
	fixedLimits bool
	// rival says which other container answers to a name of the sidecar, or is about to do so no more; nil when none does.
	rival *Blocked
	// bounds is what is seen of the spec's environment.
	bounds bounds
	// policy is what was asked for permission.
	policy *Policy
	// withdrawn is true when the sidecar was taken off its internal network on account of a breach.
	withdrawn bool
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
	// withheld are the routes that were without their token, by path.
	withheld map[string]Withheld
	// doubtful is true when another process may have written to the container since, what it has not taken over.
	doubtful bool
	// limits are those that this process made the container with; zero for one that it found.
	limits Limits
}

// planner builds the steps of one name.
type planner struct {
	inputs
	steps []Step
	// apart is true while the sidecar is kept off its internal network.
	apart bool
}

// planName decides what to do about one name. It is pure. Either steps or a refusal come back, or neither.
func planName(in inputs) (Item, *Blocked) {
	p := &planner{inputs: in}
	if p.takeTokens(); len(p.steps) > 0 {
		return Item{Name: in.name, Steps: p.steps}, nil
	}
	blocked := p.decide()
	if blocked != nil {
		blocked.Name = in.name
		return Item{Name: in.name}, blocked
	}
	return Item{Name: in.name, Steps: p.steps}, nil
}

func (p *planner) decide() *Blocked {
	switch {
	case p.bounds.shut != "" && !p.spec.Paused():
		return p.withdraw()
	case p.refused != nil:
		return p.refused
	case p.view.unclear[p.name] != nil:
		return &Blocked{Reason: ReasonEngineUnavailable, Message: p.view.unclear[p.name].Error()}
	case p.spec == nil:
		p.removeAll("no file declares it")
		if len(p.steps) == 0 {
			return p.inUse()
		}
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
			if extra.State != StateRemoving {
				p.drainAndRemove(extra, "another sidecar serves this spec", DriftLeftover)
			}
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

// table is the routing that is to be served on an internal network.
func (p *planner) table(internal Network) routetable.Table {
	return tableOf(&p.spec.Spec, internal, p.withheld, p.world)
}

func (p *planner) containerName() string { return p.opts.containerName(p.name) }

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
