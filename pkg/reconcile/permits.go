package reconcile

import (
	"cmp"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/spec"
)

// Policy is what the operator's policy says of the declared specs. The zero Policy is none: everything is permitted. What of a
// spec is to be withheld for it is in Declared.Withheld.
type Policy struct {
	// InForce is true when there is a policy.
	InForce bool
	// Invalid says why there is nothing to judge by, although there should be: then no step is taken for any spec, and what
	// runs serves on. Empty otherwise.
	Invalid string
	// Denied says, by name, what of a spec the policy does not permit.
	Denied map[string]string
	// Folders are where the files of specs really are, by name: relative to the directory of specs, with slashes.
	Folders map[string]string
	Quotas  []Quota
}

// changedFrom are the names of which it says something else than the one before; all when it is another for all.
func (p Policy) changedFrom(before Policy, all []*spec.CredProxy) (names []string) {
	everybody := p.InForce != before.InForce || p.Invalid != before.Invalid || !slices.Equal(p.Quotas, before.Quotas)
	for _, cp := range all {
		if name := cp.Name; everybody || p.Denied[name] != before.Denied[name] || p.Folders[name] != before.Folders[name] {
			names = append(names, name)
		}
	}
	return names
}

// refuse adds the specs that are not in force for the policy's sake to those that are not for another's: all of them without
// a policy to judge by, and otherwise those for which quotas leave nothing.
func (p Policy) refuse(specs []*spec.CredProxy, v *view, found map[string]Blocked) {
	if p.Invalid != "" {
		for _, cp := range specs {
			found[cp.Name] = Blocked{Name: cp.Name, Reason: ReasonPolicyInvalid, Message: p.Invalid}
		}
		return
	}
	var members []member
	for _, cp := range specs {
		m := member{name: cp.Name, folder: p.Folders[cp.Name], wants: LimitsOf(cp.Spec.Resources)}
		m.has, m.serves = v.limitsOf(cp.Name)
		if _, refused := found[cp.Name]; m.serves || !refused && !cp.Paused() {
			members = append(members, m)
		}
	}
	for name, message := range overQuota(p.Quotas, members) {
		if _, refused := found[name]; !refused {
			found[name] = Blocked{Name: name, Reason: ReasonQuotaExceeded, Message: message}
		}
	}
}

// OverQuota finds the specs for which quotas leave nothing, whatever an engine holds. It is for those who look at files alone.
func (d *Declared) OverQuota() []Blocked {
	v, found := newView(&Observation{}), map[string]Blocked{}
	d.Policy.refuse(d.standing(v), v, found)
	return slices.SortedFunc(maps.Values(found), func(a, b Blocked) int { return cmp.Compare(a.Name, b.Name) })
}

// standing are the specs that want a place of their own. One that may not be in force at all wants none, and stands in nobody's
// way, unless it has a sidecar.
func (d *Declared) standing(v *view) []*spec.CredProxy {
	return slices.DeleteFunc(slices.Clone(d.Specs), func(cp *spec.CredProxy) bool {
		return d.Withheld[cp.Name].Refused && len(v.sidecars[cp.Name]) == 0
	})
}

// limitsOf are the highest limits of a spec's sidecars, and whether there is one.
func (v *view) limitsOf(name string) (limits Limits, found bool) {
	for _, s := range v.sidecars[name] {
		limits.Memory = max(limits.Memory, s.Resources.Memory)
		limits.NanoCPUs = max(limits.NanoCPUs, s.Resources.NanoCPUs)
		limits.Pids = max(limits.Pids, s.Resources.Pids)
	}
	return limits, len(v.sidecars[name]) > 0
}

// permitted is the condition of a spec; a nil Policy was not asked yet.
func (p *Policy) permitted(name string) metav1.Condition {
	const kind = spec.ConditionPermitted
	switch {
	case p == nil:
		return condition(kind, metav1.ConditionUnknown, ReasonNotChecked, "no policy was asked yet")
	case p.Invalid != "":
		return condition(kind, metav1.ConditionUnknown, ReasonPolicyInvalid, p.Invalid)
	case p.Denied[name] != "":
		return condition(kind, metav1.ConditionFalse, ReasonPolicyDenied, p.Denied[name])
	case !p.InForce:
		return condition(kind, metav1.ConditionTrue, ReasonNoPolicy, "there is no policy, and so everything is permitted that flags permit")
	}
	return condition(kind, metav1.ConditionTrue, ReasonPermitted, "the policy permits all that the spec declares")
}
