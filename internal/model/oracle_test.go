package model

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// An oracle knows what an engine at rest has to look like. It shares no code with the planner.
type oracle struct {
	*world
	declared reconcile.Declared
	snapshot fakeengine.Snapshot
	blocked  map[string]reconcile.Blocked
	// excuses say of declared specs why they need not be in force.
	excuses map[string]string
	wrong   []string
}

// unrest says what is not as it has to be; nil when the engine is at rest as declared.
func (w *world) unrest() []string {
	o := &oracle{world: w, declared: w.files.declared(), snapshot: w.engine.Snapshot(), blocked: map[string]reconcile.Blocked{}}
	for _, b := range w.now.Blocked() {
		o.blocked[b.Name] = b
	}
	o.excuses = o.excused()
	for _, cp := range o.declared.Specs {
		if cp.Spec.RequireIsolation && !cp.Paused() && o.breached(cp) != "" {
			o.keptOff(cp)
		}
		if o.excuses[cp.Name] == "" {
			o.inForce(cp)
		} else {
			o.honest(cp)
		}
	}
	o.places()
	o.gone()
	o.litter()
	return o.wrong
}

func (o *oracle) say(format string, args ...any) {
	o.wrong = append(o.wrong, fmt.Sprintf(format, args...))
}

// excused is the excuse of every declared spec that has one. A spec with one leaves its sidecar as it is, which may be in the way of
// another, and so on.
func (o *oracle) excused() map[string]string {
	excuses := map[string]string{}
	for _, cp := range o.declared.Specs {
		if why := o.excuse(cp); why != "" {
			excuses[cp.Name] = why
		}
	}
	for before := -1; before < len(excuses); {
		before = len(excuses)
		for _, cp := range o.declared.Specs {
			if excuses[cp.Name] == "" && o.hindered(cp, excuses) {
				excuses[cp.Name] = "another container is in its way"
			}
		}
	}
	return excuses
}

// excuse says why a declared spec need not be in force, whatever containers there are; empty when it has to.
func (o *oracle) excuse(cp *spec.CredProxy) string {
	switch {
	case cp.Paused():
		return "paused"
	case cp.Spec.RequireIsolation && o.breached(cp) != "":
		return "it is not isolated"
	case slices.ContainsFunc(cp.Spec.Slots(), func(s spec.Slot) bool { return o.tokens.value(s.Ref.Env) == "" }):
		return "a token is missing"
	case slices.ContainsFunc(o.declared.Specs, func(other *spec.CredProxy) bool { return clash(cp, other) }):
		return "it clashes with another"
	}
	for _, name := range []string{cp.Spec.InternalNetwork, cp.Spec.EgressNetwork} {
		found := len(networkIDs(o.snapshot, name))
		switch owner := o.owner(name); {
		case found > 1 || found == 0 && !cp.Spec.CreateNetworks:
			return "a network is missing or ambiguous"
		case owner != "" && owner != cp.Name:
			return "a network was made for another"
		case found == 0 && slices.ContainsFunc(o.declared.Specs, func(other *spec.CredProxy) bool {
			return other.Name < cp.Name && other.Spec.CreateNetworks && refersTo(other, name)
		}):
			return "another that comes first has a missing network made"
		}
	}
	return ""
}

// hindered reports whether a container that makes no way has a spec's name, or its place.
func (o *oracle) hindered(cp *spec.CredProxy, excuses map[string]string) bool {
	return slices.ContainsFunc(o.snapshot.Containers, func(c fakeengine.Container) bool {
		return o.stays(c, cp, excuses) && (c.Name == prefix+"-"+cp.Name || answers(c, cp.Spec.InternalNetwork, cp.Spec.Hostname))
	})
}

// owner is the spec for which the network of a name was made; empty when nobody here made it.
func (o *oracle) owner(name string) string {
	for _, n := range o.snapshot.Networks {
		if n.Name == name && n.Labels[labelInstance] == instance {
			return n.Labels[spec.Group+"/name"]
		}
	}
	return ""
}

// refersTo reports whether one of a spec's networks has a name.
func refersTo(cp *spec.CredProxy, network string) bool {
	return cp.Spec.InternalNetwork == network || cp.Spec.EgressNetwork == network
}

// clash reports whether two specs cannot be in force together.
func clash(a, b *spec.CredProxy) bool {
	return a.Name != b.Name && (a.Spec.InternalNetwork == b.Spec.EgressNetwork || b.Spec.InternalNetwork == a.Spec.EgressNetwork ||
		a.Spec.InternalNetwork == b.Spec.InternalNetwork && a.Spec.Hostname == b.Spec.Hostname)
}

// stays reports whether a container makes no way for a spec: what is not ours, or a sidecar of another name that is left
// as it is.
func (o *oracle) stays(c fakeengine.Container, cp *spec.CredProxy, excuses map[string]string) bool {
	_, kept := o.blocked[c.SpecName()]
	return c.Instance() != instance || (kept || excuses[c.SpecName()] != "") && c.SpecName() != cp.Name
}

func answers(c fakeengine.Container, network, host string) bool {
	return slices.ContainsFunc(c.Endpoints, func(e reconcile.Endpoint) bool {
		return e.NetworkName == network && (c.Name == host || slices.Contains(e.Aliases, host))
	})
}

// inForce holds that a spec has one sidecar, made and placed as declared, that serves exactly its routes and tokens, to
// exactly its callers.
func (o *oracle) inForce(cp *spec.CredProxy) {
	o.readyIs(cp, "True")
	mine := sidecars(o.snapshot, cp.Name)
	if len(mine) != 1 {
		o.say("%s has %d containers", cp.Name, len(mine))
		return
	}
	c := mine[0]
	if c.State != reconcile.StateRunning {
		o.say("%s is %s", c.Name, c.State)
	}
	// The name may be held by the sidecar of a spec that is not in force.
	if _, held := o.engine.Container(prefix + "-" + cp.Name); c.Name != prefix+"-"+cp.Name && !held {
		o.say("the sidecar of %s is named %s", cp.Name, c.Name)
	}
	if c.Limits != reconcile.LimitsOf(cp.Spec.Resources) {
		o.say("%s has the limits %+v", c.Name, c.Limits)
	}
	if !c.Restarts {
		o.say("the engine would not start %s again", c.Name)
	}
	if !spec.HashMatches(c.Labels[spec.Group+"/spec-hash"], &cp.Spec) {
		o.say("%s was made for another spec", c.Name)
	}
	if len(c.Endpoints) != 2 || !answers(c, cp.Spec.InternalNetwork, cp.Spec.Hostname) || answers(c, cp.Spec.EgressNetwork, cp.Spec.Hostname) ||
		!slices.ContainsFunc(c.Endpoints, func(e reconcile.Endpoint) bool { return e.NetworkName == cp.Spec.EgressNetwork }) {
		o.say("%s is on %v", c.Name, c.Endpoints)
	}
	o.tokensIn(cp, c)
	o.serves(cp, c)
}

// tokensIn holds that a sidecar has the kind of volume that is declared, and took everything out of one in memory.
func (o *oracle) tokensIn(cp *spec.CredProxy, c fakeengine.Container) {
	for _, v := range o.snapshot.Volumes {
		if v.Name != c.Volume {
			continue
		}
		if memory := cp.Spec.TokenDelivery == spec.DeliverMemory; v.Memory != memory || memory && len(v.Files) > 0 {
			o.say("%s has a volume in memory (%v) with %d files, and %s is declared", c.Name, v.Memory, len(v.Files), cp.Spec.TokenDelivery)
		}
	}
}

// serves asks as an agent does.
func (o *oracle) serves(cp *spec.CredProxy, c fakeengine.Container) {
	internal := networkIDs(o.snapshot, cp.Spec.InternalNetwork)
	if len(internal) == 0 {
		o.say("network %s is not made", cp.Spec.InternalNetwork)
		return
	}
	for _, path := range paths() {
		want := []string{c.ID + o.answer(cp, path) + o.key(cp)}
		var got []string
		for _, a := range o.engine.Ask(internal[0], cp.Spec.Hostname, int(cp.Spec.Port), path) {
			got = append(got, fmt.Sprintf("%s %s %s %s %s", a.ContainerID, a.Route, a.Upstream, a.Tokens[routetable.OnlyToken].Reveal(), a.CallerKey.Reveal()))
		}
		if !slices.Equal(got, want) {
			o.say("%s%s is answered with %q, want %q", cp.Name, path, got, want)
		}
	}
}

// answer is what a declaration says about a path: route, upstream and token.
func (o *oracle) answer(cp *spec.CredProxy, path string) string {
	best := spec.Route{}
	for _, r := range cp.Spec.Routes {
		if len(r.Path) > len(best.Path) && strings.HasPrefix(path+"/", r.Path+"/") {
			best = r
		}
	}
	token := ""
	for _, ref := range best.Auth.Refs() {
		token = o.tokens.value(ref.Env)
	}
	return fmt.Sprintf(" %s %s %s", best.Path, best.Upstream, token)
}

// key is what a declaration has callers show, behind a space.
func (o *oracle) key(cp *spec.CredProxy) string {
	if cp.Spec.CallerAuth == nil {
		return " "
	}
	return " " + o.tokens.value(cp.Spec.CallerAuth.KeyRef.Env)
}

func (o *oracle) readyIs(cp *spec.CredProxy, want string) {
	if status, words := o.ready(cp.Name); status != want {
		o.say("%s is Ready=%s %s", cp.Name, status, words)
	}
}

func (o *oracle) ready(name string) (status, words string) {
	cp, ok := o.now.Get(name)
	if !ok {
		return "", "(no status)"
	}
	c := meta.FindStatusCondition(cp.Status.Conditions, spec.ConditionReady)
	if c == nil {
		return "", "(no condition)"
	}
	return string(c.Status), c.Reason + ": " + c.Message
}

// honest holds that a spec that need not be in force is not called ready unless its sidecar runs.
func (o *oracle) honest(cp *spec.CredProxy) {
	running := slices.ContainsFunc(sidecars(o.snapshot, cp.Name), func(c fakeengine.Container) bool { return c.State == reconcile.StateRunning })
	if status, words := o.ready(cp.Name); status == "True" && !running {
		o.say("%s is Ready=True %s, and nothing runs", cp.Name, words)
	} else if status == "" {
		o.say("%s has no status", cp.Name)
	}
}

// places holds that no two sidecars answer to one name on one network.
func (o *oracle) places() {
	holders := map[string]string{}
	for _, c := range o.snapshot.Containers {
		if c.Instance() != instance || c.State != reconcile.StateRunning {
			continue
		}
		for _, e := range c.Endpoints {
			for _, alias := range e.Aliases {
				place := alias + " on " + e.NetworkName
				if first, taken := holders[place]; taken && first != c.SpecName() {
					o.say("%s and %s both answer to %s", first, c.SpecName(), place)
				}
				holders[place] = c.SpecName()
			}
		}
	}
}

// gone holds that nothing is left of a name that no file mentions, unless the brake says why.
func (o *oracle) gone() {
	orphans, all := orphans(o.snapshot, o.declared)
	for _, name := range orphans {
		b, blocked := o.blocked[name]
		switch {
		case !blocked:
			o.say("%s is left, and nothing says why", name)
		case b.Reason != reconcile.ReasonPruneBlocked:
			o.say("%s is blocked: %s", name, b.Reason)
		case o.declared.Complete && !o.declared.KeepAll && !o.declared.KeepNames.Has(name) && !o.brakeFits(b):
			o.say("the brake holds %s without need (%d of %d): %s", name, len(orphans), all, b.Message)
		}
	}
}

// brakeFits reports whether a refusal tells the truth, as far as it can be known from outside.
func (o *oracle) brakeFits(b reconcile.Blocked) bool {
	switch {
	case strings.Contains(b.Message, "no usable spec at all"):
		return len(o.declared.Specs) == 0
	case strings.Contains(b.Message, "another one than before"):
		return slices.ContainsFunc(o.files.past, func(d reconcile.Declared) bool { return d.Root != o.declared.Root })
	}
	return tooMany(o.snapshot, o.declared)
}

// litter holds that every volume of ours has its container, and that networks of ours that their spec does not name are gone,
// or are said to be in use.
func (o *oracle) litter() {
	for _, v := range o.snapshot.Volumes {
		name := v.Labels[spec.Group+"/name"]
		used := slices.ContainsFunc(o.snapshot.Containers, func(c fakeengine.Container) bool { return c.Volume == v.Name })
		if v.Labels[labelInstance] == instance && !used && !o.left(name) {
			o.say("a volume of %s has no container", name)
		}
	}
	for _, n := range o.snapshot.Networks {
		name := n.Labels[spec.Group+"/name"]
		owner := declares(o.declared, name)
		if n.Labels[labelInstance] != instance || owner != nil && refersTo(owner, n.Name) || o.left(name) {
			continue
		}
		switch user := o.user(n.ID); {
		case user == "":
			o.say("network %s, made for %s, is left", n.Name, name)
		case owner == nil && !mentions(o.declared, name):
			if status, words := o.ready(name); status != "False" || !strings.HasPrefix(words, reconcile.ReasonNetworkInUse) || !strings.Contains(words, user) {
				o.say("network %s, made for %s, is kept by %s, and %s is Ready=%s %s", n.Name, name, user, name, status, words)
			}
		}
	}
}

// user is the name of a container on a network; empty when there is none.
func (o *oracle) user(networkID string) string {
	for _, c := range o.snapshot.Containers {
		if slices.ContainsFunc(c.Endpoints, func(e reconcile.Endpoint) bool { return e.NetworkID == networkID }) {
			return c.Name
		}
	}
	return ""
}

// left reports whether a name is left as it is.
func (o *oracle) left(name string) bool {
	b, blocked := o.blocked[name]
	blocked = blocked && b.Reason != reconcile.ReasonNetworkInUse // the rest goes all the same
	for _, cp := range o.declared.Specs {
		if cp.Name == name && o.excuses[name] != "" {
			return true
		}
	}
	return blocked
}
