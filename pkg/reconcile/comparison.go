package reconcile

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"credproxy.dev/controller/pkg/spec"
)

// compareTokens resolves the tokens of a spec, so that the plan can tell whether they changed, and the status whether they
// are there. A plan that delivers them resolves them once more, in a step of its own.
func (c *Controller) compareTokens(ctx context.Context, in *inputs) error {
	var seen sighted
	defer func() { c.statuses.saw(in.name, seen, in.withheld) }()
	if in.spec == nil || (in.refused != nil || in.spec.Paused()) && len(in.withheld) == 0 {
		return nil
	}
	found := lookFor(ctx, c.resolver, in.spec)
	seen = found.sighted()
	in.held = in.heldTokens()
	if c.opts.RevokeMissing {
		in.withhold(found.gone(in.spec))
	}
	lacking := found.lacking(in.spec, in.held)
	if !in.taking() { // what the sidecar still has, it keeps
		maps.DeleteFunc(lacking, func(path string, _ Withheld) bool { return !in.without(path) })
	}
	in.withhold(lacking)
	values, err := found.values(in.spec, in.held)
	in.tokens, in.unfound = values, err != nil
	return cmp.Or(found.first, err)
}

// withhold adds to what is withheld.
func (in *inputs) withhold(more map[string]Withheld) {
	if len(more) > 0 {
		in.withheld = merged(in.withheld, more)
		in.spec = inForce(in.spec, in.withheld)
	}
}

// heldTokens are the tokens that the name's sidecars have, as far as that is known.
func (in *inputs) heldTokens() map[spec.TokenRef]Token {
	held := map[spec.TokenRef]Token{}
	for _, s := range in.view.sidecars[in.name] {
		if spec.HashMatches(s.SpecHash, &in.spec.Spec) {
			for _, slot := range in.spec.Spec.Slots() {
				if token, ok := s.Env[slot.Name]; ok {
					held[slot.Ref] = token
				}
			}
		}
		pushed := in.delivered[s.ID]
		for _, slot := range pushed.refs {
			if token, ok := pushed.tokens[slot.Name]; ok {
				held[slot.Ref] = token
			}
		}
	}
	return held
}

// taking reports whether a sidecar has tokens that have to be taken away.
func (in *inputs) taking() bool {
	p := &planner{inputs: *in}
	return slices.ContainsFunc(in.view.sidecars[in.name], p.takes)
}

// without reports whether a route was without its token in what this process delivered last.
func (in *inputs) without(path string) bool {
	for _, pushed := range in.delivered {
		if _, ok := pushed.withheld[path]; ok {
			return true
		}
	}
	return false
}

// unheard reports whether a sidecar runs that has not said yet what it has, and to which this process delivered nothing.
func (in *inputs) unheard() bool {
	return slices.ContainsFunc(in.view.sidecars[in.name], func(s Sidecar) bool {
		_, known := in.delivered[s.ID]
		return s.State == StateRunning && s.Report == nil && !known
	})
}
