package reconcile

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"credproxy.dev/controller/pkg/spec"
)

// outcome is what one reconciliation of a name came to.
type outcome struct {
	// blocked and err are as in verdict.
	blocked *Blocked
	err     error
}

// reconcile looks at one name, plans, and takes the steps. When another process acted on the name since this one last
// did, what was seen before that is not relied on, nor is what this one delivered.
func (c *Controller) reconcile(ctx context.Context, name string) outcome {
	m, out := c.consider(ctx, name)
	settled := len(m.item.Steps) == 0
	if settled && !c.asks(m) {
		return out
	}
	held, err := c.lock(ctx, name)
	switch {
	case err != nil && settled:
		return out // it is asked again with the next look
	case err != nil:
		return c.notHeld(ctx, m, err)
	}
	defer held.Release()
	if !held.Fresh {
		c.touch(name)
		c.deliveries.doubt(m.in.view.sidecars[name])
		m, out = c.consider(ctx, name)
	}
	if len(m.item.Steps) == 0 {
		return out
	}
	return c.execute(ctx, m)
}

// asks reports whether it matters of a name for which nothing is to be done that another process may have acted on it: one
// that ended in the middle of a delivery into memory has left tokens in the volume, which no look at the engine shows.
func (c *Controller) asks(m matter) bool {
	return c.runs() && m.in.spec != nil && m.in.spec.Spec.TokenDelivery == spec.DeliverMemory && len(m.in.delivered) > 0
}

// lock takes a name. A worker of Run does not wait for long: whoever has the name may have been stopped, and the others
// are not to wait for it.
func (c *Controller) lock(ctx context.Context, name string) (Held, error) {
	if c.opts.Locker == nil {
		return Held{Release: func() {}, Fresh: true}, nil
	}
	if c.runs() {
		bounded, cancel := context.WithTimeoutCause(ctx, lockPatience, errBusy)
		defer cancel()
		ctx = bounded
	}
	return c.opts.Locker.Lock(ctx, name)
}

// errBusy is why a name is left for later that another process acts on.
var errBusy = errors.New("it is tried again from time to time")

const (
	// lockPatience is how long a worker waits for a name that another process acts on, and lockRetry how soon it is tried
	// again, so that most of the workers' time is for other names.
	lockPatience = time.Second
	lockRetry    = 5 * time.Second
)

// notHeld tells why a name could not be taken.
func (c *Controller) notHeld(ctx context.Context, m matter, err error) outcome {
	c.ended(m.in.name, len(m.item.Steps), err)
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, errBusy):
		c.recorder.warn(m.in.name, ReasonProgressing, err.Error())
	default:
		c.recorder.warn(m.in.name, reasonOf(err), err.Error())
		m.found.err = err
		c.conclude(m.in, m.found, false)
	}
	return outcome{err: err}
}

// matter is a name with its plan, and what was found of it.
type matter struct {
	in    inputs
	item  Item
	found verdict
}

// consider looks at one name and plans. Without steps the outcome is final.
func (c *Controller) consider(ctx context.Context, name string) (matter, outcome) {
	v, err := c.lookout.since(ctx, c.mark(name))
	if err != nil {
		c.unavailable(ctx, name, err)
		return matter{}, outcome{err: err}
	}
	s, history := c.scene(v)
	in := c.inputs(s, name, history)
	tokenErr := c.compareTokens(ctx, &in)
	item, blocked := planName(in)
	if len(item.Steps) > 0 {
		item.Changes = changesOf(in, item, nil) // the engine is asked for a sidecar's routes only by who wants a plan
	}
	c.statuses.planned(name, item)
	found := c.verdict(in, blocked, tokenErr)
	c.tellRefusal(name, found)
	c.tellBounds(name, found.bounds)
	c.tellRejections(in.spec, found.sidecar)
	if len(item.Steps) == 0 {
		c.recorder.forget(name)
	}
	switch {
	case !s.mentions(name) && c.opts.Prune:
		if c.statuses.hold(name, found) {
			c.tellGone(name)
		}
	case s.mentions(name) && len(item.Steps) == 0:
		c.settle(name, found, false)
	}
	return matter{in, item, found}, outcome{blocked: blocked}
}

// inputs adds what this process remembers of a name to what the scene knows.
func (c *Controller) inputs(s *scene, name string, h history) inputs {
	in := s.inputs(name, h, c.opts)
	in.suffix = suffix()
	in.wasReady, in.edited, in.withdrawn = c.statuses.past(name)
	in.fixedLimits = c.fixedLimits.Load()
	in.delivered = c.deliveries.of(s.view.sidecars[name])
	if image := c.ownImage.Load(); image != nil {
		in.ownImage = *image
	}
	return in
}

// tellRefusal records why a name is withheld, which token has no value, and who stands in its way.
func (c *Controller) tellRefusal(name string, found verdict) {
	c.block(name, found.blocked)
	var now []Blocked
	if found.tokenErr != nil {
		now = append(now, Blocked{Name: name, Reason: reasonOf(found.tokenErr), Message: found.tokenErr.Error()})
	}
	if len(found.withheld) > 0 {
		now = append(now, Blocked{Name: name, Reason: reasonOfWithheld(found.withheld), Message: found.withheldWords()})
	}
	switch {
	case found.blocked != nil:
		now = append(now, *found.blocked)
	case found.bounds.rival != "":
		now = append(now, Blocked{Name: name, Reason: ReasonAliasConflict, Message: found.bounds.rival})
	case found.inUse != nil:
		now = append(now, *found.inUse)
	}
	if found.spec != nil && found.blocked == nil && found.sidecar != nil && found.crashing() {
		now = append(now, Blocked{Name: name, Reason: ReasonCrashLooping, Message: "the sidecar keeps ending; its status has its last lines"})
	}
	c.recorder.refuse(name, slices.Compact(now)) // a token that is withheld for being gone is told once
}

// verdict gathers what is known of a name before any step.
func (c *Controller) verdict(in inputs, blocked *Blocked, tokenErr error) verdict {
	v := verdict{spec: in.spec, withheld: in.withheld, blocked: blocked, tokenErr: tokenErr, tokensChecked: in.tokens != nil}
	if in.spec == nil {
		if left := in.view.sidecars[in.name]; len(left) > 0 {
			v.sidecar = &left[0]
		}
		v.left = in.view.has(in.name)
		return v
	}
	v.policy, v.inUse = in.policy, in.inUse()
	v.taking = in.taking() || in.unheard()
	if internal, ok := in.view.internalOf(in.spec); ok {
		v.internal = &internal
	}
	v.bounds = in.bounds
	v.bounds.conflict = v.bounds.rival != "" || blocked != nil && blocked.Reason == ReasonAliasConflict
	p := &planner{inputs: in}
	if ranked := p.rank(); len(ranked) > 0 {
		v.sidecar = &ranked[0]
		v.outdated = p.outdated(ranked[0])
		if v.crashing() {
			v.lastLines = c.driver.LastLines(v.sidecar.ID)
		}
	}
	return v
}

// execute takes the steps of a plan and judges what came of them.
func (c *Controller) execute(ctx context.Context, m matter) outcome {
	in, item, found := m.in, m.item, m.found
	a := &attempt{
		Controller: c, item: item, spec: in.spec, withheld: in.withheld, world: in.world, held: in.held, withholding: in.withholding,
		generation: c.deliveries.generation(lastGeneration(found.sidecar)),
	}
	if in.spec != nil {
		a.nets = in.pair()
	}
	c.settleProgress(in.name, found)
	err := a.run(ctx)
	c.ended(in.name, len(item.Steps), err)
	if err == nil {
		c.statuses.planned(in.name, Item{})
	}
	c.touch(in.name)
	found.err, found.lastLines, found.taking = err, a.lines, false
	found.note(a)
	made := a.made != "" && err == nil
	if err != nil && ctx.Err() == nil {
		c.recorder.warn(in.name, reasonOf(err), found.failure())
	} else if in.spec != nil {
		c.recorder.forget(in.name)
	}
	if in.spec == nil && err == nil {
		found.sidecar, found.blocked = nil, in.inUse()
		found.left = found.blocked != nil
		c.tellRefusal(in.name, found)
	}
	c.conclude(in, found, made)
	return outcome{err: err}
}

// conclude shows what an attempt came to.
func (c *Controller) conclude(in inputs, found verdict, made bool) {
	if in.spec == nil {
		c.statuses.hold(in.name, found)
	} else {
		c.settle(in.name, found, made)
	}
}

// note takes over what an attempt learned.
func (v *verdict) note(a *attempt) {
	if a.nets.internal.ID != "" {
		v.internal = &a.nets.internal
	}
	var stepErr *StepError
	if errors.As(v.err, &stepErr) && stepErr.Step == StepResolveTokens {
		v.tokenErr = stepErr.Err
	}
	if a.tokens != nil {
		v.tokensChecked, v.tokenErr = true, nil
	}
	switch {
	case v.err != nil || a.report == nil:
	case a.made != "":
		v.sidecar = served(a.made, a.madeName, spec.Hash(&a.spec.Spec), *a.report)
		v.outdated = false
	case v.sidecar != nil:
		v.sidecar = served(v.sidecar.ID, v.sidecar.Name, v.sidecar.SpecHash, *a.report)
	}
}

func lastGeneration(s *Sidecar) int64 {
	if s == nil || s.Report == nil {
		return 0
	}
	return s.Report.Generation
}

// pair are the spec's networks as observed; those that do not exist yet have no ID.
func (in inputs) pair() pair {
	one := func(name string) Network {
		if found := in.view.networks[name]; len(found) == 1 {
			return found[0]
		}
		return Network{Name: name}
	}
	return pair{one(in.spec.Spec.InternalNetwork), one(in.spec.Spec.EgressNetwork)}
}

// settleProgress shows, before the first step, that something is being done for a name that is not served. A failure is
// shown until an attempt succeeds.
func (c *Controller) settleProgress(name string, found verdict) {
	if !found.serves() && !c.statuses.failing(name) {
		c.settle(name, found, false)
	}
}

func (c *Controller) settle(name string, v verdict, made bool) {
	end := c.statuses.settle(name, v, made)
	if end.ready {
		c.metrics.specToReady.Observe(end.waited.Seconds())
	}
	c.tellRecovery(name, end.trouble)
}

// suffixLength is the length of a suffix.
const suffixLength = 4

// suffix is what the name of a replacement ends with: random letters or digits.
func suffix() string { return strings.ToLower(rand.Text()[:suffixLength]) }

// tokenRetry is how soon a spec is tried again whose token has no value, since not every resolver notices one; a look at
// its source is cheap.
const tokenRetry = 2 * time.Second
