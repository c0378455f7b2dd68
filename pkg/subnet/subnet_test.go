package subnet

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func pool(t testing.TB, cidr string) Pool {
	t.Helper()
	p, err := Parse(cidr)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func taken(cidrs ...string) (found []Taken) {
	for _, c := range cidrs {
		found = append(found, Taken{Prefix: netip.MustParsePrefix(c), By: "network " + c})
	}
	return found
}

func TestTheFirstFreeSubnetIsHandedOut(t *testing.T) {
	for name, c := range map[string]struct {
		pool  string
		taken []Taken
		want  string // empty for none
	}{
		"an empty pool":              {"10.200.0.0/16", nil, "10.200.0.0/28"},
		"what is elsewhere":          {"10.200.0.0/16", taken("10.201.0.0/16", "fd00::/8"), "10.200.0.0/28"},
		"behind the ones in use":     {"10.200.0.0/16", taken("10.200.0.0/28", "10.200.0.16/28"), "10.200.0.32/28"},
		"in a gap":                   {"10.200.0.0/16", taken("10.200.0.0/28", "10.200.0.32/28"), "10.200.0.16/28"},
		"behind a larger one":        {"10.200.0.0/16", taken("10.200.0.0/20"), "10.200.16.0/28"},
		"behind a smaller one":       {"10.200.0.0/16", taken("10.200.0.4/30"), "10.200.0.16/28"},
		"in any order":               {"10.200.0.0/16", taken("10.200.1.0/24", "10.200.0.0/24"), "10.200.2.0/28"},
		"the last one":               {"10.200.0.0/27", taken("10.200.0.0/28"), "10.200.0.16/28"},
		"none is left":               {"10.200.0.0/27", taken("10.200.0.0/28", "10.200.0.16/29"), ""},
		"all is in a network":        {"10.200.0.0/16", taken("10.0.0.0/8"), ""},
		"cut out of a routed range":  {"10.200.0.0/16", []Taken{{Prefix: netip.MustParsePrefix("10.0.0.0/8"), Routed: true}}, "10.200.0.0/28"},
		"a routed range in the pool": {"10.200.0.0/16", []Taken{{Prefix: netip.MustParsePrefix("10.200.0.0/24"), Routed: true}}, "10.200.1.0/28"},
		"the end of all addresses":   {"255.255.255.240/28", taken("255.255.255.240/28"), ""},
		"one and no more":            {"10.200.0.0/28", nil, "10.200.0.0/28"},
		"IPv6":                       {"fd12:3456::/48", taken("fd12:3456::/64"), "fd12:3456:0:1::/64"},
		"IPv6, with few of them":     {"fd12::/60", taken("fd12::/72"), "fd12::100:0:0:0/72"},
		"IPv6, small":                {"fd12::/112", taken("fd12::/120"), "fd12::100/120"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := pool(t, c.pool).Free(c.taken)
			if ok != (c.want != "") || ok && got.String() != c.want {
				t.Errorf("got %v, %v", got, ok)
			}
		})
	}
}

func TestWhatCannotBeAPoolIsRefused(t *testing.T) {
	for _, cidr := range []string{
		"", "10.200.0.0", "10.200.0.5/16", "10.200.0.0/29", "0.0.0.0/0", "127.0.0.0/16", "224.0.0.0/8", "169.254.0.0/16",
		"fd00::/121", "fe80::/64", "::ffff:10.0.0.0/104", "a network",
	} {
		if p, err := Parse(cidr); err == nil {
			t.Errorf("%q is taken for %v", cidr, p)
		}
	}
}

func TestAnExhaustedPoolSaysWhy(t *testing.T) {
	p := pool(t, "10.200.0.0/27")
	if got := p.Use(taken("10.200.0.0/28", "10.200.0.0/28", "10.200.0.16/28", "10.3.0.0/16")); got != "2 ranges in it are in use" {
		t.Error(got)
	}
	if got := p.Use(taken("10.0.0.0/8")); got != "all of it is 10.0.0.0/8, of network 10.0.0.0/8" {
		t.Error(got)
	}
}

func TestRoutesAreRead(t *testing.T) {
	const table4 = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
tun0	0000000A	0101A8C0	0003	0	0	0	000000FF	0	0	0
torn	0000
`
	const table6 = `fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0
fd010000000000000000000000000000 10 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0
torn 40
`
	got := append(routes(table4, route4), routes(table6, route6)...)
	want := []Taken{
		{netip.MustParsePrefix("172.17.0.0/16"), "a route by docker0", false},
		{netip.MustParsePrefix("10.0.0.0/8"), "a route by tun0", true},
		{netip.MustParsePrefix("fd00::/64"), "a route by eth0", false},
		{netip.MustParsePrefix("fd01::/16"), "a route by eth0", true},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
}

// This host is on loopback at least.
func TestTheHostIsLookedAt(t *testing.T) {
	for _, t := range Host() {
		if t.Contains(netip.MustParseAddr("127.0.0.1")) || t.Contains(netip.MustParseAddr("::1")) {
			return
		}
	}
	t.Error("it is on no network")
}

// FuzzFree hands out subnets of a pool until none is left, whatever is in use: none overlaps anything, each is in the
// pool, and what is left in the end is too little for another one.
func FuzzFree(f *testing.F) {
	f.Add(uint8(22), []byte{0, 0, 28, 1, 2, 30, 3, 0, 24})
	f.Fuzz(func(t *testing.T, length uint8, data []byte) {
		p := pool(t, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 200, 0, 0}), 20+int(length)%9).String())
		var used []Taken
		for ; len(data) >= 3 && len(used) < 50; data = data[3:] {
			address := netip.AddrFrom4([4]byte{10, 200, data[0], data[1]})
			used = append(used, Taken{Prefix: netip.PrefixFrom(address, int(data[2])%33).Masked(), Routed: data[2] > 200})
		}
		for {
			got, ok := p.Free(used)
			if !ok {
				break
			}
			if !p.whole.Overlaps(got) || got.Bits() != p.bits || got != got.Masked() || p.overlapped(got, used) {
				t.Fatalf("%v of %v, with %v", got, p, used)
			}
			used = append(used, Taken{Prefix: got})
		}
		for at := p.whole.Addr(); p.whole.Contains(at); at = last(netip.PrefixFrom(at, p.bits)).Next() {
			if left := netip.PrefixFrom(at, p.bits); !p.overlapped(left, used) {
				t.Fatalf("%v of %v is free, with %v", left, p, used)
			}
		}
	})
}

func (p Pool) overlapped(subnet netip.Prefix, used []Taken) bool {
	for _, u := range used {
		if u.Overlaps(subnet) && !(u.Routed && u.Bits() <= p.whole.Bits()) {
			return true
		}
	}
	return false
}
