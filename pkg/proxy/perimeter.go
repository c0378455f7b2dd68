package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
)

// perimeter says which network is the internal one, and who on it may connect.
type perimeter struct {
	port     uint16
	subnets  []netip.Prefix
	gateways []netip.Addr
	// hosts are addresses of the host elsewhere.
	hosts []netip.Addr
}

// perimeterOf reads a table that routetable has checked.
func perimeterOf(t routetable.Table) (perimeter, error) {
	port, err := strconv.ParseUint(strings.TrimPrefix(t.Listen, ":"), 10, 16)
	if err != nil {
		return perimeter{}, fmt.Errorf("listen %q: %w", t.Listen, err)
	}
	p := perimeter{port: uint16(port)}
	for _, s := range t.InternalSubnets {
		subnet, err := netip.ParsePrefix(s)
		if err != nil {
			return perimeter{}, fmt.Errorf("internalSubnets: %w", err)
		}
		p.subnets = append(p.subnets, subnet.Masked())
	}
	for _, g := range t.InternalGateways {
		gateway, err := netip.ParseAddr(g)
		if err != nil {
			return perimeter{}, fmt.Errorf("internalGateways: %w", err)
		}
		p.gateways = append(p.gateways, gateway.Unmap())
	}
	for _, a := range t.HostAddresses {
		host, err := netip.ParseAddr(a)
		if err != nil {
			return perimeter{}, fmt.Errorf("hostAddresses: %w", err)
		}
		p.hosts = append(p.hosts, plain(host))
	}
	p.guessGateways()
	return p, nil
}

// guessGateways adds the first address of each subnet of which no gateway is known: the engine gives it to the host
// unless it is told another.
func (p *perimeter) guessGateways() {
	for _, subnet := range p.subnets {
		if !slices.ContainsFunc(p.gateways, subnet.Contains) {
			p.gateways = append(p.gateways, subnet.Addr().Next())
		}
	}
}

// inside reports whether an address is one of the internal network.
func (p perimeter) inside(a netip.Addr) bool {
	a = plain(a)
	return slices.ContainsFunc(p.subnets, func(s netip.Prefix) bool { return s.Contains(a) })
}

// admits reports whether a client of that address may be heard: one of the internal network, and not the host.
func (p perimeter) admits(client netip.Addr) bool {
	return p.inside(client) && !slices.Contains(p.gateways, plain(client))
}
