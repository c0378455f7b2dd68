package dockerdriver

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/docker/docker/api/types/network"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/subnet"
)

// overlapsTried is how many subnets are tried for one network: an engine may know of a use of addresses that it does not list.
const overlapsTried = 8

// addresses hands out the operator's addresses to networks that are made at the same time.
type addresses struct {
	pools []subnet.Pool
	// host looks at what the host uses.
	host func() []subnet.Taken

	mu sync.Mutex
	// reserved are the subnets of networks that are being made, and that no list shows yet.
	reserved map[netip.Prefix]bool
}

func newAddresses(pools []subnet.Pool) *addresses {
	return &addresses{pools: pools, host: subnet.Host, reserved: map[netip.Prefix]bool{}}
}

// lot is what a network gets: at most one subnet of each family. What it does not get, the engine gives out of its own pools.
type lot []netip.Prefix

// draw reserves a lot until it is given back. The list is made in its turn: what another network was given is in it, or is
// reserved still. An internal network has no IPv6.
func (a *addresses) draw(req reconcile.NetworkRequest, list func() ([]network.Summary, error)) (lot, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	listed, err := list()
	if err != nil {
		return nil, err
	}
	taken := append(takenBy(listed), a.host()...)
	for p := range a.reserved {
		taken = append(taken, subnet.Taken{Prefix: p, By: "a network that is being made"})
	}
	var drawn lot
	for _, v6 := range []bool{false, true} {
		pools := slices.DeleteFunc(slices.Clone(a.pools), func(p subnet.Pool) bool { return p.Is6() != v6 })
		if len(pools) == 0 || v6 && req.Internal {
			continue
		}
		free, err := firstFree(pools, taken)
		if err != nil {
			return nil, fmt.Errorf("create network %s: %w", req.Name, err)
		}
		drawn = append(drawn, free)
	}
	for _, p := range drawn {
		a.reserved[p] = true
	}
	return drawn, nil
}

// giveBack ends a reservation.
func (a *addresses) giveBack(l lot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range l {
		delete(a.reserved, p)
	}
}

func firstFree(pools []subnet.Pool, taken []subnet.Taken) (netip.Prefix, error) {
	var uses []string
	for _, p := range pools {
		if free, ok := p.Free(taken); ok {
			return free, nil
		}
		uses = append(uses, fmt.Sprintf("%s (%s)", p, p.Use(taken)))
	}
	return netip.Prefix{}, fmt.Errorf("no addresses are left in --network-pool %s; remove networks, or add another --network-pool",
		strings.Join(uses, ", "))
}

// takenBy are the subnets of networks.
func takenBy(listed []network.Summary) (taken []subnet.Taken) {
	for _, n := range listed {
		for _, c := range n.IPAM.Config {
			if p, err := netip.ParsePrefix(c.Subnet); err == nil {
				taken = append(taken, subnet.Taken{Prefix: p.Masked(), By: "network " + n.Name})
			}
		}
	}
	return taken
}

// ipam asks for the lot; nil leaves all to the engine.
func (l lot) ipam() *network.IPAM {
	if len(l) == 0 {
		return nil
	}
	asked := &network.IPAM{}
	for _, p := range l {
		asked.Config = append(asked.Config, network.IPAMConfig{Subnet: p.String()})
	}
	return asked
}

// ipv6 asks for IPv6 if the lot has some.
func (l lot) ipv6() *bool {
	has := slices.ContainsFunc(l, func(p netip.Prefix) bool { return p.Addr().Is6() })
	if !has {
		return nil
	}
	return &has
}
