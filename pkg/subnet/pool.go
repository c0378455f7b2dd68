package subnet

import (
	"fmt"
	"net/netip"
	"slices"
)

const (
	// bits4 is the length of the prefix of an IPv4 subnet: 14 addresses, for a sidecar, its replacement and some agents.
	bits4 = 28
	// bits6 is that of an IPv6 subnet, as hosts expect it. Smaller ranges are divided into many, and smaller ones.
	bits6 = 64
	// many is how many bits a smaller IPv6 range is divided by, and narrowest how small its subnets may become.
	many, narrowest = 12, 120
)

// Pool is a range of addresses that is handed out in subnets of one size.
type Pool struct {
	whole netip.Prefix
	bits  int
}

// Parse reads a range in CIDR notation, such as 10.200.0.0/16 or fd12:3456::/48. Subnets of IPv4 are /28, those of IPv6 /64
// or, in ranges with few of these, smaller.
func Parse(cidr string) (Pool, error) {
	whole, err := netip.ParsePrefix(cidr)
	if err != nil {
		return Pool{}, fmt.Errorf("%q is no range of addresses such as 10.200.0.0/16", cidr)
	}
	p := Pool{whole: whole, bits: bits4}
	if whole.Addr().Is6() {
		p.bits = max(bits6, min(whole.Bits()+many, narrowest))
	}
	first := whole.Addr()
	switch {
	case whole != whole.Masked():
		return Pool{}, fmt.Errorf("%s begins in the middle of a range; it may be that %s is meant", cidr, whole.Masked())
	case first.IsUnspecified(), first.IsLoopback(), first.IsMulticast(), first.IsLinkLocalUnicast(), first.Is4In6():
		return Pool{}, fmt.Errorf("%s holds addresses that no network can have; give a private range such as 10.200.0.0/16", cidr)
	case whole.Bits() > p.bits:
		return Pool{}, fmt.Errorf("%s is too small: each network takes a /%d of it", cidr, p.bits)
	}
	return p, nil
}

// ParseAll reads several ranges.
func ParseAll(cidrs []string) (pools []Pool, err error) {
	for _, cidr := range cidrs {
		p, err := Parse(cidr)
		if err != nil {
			return nil, err
		}
		pools = append(pools, p)
	}
	return pools, nil
}

// Is6 reports whether the pool is one of IPv6 addresses.
func (p Pool) Is6() bool { return p.whole.Addr().Is6() }

// String is the range in CIDR notation.
func (p Pool) String() string { return p.whole.String() }

// Bits is the length of the prefix of each of its subnets.
func (p Pool) Bits() int { return p.bits }

// Taken is a range that is in use.
type Taken struct {
	netip.Prefix
	// By says by what, such as "network web".
	By string
	// Routed is true for a range that is not here, and to which a route leads. A pool inside of it was cut out of it.
	Routed bool
}

// Free returns the first subnet of the pool that overlaps nothing that is taken; false when there is none.
func (p Pool) Free(taken []Taken) (netip.Prefix, bool) {
	taken = p.Concerning(taken)
	for at := p.whole.Addr(); at.IsValid() && p.whole.Contains(at); {
		candidate := netip.PrefixFrom(at, p.bits)
		i := slices.IndexFunc(taken, func(t Taken) bool { return t.Overlaps(candidate) })
		if i < 0 {
			return candidate, true
		}
		// Of two ranges that overlap one holds the other: behind the larger one a subnet begins again.
		larger := candidate
		if taken[i].Bits() < candidate.Bits() {
			larger = taken[i].Prefix
		}
		at = last(larger).Next()
	}
	return netip.Prefix{}, false
}

// Use says how the pool is used, for people who find it exhausted.
func (p Pool) Use(taken []Taken) string {
	inside := map[netip.Prefix]bool{} // of a network there is an interface, too, and a route
	for _, t := range p.Concerning(taken) {
		if t.Bits() <= p.whole.Bits() {
			return fmt.Sprintf("all of it is %s, of %s", t.Prefix, t.By)
		}
		inside[t.Masked()] = true
	}
	return fmt.Sprintf("%d ranges in it are in use", len(inside))
}

// Concerning are the ranges that overlap the pool, but for routes to the larger one of which it is a part.
func (p Pool) Concerning(taken []Taken) (found []Taken) {
	for _, t := range taken {
		if t.Overlaps(p.whole) && !(t.Routed && t.Bits() <= p.whole.Bits()) {
			found = append(found, t)
		}
	}
	return found
}

// last is the last address of a range.
func last(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(bytes); bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(bytes)
	return a
}
