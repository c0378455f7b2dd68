package dockerdriver

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"credproxy.dev/controller/pkg/reconcile"
)

// record is what is known of one container, and on what that rests.
type record struct {
	// print is what the list said; while it says the same, and no mark came, the record holds.
	print string
	// upTo is the count of marks when the record was made.
	upTo uint64
	// ours never changes: the labels of a container do not.
	ours bool
	// tty is true when what the container writes comes without the frames that tell its streams apart.
	tty     bool
	sidecar reconcile.Sidecar
	other   reconcile.OtherContainer
}

// look makes the record of a listed container, inspecting it where the list does not suffice.
func (p *pass) look(ctx context.Context, c container.Summary, old *record) (*record, error) {
	r := &record{print: fingerprint(c, stateOf(c.State)), upTo: p.upTo}
	if p.claimed(c.Labels) != "" && (old == nil || old.ours) {
		found, err := p.inspect(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		r.ours = old != nil
		if !r.ours {
			if r.ours, err = p.owns(ctx, found); err != nil {
				return nil, err
			}
		}
		if r.ours {
			p.adopt(r, c, found)
			return r, nil
		}
	}
	return r, p.befriend(ctx, r, c)
}

// adopt fills the record of a container that is ours.
func (p *pass) adopt(r *record, c container.Summary, found container.InspectResponse) {
	r.sidecar = p.toSidecar(found)
	r.sidecar.Endpoints = endpointsOf(listedNetworks(c), aliasesOf(found), p.networks)
	r.tty = found.Config.Tty
	// The state is that of the inspection, which is the newer; when the list disagrees next time, it is looked at again.
	r.print = fingerprint(c, r.sidecar.State)
}

// befriend fills the record of a container that is not ours. Only those on internal networks are inspected: the
// names they have there can be in a sidecar's way.
func (p *pass) befriend(ctx context.Context, r *record, c container.Summary) error {
	var names map[string][]string
	if p.onInternal(c) {
		found, err := p.inspect(ctx, c.ID)
		if err != nil {
			return err
		}
		names = resolvable(found)
	}
	r.other = reconcile.OtherContainer{
		ID: c.ID, Name: nameIn(c), State: stateOf(c.State),
		Endpoints: endpointsOf(listedNetworks(c), names, p.networks),
	}
	return nil
}

func (p *pass) onInternal(c container.Summary) bool {
	for key, settings := range listedNetworks(c) {
		id := ""
		if settings != nil {
			id = settings.NetworkID
		}
		if n, ok := p.networks.find(id, key); ok && n.Internal {
			return true
		}
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
