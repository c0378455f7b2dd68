package doctor

import (
	"encoding/binary"
	"net/netip"

	"credproxy.dev/controller/pkg/reconcile"
)

// poolsOf are the pools that an engine was given, or those of its product.
func poolsOf(e reconcile.EngineFacts) []reconcile.AddressPool {
	switch {
	case len(e.Info.AddressPools) > 0:
		return e.Info.AddressPools
	case e.Product == reconcile.Podman:
		return []reconcile.AddressPool{
			{Base: "10.89.0.0/16", Size: 24}, {Base: "10.90.0.0/15", Size: 24}, {Base: "10.92.0.0/14", Size: 24},
			{Base: "10.96.0.0/11", Size: 24}, {Base: "10.128.0.0/9", Size: 24},
		}
	}
	return []reconcile.AddressPool{ // 172.17 to 172.31, one network each, and 192.168 in sixteen
		{Base: "172.17.0.0/16", Size: 16}, {Base: "172.18.0.0/15", Size: 16}, {Base: "172.20.0.0/14", Size: 16},
		{Base: "172.24.0.0/13", Size: 16}, {Base: "192.168.0.0/16", Size: 20},
	}
}

// room counts the IPv4 networks that pools have in all, and those of them that overlap no subnet in use. Addresses that
// the engine's host uses besides are not known, so that there may be fewer.
func room(pools []reconcile.AddressPool, subnets []string) (free, all int) {
	var used []netip.Prefix
	for _, s := range subnets {
		if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is4() {
			used = append(used, p.Masked())
		}
	}
	for _, pool := range pools {
		base, err := netip.ParsePrefix(pool.Base)
		if err != nil || !base.Addr().Is4() || pool.Size < base.Bits() || pool.Size > 30 {
			continue
		}
		n := 1 << (pool.Size - base.Bits())
		all += n
		free += n - occupied(base.Masked(), pool.Size, used)
	}
	return free, all
}

// occupied counts the networks of a pool that overlap what is used.
func occupied(base netip.Prefix, size int, used []netip.Prefix) int {
	taken := map[uint32]bool{}
	for _, u := range used {
		if !base.Overlaps(u) {
			continue
		}
		first, last := bounds(u)
		low, high := bounds(base)
		for slot := max(first, low) >> (32 - size); slot <= min(last, high)>>(32-size); slot++ {
			taken[slot] = true
		}
	}
	return len(taken)
}

// bounds are the first and the last address of an IPv4 prefix.
func bounds(p netip.Prefix) (first, last uint32) {
	address := p.Addr().As4()
	first = binary.BigEndian.Uint32(address[:])
	return first, first | uint32(1<<(32-p.Bits())-1)
}
