package fakeengine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"credproxy.dev/controller/pkg/reconcile"
)

// EnsureNetwork makes a labelled network unless one of that exact name exists, and returns its ID.
func (d *Driver) EnsureNetwork(ctx context.Context, req reconcile.NetworkRequest) (id string, err error) {
	err = d.act(ctx, &Call{Verb: EnsureNetwork, Target: req.Name}, func() error {
		for _, n := range d.engine.sortedNetworks() {
			if n.Name == req.Name {
				id = n.ID
				return nil
			}
		}
		id = d.engine.makeNetwork(req.Name, req.Internal, d.identity(req.SpecName))
		return nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// makeNetwork makes a network with a subnet of its own. Names are not unique. Of those that a controller makes, the internal
// ones are without the host.
func (e *Engine) makeNetwork(name string, internal bool, labels map[string]string) string {
	id := e.newID()
	prefix := fmt.Sprintf("10.%d.%d.", 1+e.made/256%200, e.made%256)
	n := &Network{
		ID: id, Name: name, Driver: "bridge", Internal: internal, Labels: labels, HostReachable: labels == nil || !internal,
		Subnets: []string{prefix + "0/24"}, Gateways: []string{prefix + "1"},
	}
	e.networks[id] = n
	if e.manners == Podman {
		e.takeOver(n)
	}
	e.tellOfNetwork(n, "create")
	return id
}

// takeOver puts the containers on a new network that were on one of its name, which is gone.
func (e *Engine) takeOver(n *Network) {
	for _, c := range e.containers {
		for i, p := range c.Endpoints {
			if p.NetworkName == n.Name && e.networks[p.NetworkID] == nil {
				c.Endpoints[i].NetworkID = n.ID
				c.listed++
			}
		}
	}
}

// RemoveNetwork removes a network by ID. One that running containers are on stays.
func (d *Driver) RemoveNetwork(ctx context.Context, id string) error {
	return d.act(ctx, &Call{Verb: RemoveNetwork, Target: id}, func() error { return d.engine.removeNetwork(id) })
}

func (e *Engine) removeNetwork(id string) error {
	n := e.networks[id]
	if n == nil {
		return nil
	}
	for _, c := range e.sorted() {
		if c.run != nil && c.endpoint(id) != nil {
			return fmt.Errorf("network %s has active endpoints: container %s", n.Name, c.Name)
		}
	}
	delete(e.networks, id)
	e.tellOfNetwork(n, "destroy")
	return nil
}

// Connect attaches a container to a network. A container that is connected keeps the aliases that it has.
func (d *Driver) Connect(ctx context.Context, containerID, networkID string, aliases ...string) error {
	return d.act(ctx, &Call{Verb: Connect, Target: containerID}, func() error {
		c := d.engine.containers[containerID]
		if c == nil {
			return noContainer(containerID)
		}
		return d.engine.connect(c, networkID, aliases)
	})
}

func (e *Engine) connect(c *container, networkID string, aliases []string) error {
	n := e.networks[networkID]
	switch {
	case n == nil:
		return fmt.Errorf("%w: %s", reconcile.ErrNetworkNotFound, networkID)
	case c.endpoint(networkID) != nil:
		return nil
	}
	c.Endpoints = append(c.Endpoints, reconcile.Endpoint{NetworkID: n.ID, NetworkName: n.Name, Aliases: slices.Clone(aliases)})
	slices.SortFunc(c.Endpoints, func(a, b reconcile.Endpoint) int {
		return cmp.Or(cmp.Compare(a.NetworkName, b.NetworkName), cmp.Compare(a.NetworkID, b.NetworkID))
	})
	c.listed++
	if c.run != nil {
		c.endpoint(networkID).IPv4 = e.freeAddress(n)
		e.tell(c, reconcile.Change{Network: e.told(n.Name), Kind: "connect"})
		e.proceed(c)
	}
	return nil
}

// freeAddress is the lowest address of a network that no running container has.
func (e *Engine) freeAddress(n *Network) string {
	taken := map[string]bool{n.Gateways[0]: true}
	for _, c := range e.containers {
		if p := c.endpoint(n.ID); p != nil {
			taken[p.IPv4] = true
		}
	}
	base := n.Gateways[0][:len(n.Gateways[0])-1]
	for host := 2; ; host++ {
		if address := fmt.Sprint(base, host); !taken[address] {
			return address
		}
	}
}

// Disconnect detaches a container from a network.
func (d *Driver) Disconnect(ctx context.Context, containerID, networkID string) error {
	return d.act(ctx, &Call{Verb: Disconnect, Target: containerID}, func() error {
		if c := d.engine.containers[containerID]; c != nil {
			d.engine.disconnect(c, networkID)
		}
		return nil
	})
}

func (e *Engine) disconnect(c *container, networkID string) {
	p := c.endpoint(networkID)
	if p == nil {
		return
	}
	name := p.NetworkName
	c.Endpoints = slices.DeleteFunc(c.Endpoints, func(p reconcile.Endpoint) bool { return p.NetworkID == networkID })
	c.listed++
	if c.run != nil {
		e.tell(c, reconcile.Change{Network: e.told(name), Kind: "disconnect"})
		e.proceed(c)
	}
}

func (d *Driver) identity(specName string) map[string]string {
	return map[string]string{labelInstance: d.instance, labelName: specName}
}
