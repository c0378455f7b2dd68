package subnet

import (
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// Host looks at the ranges that this host is on, and at those to which it has routes. What cannot be read is left out: the
// engine may be on another host anyway, and refuses by itself what overlaps its own networks.
func Host() (taken []Taken) {
	interfaces, _ := net.Interfaces() // best effort
	for _, i := range interfaces {
		addresses, _ := i.Addrs()
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				taken = append(taken, Taken{Prefix: p.Masked(), By: "interface " + i.Name})
			}
		}
	}
	for file, parse := range map[string]func([]string) (Taken, bool){"/proc/net/route": route4, "/proc/net/ipv6_route": route6} {
		table, _ := os.ReadFile(file) //nolint:gosec // one of two
		taken = append(taken, routes(string(table), parse)...)
	}
	return taken
}

// routes reads a table of the kernel (proc_net(5)), a route a line, without the default route.
func routes(table string, parse func([]string) (Taken, bool)) (taken []Taken) {
	for line := range strings.Lines(table) {
		if t, ok := parse(strings.Fields(line)); ok && t.Bits() > 0 {
			taken = append(taken, t)
		}
	}
	return taken
}

// route4 reads a line of /proc/net/route, whose addresses are in the byte order of the machine.
func route4(fields []string) (Taken, bool) {
	if len(fields) < 8 {
		return Taken{}, false
	}
	to, ok1 := address4(fields[1])
	via, ok2 := address4(fields[2])
	mask, ok3 := address4(fields[7])
	if !ok1 || !ok2 || !ok3 {
		return Taken{}, false
	}
	bytes := mask.As4()
	bits, _ := net.IPMask(bytes[:]).Size()
	return Taken{Prefix: netip.PrefixFrom(to, bits).Masked(), By: "a route by " + fields[0], Routed: !via.IsUnspecified()}, true
}

func address4(word string) (netip.Addr, bool) {
	n, err := strconv.ParseUint(word, 16, 32)
	var bytes [4]byte
	binary.NativeEndian.PutUint32(bytes[:], uint32(n))
	return netip.AddrFrom4(bytes), err == nil
}

// route6 reads a line of /proc/net/ipv6_route.
func route6(fields []string) (Taken, bool) {
	if len(fields) < 10 {
		return Taken{}, false
	}
	to, ok1 := address6(fields[0])
	bits, err := strconv.ParseUint(fields[1], 16, 8)
	via, ok2 := address6(fields[4])
	if !ok1 || !ok2 || err != nil || bits > 128 {
		return Taken{}, false
	}
	return Taken{Prefix: netip.PrefixFrom(to, int(bits)).Masked(), By: "a route by " + fields[9], Routed: !via.IsUnspecified()}, true
}

func address6(word string) (netip.Addr, bool) {
	bytes, err := hex.DecodeString(word)
	if err != nil || len(bytes) != 16 {
		return netip.Addr{}, false
	}
	return netip.AddrFrom16([16]byte(bytes)), true
}
