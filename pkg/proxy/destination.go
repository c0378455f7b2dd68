package proxy

import (
	"net/netip"
	"slices"
	"strings"
)

// kind is what an address is for.
type kind int

const (
	// public may be asked by every route.
	public kind = iota
	// private is a network of somebody's own: only for routes that say allowPrivate.
	private
	// never is for no route: what answers there is the machine, its engine or its cloud, and not an upstream.
	never
)

// block is a range of addresses of one kind.
type block struct {
	prefix netip.Prefix
	kind   kind
	// what completes "its address is …".
	what string
}

// atlas says what addresses are for, wherever the sidecar is. The first block that has an address decides.
type atlas []block

// newAtlas has IANA's registries of special-purpose addresses (RFC 6890), and where clouds keep their metadata. What is in no
// block of IPv6's is not, or not yet, of the global Internet.
func newAtlas() atlas {
	const metadata, loopback, linkLocal = "of a cloud's metadata service", "a loopback address", "link-local, as metadata services are"
	const unusable, examples, one = "not one of a machine", "in a range for examples", "in a private range"
	var a atlas
	add := func(kind kind, what string, prefixes ...string) {
		for _, p := range prefixes {
			a = append(a, block{netip.MustParsePrefix(p), kind, what})
		}
	}
	// Alibaba Cloud, Azure, Oracle Cloud; Amazon and Google by IPv6. The others' are link-local.
	add(never, metadata, "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32", "fd20:ce::254/128")
	add(never, loopback, "127.0.0.0/8", "::1/128")
	add(never, linkLocal, "169.254.0.0/16", "fe80::/10")
	add(never, "a multicast address", "224.0.0.0/4", "ff00::/8")
	add(never, unusable, "0.0.0.0/8", "255.255.255.255/32", "192.88.99.0/24")
	add(private, one, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10") // RFC 1918, RFC 4193, RFC 3879
	add(private, "in the range for carriers' own networks", "100.64.0.0/10")                    // RFC 6598
	add(private, "in a range for benchmarks", "198.18.0.0/15", "2001:2::/48")                   // RFC 2544, RFC 5180
	add(private, examples, "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
	add(private, "in a range for protocols", "192.0.0.0/24", "2001::/23")
	add(private, "in a reserved range", "240.0.0.0/4")
	add(public, "", "0.0.0.0/0", "2000::/3", wellKnownNAT64)
	add(never, "not one of the global Internet", "::/0")
	return a
}

// find returns the block of an address.
func (a atlas) find(addr netip.Addr) block {
	i := slices.IndexFunc(a, func(b block) bool { return b.prefix.Contains(addr) })
	if i < 0 {
		return block{kind: never, what: "not an address"}
	}
	return a[i]
}

// surroundings are the addresses next to the sidecar.
type surroundings struct {
	// internal is the network of the agents: one beside them that bears an upstream's name would get that upstream's token.
	internal perimeter
	// hosts are the gateways: the machine that the engine runs on.
	hosts []netip.Addr
	// own are the sidecar's.
	own []netip.Addr
}

// find returns what a place next to the sidecar is; false for one further away.
func (s surroundings) find(addr netip.Addr) (block, bool) {
	switch {
	case slices.Contains(s.own, addr):
		return block{kind: never, what: "the sidecar's own"}, true
	case slices.Contains(s.hosts, addr):
		return block{kind: never, what: "that of the engine's host"}, true
	case s.internal.inside(addr):
		return block{kind: never, what: "one of the internal network, and no request leaves by that; the upstream has to be on the egress network, or beyond"}, true
	}
	return block{}, false
}

// judge returns why an address is not dialled; nil for one that may be. It looks through every form in which IPv6 carries
// an address of IPv4, which has to be permitted too.
func (a atlas) judge(addr netip.Addr, around surroundings, allowPrivate bool) error {
	var worst block
	for _, one := range carried(addr) {
		found := a.find(one)
		if near, ok := around.find(one); ok && found.kind != never {
			found = near
		}
		if found.kind > worst.kind {
			worst = found
		}
	}
	if worst.kind == public || worst.kind == private && allowPrivate {
		return nil
	}
	return &destinationError{block: worst}
}

// wellKnownNAT64 is the prefix behind which a translator reaches any address of IPv4 (RFC 6052 section 2.1).
const wellKnownNAT64 = "64:ff9b::/96"

// carried are an address and those of IPv4 that are written in it: behind the NAT64 prefix, in 6to4 (RFC 3056), and in Teredo
// that of the server and, inverted, that of the client (RFC 4380 section 4). One that is mapped (RFC 4291 section
// 2.5.5.2) is of IPv4 itself. Other forms are not of the global Internet.
func carried(addr netip.Addr) []netip.Addr {
	addr = plain(addr)
	all := []netip.Addr{addr}
	if !addr.Is6() {
		return all
	}
	b := addr.As16()
	carries := func(prefix string) bool { return netip.MustParsePrefix(prefix).Contains(addr) }
	switch {
	case carries(wellKnownNAT64):
		all = append(all, netip.AddrFrom4([4]byte(b[12:])))
	case carries("2002::/16"):
		all = append(all, netip.AddrFrom4([4]byte(b[2:6])))
	case carries("2001::/32"):
		all = append(all, netip.AddrFrom4([4]byte(b[4:8])), netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}))
	}
	return all
}

// namesHost tells the names by which engines give their host to containers, whatever its address.
func namesHost(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return strings.HasSuffix(name, ".docker.internal") || strings.HasSuffix(name, ".containers.internal")
}

// destinationError is why a place is not dialled. It does not say its address: what a name stands for inside is not for
// agents.
type destinationError struct {
	block
	// ofProxy is true when it is that of the egress proxy.
	ofProxy bool
}

func (e *destinationError) Error() string {
	if e.ofProxy {
		return "the address of its egress proxy is " + e.what
	}
	return "its address is " + e.what
}
