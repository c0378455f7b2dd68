package dockerdriver

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/network"

	"credproxy.dev/controller/pkg/reconcile"
)

// networkTable is the engine's networks, found by whatever an endpoint calls them.
type networkTable struct {
	all  []reconcile.Network
	byID map[string]int
	// byName holds -1 for a name that several networks bear.
	byName map[string]int
}

func (d *Driver) newNetworkTable(listed []network.Summary) *networkTable {
	t := &networkTable{
		all:    make([]reconcile.Network, 0, len(listed)),
		byID:   make(map[string]int, len(listed)),
		byName: make(map[string]int, len(listed)),
	}
	for _, n := range listed {
		i := len(t.all)
		t.all = append(t.all, d.toNetwork(n))
		t.byID[n.ID] = i
		if _, twice := t.byName[n.Name]; twice {
			i = -1
		}
		t.byName[n.Name] = i
	}
	return t
}

// find returns the network of an endpoint. Its ID is empty until a container first runs, and with Podman it is a
// name; its key in the container's settings is a name, or what the container was created with.
func (t *networkTable) find(id, key string) (reconcile.Network, bool) {
	called := cmp.Or(id, key) // an ID that is gone is not another network that took over its name
	if i, ok := t.byID[called]; ok {
		return t.all[i], true
	}
	if i, ok := t.byName[called]; ok && i >= 0 {
		return t.all[i], true
	}
	return reconcile.Network{}, false
}

func (d *Driver) toNetwork(n network.Summary) reconcile.Network {
	made := reconcile.Network{
		ID: n.ID, Name: n.Name, Driver: n.Driver, Internal: n.Internal, SpecName: d.claimed(n.Labels),
		HostReachable: hostReachable(n), IPv6: n.EnableIPv6,
	}
	for _, c := range n.IPAM.Config {
		if c.Subnet != "" {
			made.Subnets = append(made.Subnets, c.Subnet)
		}
		made.Gateways = append(made.Gateways, gateways(c, made.HostReachable)...)
	}
	return made
}

// Options of a bridge network: by the first three the host has no address on it, and without the last, its containers
// cannot reach each other.
const (
	optionInhibitIPv4  = "com.docker.network.bridge.inhibit_ipv4"
	optionGatewayMode  = "com.docker.network.bridge.gateway_mode_ipv4"
	optionGatewayMode6 = "com.docker.network.bridge.gateway_mode_ipv6"
	optionConnectivity = "com.docker.network.bridge.enable_icc"

	// gatewayIsolated is the gateway mode of internal networks on which the host has no address.
	gatewayIsolated = "isolated"
)

// hostReachable reports whether the host has an IPv4 address on a network that containers can dial. It has one on each
// bridge unless that was made without; on an overlay it has none. Of other drivers nothing is known.
func hostReachable(n network.Summary) bool {
	if n.Driver != bridge {
		return n.Driver != overlay
	}
	inhibited, err := strconv.ParseBool(n.Options[optionInhibitIPv4]) // as the engine reads it
	return (err != nil || !inhibited) && n.Options[optionGatewayMode] != gatewayIsolated
}

// gateways are the addresses that the host may have in a subnet. An engine does not report the gateway of a subnet
// that was given without one; it takes the first address of the range from which it hands out addresses. Where the host has
// none, newer engines hand that address out to a container.
func gateways(c network.IPAMConfig, hostReachable bool) []string {
	if c.Gateway != "" {
		address, _, _ := strings.Cut(c.Gateway, "/") // some engines add the length of the prefix
		return []string{address}
	}
	if !hostReachable {
		return nil
	}
	var found []string
	for _, prefix := range []string{c.Subnet, c.IPRange} {
		p, err := netip.ParsePrefix(prefix)
		if err != nil {
			continue
		}
		first := p.Masked().Addr()
		if prefix == c.IPRange && c.IPRange != c.Subnet {
			found = append(found, first.String())
		}
		if next := first.Next(); next.IsValid() {
			found = append(found, next.String())
		}
	}
	return found
}
