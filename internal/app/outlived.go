package app

import (
	"maps"

	"credproxy.dev/controller/internal/policyfile"
	"credproxy.dev/controller/pkg/policy"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// outlived remembers specs that were in force, as long as anything may be left of them. The sidecar of a name that is declared
// twice, or in a file that cannot be read, goes on as it is: so must the policy, or its author could keep a token by a second
// file of the same name.
type outlived map[string]verdict

// verdict is a spec, and what the policy denied of it when it was last in force.
type verdict struct {
	object   source.Object
	decision policy.Decision
}

// permit adds to a declaration what the policy denies now of specs that are not declared any more in a way that can be used.
// decisions are those on the others, and left reports whether anything is left of a name.
func (o outlived) permit(
	d *reconcile.Declared, s source.Snapshot, decisions map[string]policy.Decision, state policyfile.State, left func(name string) bool,
) {
	current := map[string]bool{}
	for _, object := range s.Specs {
		name := object.CredProxy.Name
		current[name] = true
		o[name] = verdict{object, decisions[name]}
	}
	maps.DeleteFunc(o, func(name string, _ verdict) bool { return !current[name] && !left(name) })
	if state.Given && state.Policy == nil {
		return // There is nothing to judge by.
	}
	for name, last := range o {
		if current[name] {
			continue
		}
		if now := state.Policy.Evaluate(last.object.Folder, last.object.CredProxy); last.deniedAnew(now) {
			all := denied(denials(now))
			d.Withheld[name] = reconcile.Withholding{All: &all}
		}
	}
}

// specs are those that are remembered, of each name the last that was in force.
func (o outlived) specs() []*spec.CredProxy {
	var all []*spec.CredProxy
	for _, last := range o {
		all = append(all, last.object.CredProxy)
	}
	return all
}

// deniedAnew reports whether a decision denies what the sidecar still has.
func (v verdict) deniedAnew(now policy.Decision) bool {
	if len(v.decision.Spec) > 0 {
		return false
	}
	for path := range now.Routes {
		if _, before := v.decision.Routes[path]; !before {
			return true
		}
	}
	return len(now.Spec) > 0
}
