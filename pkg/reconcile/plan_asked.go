package reconcile

import (
	"context"
	"fmt"
	"time"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// Plan returns the steps that Run would take now, and takes none. With offline the engine is not asked: no sidecar counts as
// there, and every network does, as it should be. With resolve tokens are looked for, so that a missing one is among the blocked; one that
// the operator's rules deny always is, where the Resolver can tell.
//
// With UpgradeSidecars the controller's own image is made if it is missing, since which sidecars run another cannot be
// told without it.
func (c *Controller) Plan(ctx context.Context, offline, resolveTokens bool) (Plan, error) {
	if c.opts.UpgradeSidecars && !offline {
		c.learnOwnImage(ctx)
	}
	v, err := c.planView(ctx, offline)
	if err != nil {
		return Plan{}, err
	}
	s, history := c.scene(v)
	var plan Plan
	for _, name := range s.names() {
		in := s.inputs(name, history, c.opts)
		in.suffix = "…" // nobody knows it yet, and two plans of the same are to be the same
		in.fixedLimits = c.fixedLimits.Load()
		if image := c.ownImage.Load(); image != nil {
			in.ownImage = *image
		}
		item, blocked := planName(in)
		if blocked == nil && in.spec != nil {
			if err := c.tokensAgainst(ctx, in.spec, resolveTokens); err != nil {
				blocked = &Blocked{Name: name, Reason: reasonOf(err), Message: err.Error()}
			}
		}
		denied := s.declared.Policy.Denied[name]
		switch {
		case blocked != nil:
			plan.Blocked = append(plan.Blocked, *blocked)
			continue
		case denied != "": // of some routes; the others go on
			plan.Blocked = append(plan.Blocked, Blocked{Name: name, Reason: ReasonPolicyDenied, Message: denied})
		}
		if len(item.Steps) > 0 {
			item.tell(changesOf(in, item, c.served(ctx, in, item)))
			plan.Items = append(plan.Items, item)
		}
	}
	c.recorder.plan(plan.Blocked)
	return plan, nil
}

// served reads the table that a name's sidecar has, where it says what an item changes; nil where there is none, or where it is not the
// one that the sidecar tells of.
func (c *Controller) served(ctx context.Context, in inputs, item Item) *routetable.Table {
	current := in.current()
	if current == nil || !item.needsTable() {
		return nil
	}
	table, err := c.driver.ReadRoutes(ctx, current.ID)
	if n := len(table.Routes); n > spec.MaxRoutes { // no controller has written that
		err = fmt.Errorf("it has %d routes, of which a spec has at most %d", n, spec.MaxRoutes)
	}
	if err != nil || current.Report != nil && current.Report.RoutesDigest != table.RoutesDigest {
		c.recorder.log.Debug("the routes of a sidecar could not be read; the plan does not say how they change", "name", in.name, "error", err)
		return nil
	}
	return &table
}

// permitter is a Resolver that knows what is denied without looking for anything.
type permitter interface {
	// Permitted fails as Resolve does where the rules alone decide.
	Permitted(ref spec.TokenRef) error
}

// tokensAgainst says what about a spec's tokens stands against its plan; without look, only what is denied.
func (c *Controller) tokensAgainst(ctx context.Context, cp *spec.CredProxy, look bool) error {
	if look {
		found := lookFor(ctx, c.resolver, cp)
		_, err := found.values(cp, nil)
		return err
	}
	rules, ok := c.resolver.(permitter)
	if !ok {
		return nil
	}
	for _, slot := range cp.Spec.Slots() {
		if err := rules.Permitted(slot.Ref); err != nil {
			return err
		}
	}
	return nil
}

func (c *Controller) planView(ctx context.Context, offline bool) (*view, error) {
	if !offline {
		return c.lookout.since(ctx, time.Now())
	}
	d, _ := c.snapshot()
	assumed := &Observation{At: time.Now()}
	known := map[string]bool{}
	for _, cp := range d.Specs {
		for _, name := range []string{cp.Spec.InternalNetwork, cp.Spec.EgressNetwork} {
			if !known[name] {
				known[name] = true
				assumed.Networks = append(assumed.Networks, Network{
					ID: name, Name: name, Driver: "bridge", Internal: name == cp.Spec.InternalNetwork,
				})
			}
		}
	}
	return newView(assumed), nil
}
