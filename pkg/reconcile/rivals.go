package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// rival is a container other than a spec's own that answers to a name of its sidecar on the internal network.
type rival struct {
	container string
	// specName is the spec whose sidecar it is; empty for a container that is not ours.
	specName string
	// instance is the other instance of the controller whose sidecar it is; empty for anything else.
	instance string
	// answers is the name; own tells that it is that of the sidecar's container, and not the hostname.
	answers string
	own     bool
	network string
}

// String says who it is, and what can be done.
func (r rival) String() string {
	place, other := fmt.Sprintf("answers to %q on network %q too", r.answers, r.network), "choose another hostname"
	if r.own {
		place, other = fmt.Sprintf("answers to the sidecar's own name %q on network %q", r.answers, r.network), "set --name-prefix"
	}
	if r.instance != "" {
		return fmt.Sprintf("container %q is a sidecar of instance %q of the controller, and %s; start this one with that --instance if it is meant, or %s",
			r.container, r.instance, place, other)
	}
	return fmt.Sprintf("container %q %s; disconnect or rename it, or %s", r.container, place, other)
}

// rivalry returns the container that answers to a spec's hostname, or else to the name of its sidecar; nil when none does.
func (v *view) rivalry(cp *spec.CredProxy, internal Network, container string) *rival {
	found := v.rival(cp.Name, internal.ID, cp.Spec.Hostname)
	if found == nil {
		if found = v.rival(cp.Name, internal.ID, container); found == nil {
			return nil
		}
		found.own = true
	}
	found.network = internal.Name
	return found
}

// rival finds a container other than the spec's own that answers to a name on a network, by an alias or by its own name: the
// engine would hand out both addresses. It does not tell capitals from small letters.
func (v *view) rival(specName, networkID, answers string) *rival {
	same := func(name string) bool { return strings.EqualFold(name, answers) }
	claims := func(name string, endpoints []Endpoint) bool {
		return slices.ContainsFunc(endpoints, func(e Endpoint) bool {
			return e.NetworkID == networkID && (same(name) || slices.ContainsFunc(e.Aliases, same))
		})
	}
	for _, c := range v.others {
		if claims(c.Name, c.Endpoints) {
			return &rival{container: c.Name, instance: c.Instance, answers: answers}
		}
	}
	for _, s := range v.on[networkID] {
		if s.SpecName != specName && claims(s.Name, s.Endpoints) {
			return &rival{container: s.Name, specName: s.SpecName, answers: answers}
		}
	}
	return nil
}

// against says what comes of a rival: one that is about to go is waited for.
func (s *scene) against(r *rival, history history, opts Options) *Blocked {
	switch {
	case r == nil:
		return nil
	case r.specName == "" || s.mentions(r.specName):
		return &Blocked{Reason: ReasonAliasConflict, Message: r.String()}
	}
	clearance := s.clearance(history, opts)
	if held := clearance.brake(r.specName); held != nil && !clearance.settling(r.specName) {
		return &Blocked{Reason: ReasonAliasConflict, Message: fmt.Sprintf(
			"the sidecar of spec %q, which no file declares any more, answers to %q on network %q and is not removed: %s",
			r.specName, r.answers, r.network, held.Message)}
	}
	return &Blocked{Reason: ReasonProgressing, Message: fmt.Sprintf(
		"it waits until the sidecar of spec %q, which no file declares any more and which answers to %q on network %q, is removed",
		r.specName, r.answers, r.network)}
}

// nameTaken refuses when a container that is not ours holds the name that a new sidecar needs.
func (p *planner) nameTaken() *Blocked {
	holder, held := p.view.holders[p.containerName()]
	if !held {
		return nil
	}
	whose, mend := "is not this controller's", "remove or rename it"
	i := slices.IndexFunc(p.view.others, func(c OtherContainer) bool { return c.ID == holder })
	if i >= 0 && p.view.others[i].Instance != "" {
		whose = fmt.Sprintf("is a sidecar of instance %q of the controller", p.view.others[i].Instance)
		mend = "start this one with that --instance if it is meant"
	}
	return &Blocked{Reason: ReasonNameConflict, Message: fmt.Sprintf(
		"container %q %s and holds the name; %s, or set --name-prefix", p.containerName(), whose, mend)}
}
