package dockerdriver

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"credproxy.dev/controller/pkg/reconcile"
)

// record is what is known of one container, and on what that rests.
type record struct {
	// print is what the list said; while it says the same, and no mark came, the record holds.
	print string
	// upTo is the count of marks when the record was made.
	upTo uint64
	// claim is the spec for which the container's labels, or its image's, claim it to be ours; empty for none.
	claim string
	// whose never changes once it is known: the labels of a container do not.
	whose whose
	// failed is set when the last inspection failed. Of a container that is not theirs, nothing is known then.
	failed *setback
	// tty is true when what the container writes comes without the frames that tell its streams apart.
	tty bool
	// volumes are the names of those that a sidecar uses.
	volumes []string
	sidecar reconcile.Sidecar
	other   reconcile.OtherContainer
}

// whose says whose a container is.
type whose int

const (
	unknown whose = iota
	ours
	theirs
)

// isSidecar reports whether the record is that of a sidecar of ours.
func (r *record) isSidecar() bool { return r.whose == ours && r.failed == nil }

// holds reports whether nothing in a list asks for a new record at a time.
func (r *record) holds(c container.Summary, at time.Time) bool {
	return r != nil && r.print == fingerprint(c, stateOf(c.State)) && (r.failed == nil || at.Before(r.failed.until))
}

// fill completes the record of a listed container, inspecting it where the list does not suffice.
func (p *pass) fill(ctx context.Context, r *record, c container.Summary) error {
	if r.whose == theirs {
		return p.befriend(ctx, r, c)
	}
	found, err := p.inspectFor(ctx, p.limit, c.ID)
	if err == nil && r.whose == unknown {
		r.whose, err = p.owner(ctx, found)
	}
	switch {
	case err != nil:
		return err
	case r.whose == ours:
		p.adopt(r, c, found)
		return nil
	}
	return p.befriend(ctx, r, c)
}

// adopt fills the record of a container that is ours.
func (p *pass) adopt(r *record, c container.Summary, found container.InspectResponse) {
	r.sidecar = p.toSidecar(found)
	r.sidecar.Endpoints = endpointsOf(listedNetworks(c), aliasesOf(found), p.networks)
	r.tty = found.Config.Tty
	for _, m := range found.Mounts {
		r.volumes = append(r.volumes, m.Name)
	}
	r.sidecar.Mounts = mountsOf(found)
	// The state is that of the inspection, which is the newer; when the list disagrees next time, it is looked at again.
	r.print = fingerprint(c, r.sidecar.State)
}

// befriend fills the record of a container that is not ours. Those on networks that somebody made are inspected, as the
// names they have there can be in a sidecar's way, and those that run, for what they may do. When that fails, the rest of
// the record is good, and what the container may do is what it was made with.
func (p *pass) befriend(ctx context.Context, r *record, c container.Summary) error {
	r.other = reconcile.OtherContainer{ID: c.ID, Name: nameIn(c), State: stateOf(c.State), Instance: p.otherInstance(c.Labels), Trial: p.isTrial(c)}
	if old := p.Driver.records[c.ID]; old != nil {
		r.other.Reach = old.other.Reach
	}
	var names map[string][]string
	var err error
	if p.mayHaveAliases(c) || r.other.Runs() {
		var found container.InspectResponse
		if found, err = p.inspectFor(ctx, p.limit, c.ID); err == nil {
			names, r.other.Reach = resolvable(found), reachOf(found)
		}
	}
	r.other.Endpoints = endpointsOf(listedNetworks(c), names, p.networks)
	return err
}

// mayHaveAliases reports whether a container is on a network on which names resolve.
func (p *pass) mayHaveAliases(c container.Summary) bool {
	for key, settings := range listedNetworks(c) {
		id := ""
		if settings != nil {
			id = settings.NetworkID
		}
		if n, ok := p.networks.find(id, key); ok {
			key = n.Name
		}
		if !predefined(key) {
			return true
		}
	}
	return false
}

// predefined reports whether a network of that name comes with Docker, which gives no aliases there, or with Podman.
func predefined(name string) bool {
	switch name {
	case bridge, "host", "none", "default", "podman":
		return true
	}
	return false
}

// nameIn is a listed container's own name: links of other containers to it are listed as names with a slash inside.
func nameIn(c container.Summary) string {
	for _, name := range c.Names {
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			return name
		}
	}
	return shortID(c.ID)
}

// fingerprint is all that a list says of a container and that may change, with a state.
func fingerprint(c container.Summary, state reconcile.ContainerState) string {
	var b strings.Builder
	put := func(parts ...string) {
		for _, part := range parts {
			b.WriteString(part)
			b.WriteByte(0)
		}
	}
	put(string(state), nameIn(c))
	networks := listedNetworks(c)
	for _, key := range slices.Sorted(maps.Keys(networks)) {
		put(key)
		if e := networks[key]; e != nil {
			put(e.NetworkID, e.EndpointID, e.IPAddress, e.GlobalIPv6Address)
		}
	}
	return b.String()
}
