package reconcile

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// attempt executes the plan of one name, step by step. It decides nothing: each step does what its name says to
// the target that the plan gave it.
type attempt struct {
	*Controller
	item Item
	// spec is nil when the plan only removes. withheld are the routes of it that have no token, by path, and held the tokens
	// that stand in for those that cannot be found now.
	spec     *spec.CredProxy
	withheld map[string]Withheld
	held     map[spec.TokenRef]Token
	// world is how upstreams are reached.
	world reach
	// withholding is what the declaration withheld when the plan was made.
	withholding Withholding
	nets        pair
	// generation is higher than any before it.
	generation int64

	// What earlier steps found or made, for later ones.
	imageID  string
	made     string // container ID
	madeName string
	tokens   tokens
	sealed   routetable.Table
	report   *routetable.Report
	lines    []string
}

// run takes the steps in order. It stops at the first that fails, and removes what this attempt had begun to make.
// Between steps it heeds ctx; a step in hand is finished, within the step's own bounds. What was written into the volume of a
// sidecar that runs is also taken over, since tokens would lie there otherwise until somebody delivers again.
func (a *attempt) run(ctx context.Context) error {
	for i, s := range a.item.Steps {
		a.opts.Progress(Progress{Name: a.item.Name, Step: s, Number: i + 1, Steps: len(a.item.Steps)})
		if err := ctx.Err(); err != nil && s.Step != StepReload {
			return a.giveUp(ctx, fmt.Errorf("stopped before %s: %w", s.Step, context.Cause(ctx)))
		}
		began := time.Now()
		err := a.do(context.WithoutCancel(ctx), s)
		a.metrics.step(s.Step, began, err)
		if err != nil {
			a.removeUnlessTaken(context.WithoutCancel(ctx), s, err)
			return a.giveUp(ctx, &StepError{Step: s.Step, Target: s.Target, Err: err})
		}
		a.tell(s)
	}
	return nil
}

// giveUp removes the container that this attempt made, keeping its last lines. One that serves already stays: its
// predecessor may be gone by now, and the next plan goes on from there.
func (a *attempt) giveUp(ctx context.Context, err error) error {
	if a.made == "" || a.report != nil {
		return err
	}
	a.lines = a.driver.LastLines(a.made)
	if removal := a.driver.Remove(context.WithoutCancel(ctx), a.made); removal != nil {
		return errors.Join(err, removal)
	}
	a.tell(Step{Step: StepRemove, Target: a.madeName, Cause: "the attempt that made it came to nothing"})
	return err
}

// removeUnlessTaken removes a sidecar from which tokens could not be taken away by other means: it refused, or is too old to
// understand. An engine that does not answer is asked again with the next attempt.
func (a *attempt) removeUnlessTaken(ctx context.Context, failed Step, why error) {
	if !failed.takes || errors.Is(why, ErrEngineUnavailable) {
		return
	}
	if err := a.driver.Remove(ctx, failed.id); err != nil {
		a.recorder.warn(a.item.Name, reasonOf(err), "the sidecar holds tokens that are withheld, and could not be removed: "+err.Error())
		return
	}
	a.deliveries.drop(failed.id)
	a.tell(Step{Step: StepRemove, Target: failed.Target, Cause: "it did not give up tokens that are withheld"})
}

func (a *attempt) do(ctx context.Context, s Step) error { //nolint:gocyclo // a table: one line for each step
	id := cmp.Or(s.id, a.made)
	switch s.Step {
	case StepEnsureNetwork:
		return a.ensureNetwork(ctx, s)
	case StepResolveTokens:
		return a.resolveTokens(ctx)
	case StepEnsureImage:
		return a.ensureImage(ctx)
	case StepCreate:
		return a.create(ctx, s)
	case StepCopyRoutes:
		return a.copyRoutes(ctx, id)
	case StepConnectEgress:
		return a.driver.Connect(ctx, id, a.nets.egress.ID)
	case StepStart:
		return a.start(ctx, id)
	case StepWaitReady:
		return a.waitReady(ctx, id, s)
	case StepReload:
		return a.reload(ctx, id, s)
	case StepUpdate:
		return a.update(ctx, id)
	case StepReconnect:
		return a.reconnect(ctx, s)
	case StepDisconnect:
		return a.disconnect(ctx, s)
	case StepDrain:
		return a.drain(ctx, id)
	case StepRename:
		return a.rename(ctx, id, s.Target)
	case StepRemove:
		return a.remove(ctx, id)
	case StepRemoveVolume:
		return a.driver.RemoveVolume(ctx, s.Target)
	case StepRemoveNetwork:
		return a.driver.RemoveNetwork(ctx, id)
	}
	return fmt.Errorf("no such step: %s", s.Step)
}

// ensureNetwork makes a network and looks again, since its subnet is part of the routing table. That it is made is told even
// if it cannot be looked at.
func (a *attempt) ensureNetwork(ctx context.Context, s Step) error {
	internal := s.Target == a.spec.Spec.InternalNetwork
	id, err := a.driver.EnsureNetwork(ctx, NetworkRequest{Name: s.Target, SpecName: a.item.Name, Internal: internal})
	if err != nil {
		return err
	}
	n, err := a.seeNetwork(ctx, s.Target, id)
	if err != nil {
		a.tell(s)
		return err
	}
	if internal {
		a.nets.internal = n
	} else {
		a.nets.egress = n
	}
	return nil
}

func (a *attempt) seeNetwork(ctx context.Context, name, id string) (Network, error) {
	v, err := a.lookout.since(ctx, time.Now())
	if err != nil {
		return Network{}, err
	}
	for _, n := range v.networks[name] {
		switch {
		case n.ID != id:
		case n.SpecName != "" && n.SpecName != a.item.Name:
			return Network{}, fmt.Errorf("network %q was made for spec %q meanwhile", name, n.SpecName)
		default:
			return n, nil
		}
	}
	return Network{}, fmt.Errorf("%w: network %q vanished as it was made", ErrNetworkNotFound, name)
}

func (a *attempt) resolveTokens(ctx context.Context) (err error) {
	found := lookFor(ctx, a.resolver, a.spec)
	a.tokens, err = found.values(a.spec, a.held)
	return err
}

func (a *attempt) ensureImage(ctx context.Context) (err error) {
	a.imageID, err = a.driver.EnsureImage(ctx, a.spec.Spec.Image)
	if err == nil && a.spec.Spec.Image == "" {
		a.ownImage.Store(&a.imageID)
	}
	return err
}

func (a *attempt) create(ctx context.Context, s Step) (err error) {
	req := CreateRequest{
		ContainerName: s.Target,
		SpecName:      a.item.Name,
		SpecHash:      spec.Hash(&a.spec.Spec),
		ImageID:       a.imageID,
		Network:       a.nets.internal.ID,
		Alias:         a.spec.Spec.Hostname,
		Resources:     a.spec.Spec.Resources,
	}
	if s.early {
		req.Network, req.Alias = a.nets.egress.ID, ""
	}
	switch a.spec.Spec.TokenDelivery {
	case spec.DeliverEnv:
		req.Env = a.tokens
	case spec.DeliverMemory:
		table := tableOf(&a.spec.Spec, a.nets.internal, a.withheld, a.world)
		req.Standby = table.Standby()
	}
	a.made, err = a.driver.Create(ctx, req)
	a.madeName = s.Target
	return err
}

// copyRoutes seals one generation and writes it to the sidecar's volume.
func (a *attempt) copyRoutes(ctx context.Context, id string) error {
	values := a.tokens.reveal()
	if a.spec.Spec.TokenDelivery == spec.DeliverEnv {
		values = nil
	}
	sealed, files, err := routetable.Seal(tableOf(&a.spec.Spec, a.nets.internal, a.withheld, a.world), a.generation, values, rand.Reader)
	if err != nil {
		return err
	}
	a.sealed = sealed
	return a.driver.CopyRoutes(ctx, id, files)
}

// waitReady waits for a sidecar that was started, or that is only to be known to serve. One that stands by is told first, and one
// that ran before, which may have served a later generation by a clock that was ahead.
func (a *attempt) waitReady(ctx context.Context, id string, s Step) error {
	loaded, ready := a.driver.WaitLoaded, a.driver.WaitReady
	if s.standsBy || s.id != "" {
		loaded, ready = a.driver.Load, a.driver.Reload
	}
	switch {
	case s.generation != 0:
		_, err := a.listen(ctx, id, s.generation, a.driver.WaitReady)
		return err
	case s.early:
		_, err := a.listen(ctx, id, a.generation, loaded)
		return err
	}
	return a.open(ctx, id, s, ready)
}

// reload has a sidecar take over the generation just written. One that is off its internal network cannot serve it yet.
func (a *attempt) reload(ctx context.Context, id string, s Step) error {
	if s.early {
		return a.hear(ctx, id, a.driver.Load)
	}
	return a.open(ctx, id, s, a.driver.Reload)
}

// open waits for a sidecar on its internal network. One that stands by did not serve before.
func (a *attempt) open(ctx context.Context, id string, s Step, wait answer) error {
	if s.standsBy {
		if err := a.mayServe(ctx); err != nil {
			return err
		}
	}
	return a.hear(ctx, id, wait)
}

// answer is one of the driver's ways to wait for a sidecar's word.
type answer func(ctx context.Context, containerID string, generation int64) (routetable.Report, error)

func (a *attempt) listen(ctx context.Context, id string, generation int64, wait answer) (routetable.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, a.opts.ReadyTimeout)
	defer cancel()
	return wait(ctx, id, generation)
}

// hear waits for the sidecar's word that it serves the generation just written, and notes what it now has.
func (a *attempt) hear(ctx context.Context, id string, wait answer) error {
	report, err := a.listen(ctx, id, a.generation, wait)
	if err != nil {
		return err
	}
	a.report = &report
	pushed := delivery{generation: a.generation, tokens: a.tokens, refs: a.spec.Spec.Slots(), withheld: a.withheld}
	if id == a.made {
		pushed.limits = LimitsOf(a.spec.Spec.Resources)
	}
	a.deliveries.put(id, pushed)
	return nil
}

// update changes limits in place. What an engine cannot do at all is remembered, so that the next plan goes another way.
func (a *attempt) update(ctx context.Context, id string) error {
	err := a.driver.Update(ctx, id, a.spec.Spec.Resources)
	if errors.Is(err, ErrUnsupported) {
		a.fixedLimits.Store(true)
	}
	return err
}

// reconnect connects a container anew: to egress, leaving other networks, or else to the internal network with its
// alias.
func (a *attempt) reconnect(ctx context.Context, s Step) error {
	if len(s.leaves) > 0 {
		return a.leave(ctx, s)
	}
	if err := a.mayServe(ctx); err != nil {
		return err
	}
	id := cmp.Or(s.id, a.made)
	if s.id != "" {
		if err := a.driver.Disconnect(ctx, id, a.nets.internal.ID); err != nil {
			return err
		}
	}
	return a.driver.Connect(ctx, id, a.nets.internal.ID, a.spec.Spec.Hostname)
}

func (a *attempt) leave(ctx context.Context, s Step) error {
	if err := a.driver.Connect(ctx, s.id, a.nets.egress.ID); err != nil {
		return err
	}
	return a.disconnect(ctx, s)
}

func (a *attempt) disconnect(ctx context.Context, s Step) error {
	for _, network := range s.leaves {
		if err := a.driver.Disconnect(ctx, s.id, network); err != nil {
			return err
		}
	}
	return nil
}

func (a *attempt) start(ctx context.Context, id string) error {
	if err := a.mayServe(ctx); err != nil {
		return err
	}
	return a.driver.Start(ctx, id)
}

// mayServe fails when a breach came up while the plan was carried out, where none is let pass. All that are about to serve
// at the same time look once.
func (a *attempt) mayServe(ctx context.Context) error {
	if !a.opts.RequireIsolation && !a.spec.Spec.RequireIsolation {
		return nil
	}
	v, err := a.lookout.since(ctx, time.Now().Add(-eventDelay))
	if err != nil {
		return err
	}
	b := v.bounds(a.spec)
	if b.require(); b.shut != "" {
		return fmt.Errorf("%w: %s", ErrNotIsolated, b.shut)
	}
	return nil
}

func (a *attempt) rename(ctx context.Context, id, name string) error {
	if err := a.driver.Rename(ctx, id, name); err != nil {
		return err
	}
	if id == a.made {
		a.madeName = name
	}
	return nil
}

func (a *attempt) remove(ctx context.Context, id string) error {
	if err := a.driver.Remove(ctx, id); err != nil {
		return err
	}
	a.deliveries.drop(id)
	if a.spec == nil {
		a.metrics.orphans.Inc()
	}
	return nil
}
