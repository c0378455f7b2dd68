package dockerdriver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/versions"

	"credproxy.dev/controller/pkg/reconcile"
)

// bridge is the driver of the networks that the controller makes; overlay is the other one that is known.
const (
	bridge  = "bridge"
	overlay = "overlay"
)

// EnsureNetwork makes a labelled bridge network unless one of that exact name exists, and returns its ID. The host has no
// address on an internal one, and containers on another cannot reach each other.
func (d *Driver) EnsureNetwork(ctx context.Context, req reconcile.NetworkRequest) (string, error) {
	if id, err := d.networkNamed(ctx, req.Name); err != nil || id != "" {
		return id, err
	}
	id, err := d.makeNetwork(ctx, req)
	if cerrdefs.IsConflict(err) {
		// Somebody else made it since the list.
		if id, _ := d.networkNamed(ctx, req.Name); id != "" {
			return id, nil
		}
	}
	return id, err
}

// makeNetwork makes a network, with the operator's addresses where there are some. When the engine knows of a use of them that
// neither it nor the host has told, the next are tried.
func (d *Driver) makeNetwork(ctx context.Context, req reconcile.NetworkRequest) (string, error) {
	if len(d.addresses.pools) == 0 {
		id, err := d.createNetwork(ctx, req, nil)
		if err != nil && poolsExhausted(err) {
			err = fmt.Errorf("%w; give the controller addresses of its own, such as --network-pool 10.200.0.0/16", err)
		}
		return id, err
	}
	var held lot
	defer func() { d.addresses.giveBack(held) }()
	for {
		drawn, err := d.addresses.draw(req, func() ([]network.Summary, error) { return d.listNetworks(ctx) })
		if err != nil {
			return "", err
		}
		held = append(held, drawn...)
		id, err := d.createNetwork(ctx, req, drawn)
		if err == nil || !overlaps(err) || len(held) >= overlapsTried {
			return id, err
		}
	}
}

func (d *Driver) createNetwork(ctx context.Context, req reconcile.NetworkRequest, drawn lot) (string, error) {
	var made network.CreateResponse
	err := d.call(ctx, opNetworkCreate, "create network "+req.Name, func(ctx context.Context) (err error) {
		made, err = d.docker.NetworkCreate(ctx, req.Name, network.CreateOptions{
			Driver: bridge, Internal: req.Internal, Labels: d.identity(req.SpecName), Options: d.networkOptions(req.Internal),
			IPAM: drawn.ipam(), EnableIPv6: drawn.ipv6(),
		})
		return err
	})
	return made.ID, err
}

func (d *Driver) listNetworks(ctx context.Context) (listed []network.Summary, err error) {
	err = d.call(ctx, opNetworkList, "list networks", func(ctx context.Context) (err error) {
		listed, err = d.docker.NetworkList(ctx, network.ListOptions{})
		return err
	})
	return listed, err
}

// networkOptions are the bridge driver's options that shut a network in. Docker knows them by the version of its API; Podman
// has none of them, and ignores what it does not know. Whether they took is told by what the engine lists of the network.
func (d *Driver) networkOptions(internal bool) map[string]string {
	switch {
	case !internal:
		return map[string]string{optionConnectivity: "false"}
	case d.knowsGatewayModes():
		return map[string]string{optionGatewayMode: gatewayIsolated, optionGatewayMode6: gatewayIsolated}
	}
	return map[string]string{optionInhibitIPv4: "true"}
}

// knowsGatewayModes reports whether the engine is Docker 28 or newer: it can leave the host without an address of either
// family, and can be told which network a container's way out is. The version is negotiated before any call is made.
func (d *Driver) knowsGatewayModes() bool {
	return versions.GreaterThanOrEqualTo(d.docker.ClientVersion(), "1.48")
}

// networkNamed returns the ID of a network by its exact name; empty when there is none.
func (d *Driver) networkNamed(ctx context.Context, name string) (id string, err error) {
	err = d.call(ctx, opNetworkList, "look for network "+name, func(ctx context.Context) error {
		// The engine's filter also finds names that only contain this one.
		found, err := d.docker.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("name", name))})
		if i := slices.IndexFunc(found, func(n network.Summary) bool { return n.Name == name }); i >= 0 {
			id = found[i].ID
		}
		return err
	})
	return id, err
}

// RemoveNetwork removes a network by ID, unless a container uses it. One that is gone already is success.
func (d *Driver) RemoveNetwork(ctx context.Context, id string) error {
	// Docker refuses to remove a network that is in use; Podman 4 does not when it is called by its ID.
	users, err := d.usersOf(ctx, id)
	if err != nil {
		return ignoreGone(err)
	}
	if len(users) > 0 {
		return fmt.Errorf("network %s cannot be removed while containers use it (%s); remove them, or disconnect them with `docker network disconnect`",
			shortID(id), strings.Join(users, ", "))
	}
	return d.call(ctx, opNetworkRemove, "remove network "+shortID(id), func(ctx context.Context) error {
		return ignoreGone(d.docker.NetworkRemove(ctx, id))
	})
}

// usersOf names the containers on a network.
func (d *Driver) usersOf(ctx context.Context, id string) (names []string, err error) {
	found, err := d.inspectNetwork(ctx, id)
	for containerID, endpoint := range found.Containers {
		names = append(names, cmp.Or(endpoint.Name, shortID(containerID)))
	}
	slices.Sort(names)
	return names, err
}

func (d *Driver) inspectNetwork(ctx context.Context, id string) (found network.Inspect, err error) {
	err = d.call(ctx, opNetworkInspect, "inspect network "+shortID(id), func(ctx context.Context) (err error) {
		found, err = d.docker.NetworkInspect(ctx, id, network.InspectOptions{})
		return err
	})
	return found, err
}

// Connect attaches a container to a network, with the given aliases. Being connected already is success.
func (d *Driver) Connect(ctx context.Context, containerID, networkID string, aliases ...string) error {
	what := fmt.Sprintf("connect container %s to network %s", d.nameOf(containerID), shortID(networkID))
	err := d.change(ctx, opNetworkConnect, containerID, what, func(ctx context.Context) error {
		return d.docker.NetworkConnect(ctx, networkID, containerID, d.endpoint(aliases))
	})
	if err == nil {
		return nil
	}
	// Engines refuse a second connection with various statuses; whether there is one tells for certain.
	on, inspection := d.connected(ctx, containerID, networkID)
	switch {
	case inspection != nil:
		return err
	case on:
		return nil
	case cerrdefs.IsNotFound(err):
		return kindError{reconcile.ErrNetworkNotFound, err}
	}
	return err
}

// endpoint is a sidecar's place on a network. The one on which nobody is to find it is its way out, whatever its other
// networks are and are called. Older engines do not ask; there an internal network has no way out that could be taken.
func (d *Driver) endpoint(aliases []string) *network.EndpointSettings {
	place := &network.EndpointSettings{Aliases: aliases}
	if len(aliases) == 0 && d.knowsGatewayModes() {
		place.GwPriority = 1
	}
	return place
}

// Disconnect detaches a container from a network. Not being connected, or being gone, is success.
func (d *Driver) Disconnect(ctx context.Context, containerID, networkID string) error {
	what := fmt.Sprintf("disconnect container %s from network %s", d.nameOf(containerID), shortID(networkID))
	err := d.change(ctx, opNetworkDisconnect, containerID, what, func(ctx context.Context) error {
		return ignoreGone(d.docker.NetworkDisconnect(ctx, networkID, containerID, false))
	})
	if err == nil {
		return nil
	}
	if on, inspection := d.connected(ctx, containerID, networkID); inspection == nil && !on {
		return nil
	}
	return err
}

// connected reports whether a container is on a network.
func (d *Driver) connected(ctx context.Context, containerID, networkID string) (bool, error) {
	found, err := d.inspect(ctx, containerID)
	if err != nil {
		return false, err
	}
	named := false
	for name, settings := range found.NetworkSettings.Networks {
		if settings.NetworkID == networkID {
			return true, nil
		}
		named = named || settings.NetworkID == name
	}
	if !named {
		return false, nil
	}
	// Podman calls networks by their names there.
	n, err := d.inspectNetwork(ctx, networkID)
	if err != nil {
		return false, ignoreGone(err)
	}
	_, on := found.NetworkSettings.Networks[n.Name]
	return on, nil
}

// ignoreGone makes success of the engine's word that what was to go is not there.
func ignoreGone(err error) error {
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	return err
}
