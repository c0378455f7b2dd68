package proxy

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// nearby is a sidecar between an internal and an egress network.
func nearby() surroundings {
	return surroundings{
		internal: perimeter{subnets: []netip.Prefix{netip.MustParsePrefix("172.20.0.0/16"), netip.MustParsePrefix("fd12::/64")}},
		hosts:    []netip.Addr{addrOf("172.21.0.1"), addrOf("81.2.69.1"), addrOf("2a00::1")},
		own:      []netip.Addr{addrOf("172.20.0.2"), addrOf("172.21.0.2")},
	}
}

func TestWhichDestinationsMayBeDialled(t *testing.T) {
	for address, want := range map[string]string{
		"93.184.216.34": "", "1.1.1.1": "", "2606:2800:220:1::1": "", "64:ff9b::5db8:d822": "", "2002:5db8:d822::1": "", "::ffff:93.184.216.34": "",

		"127.0.0.1": "loopback", "127.8.9.10": "loopback", "::1": "loopback",
		"0.0.0.0": "not one of a machine", "0.1.2.3": "not one of a machine", "255.255.255.255": "not one of a machine", "::": "global Internet",
		"169.254.169.254": "link-local", "169.254.170.2": "link-local", "fe80::1": "link-local", "fe80::a9fe:a9fe%eth0": "link-local",
		"224.0.0.1": "multicast", "ff02::1": "multicast",
		"fd00:ec2::254": "metadata", "fd20:ce::254": "metadata", "100.100.100.200": "metadata", "168.63.129.16": "metadata", "192.0.0.192": "metadata",
		"172.21.0.1": "host", "81.2.69.1": "host", "2a00::1": "host", "::ffff:81.2.69.1": "host", "64:ff9b::5102:4501": "host",
		"172.20.3.4": "internal network", "fd12::9": "internal network", "172.20.0.2": "own", "172.21.0.2": "own", "64:ff9b::ac14:304": "internal network",

		"::ffff:127.0.0.1": "loopback", "::127.0.0.1": "global Internet", "::ffff:0:127.0.0.1": "global Internet",
		"64:ff9b::7f00:1": "loopback", "64:ff9b::a9fe:a9fe": "link-local", "64:ff9b:1::a9fe:a9fe": "global Internet", "2002:a9fe:a9fe::1": "link-local",
		"2001:0:a9fe:a9fe::1": "link-local", "2001:0:5db8:d822:0:0:80ff:fffe": "loopback", "5f00::1": "global Internet", "100::1": "global Internet",

		"10.1.2.3": "may be", "172.16.0.1": "may be", "192.168.1.1": "may be", "100.64.0.1": "may be", "198.18.0.1": "may be", "192.0.2.1": "may be",
		"203.0.113.9": "may be", "240.0.0.1": "may be", "fd00::1": "may be", "fec0::1": "may be", "2001:db8::1": "may be", "64:ff9b::a01:203": "may be",
		"::ffff:10.1.2.3": "may be", "2002:a01:203::1": "may be",
	} {
		strict, lax := judged(addrOf(address), false), judged(addrOf(address), true)
		switch want {
		case "":
			if strict != "" || lax != "" {
				t.Errorf("%s is refused: %s, %s", address, strict, lax)
			}
		case "may be":
			if strict == "" || lax != "" {
				t.Errorf("%s: %q without allowPrivate and %q with it", address, strict, lax)
			}
		default:
			if !strings.Contains(strict, want) || strict != lax {
				t.Errorf("%s: %q without allowPrivate and %q with it, want %q", address, strict, lax, want)
			}
		}
	}
}

// judged is why an address near a sidecar is refused; empty for one that is not.
func judged(a netip.Addr, allowPrivate bool) string {
	if err := newAtlas().judge(a, nearby(), allowPrivate); err != nil {
		return err.Error()
	}
	return ""
}

func TestWithoutAnAddressNothingIsDialled(t *testing.T) {
	if judged(netip.Addr{}, true) == "" {
		t.Error("no address is an address")
	}
}

func TestNamesOfTheEnginesHost(t *testing.T) {
	for name, want := range map[string]bool{
		"host.docker.internal": true, "Gateway.Docker.Internal.": true, "host.containers.internal": true,
		"docker.internal.example.org": false, "api.example.org": false, "upstream": false,
	} {
		if namesHost(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// FuzzDestination holds the judge against the standard library's notions, and every way to write an address of IPv4 in IPv6
// against the address itself.
func FuzzDestination(f *testing.F) {
	for _, seed := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "93.184.216.34", "::1", "fd00:ec2::254", "2001:0:a9fe:a9fe::1", "64:ff9b::7f00:1"} {
		f.Add(addrOf(seed).AsSlice())
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		a, ok := netip.AddrFromSlice(bytes)
		if !ok {
			return
		}
		strict, lax := judged(a, false), judged(a, true)
		if strict == "" && lax != "" {
			t.Errorf("%s: allowPrivate forbids it", a)
		}
		plain := a.Unmap()
		if lax == "" && (plain.IsLoopback() || plain.IsUnspecified() || plain.IsMulticast() || plain.IsLinkLocalUnicast() || nearby().internal.inside(a)) {
			t.Errorf("%s is dialled with allowPrivate", a)
		}
		if strict == "" && (lax != "" || plain.IsPrivate() || !plain.IsGlobalUnicast()) {
			t.Errorf("%s is dialled without allowPrivate", a)
		}
		if !plain.Is4() {
			return
		}
		for _, form := range forms(plain.As4()) {
			if strict != "" && judged(form, false) == "" || lax != "" && judged(form, true) == "" {
				t.Errorf("%s is refused, and dialled as %s", plain, form)
			}
		}
	})
}

// forms are the ways to write an address of IPv4 in one of IPv6.
func forms(v4 [4]byte) []netip.Addr {
	behind := func(prefix string, at int, b ...byte) netip.Addr {
		whole := netip.MustParseAddr(prefix).As16()
		copy(whole[at:], b)
		return netip.AddrFrom16(whole)
	}
	return []netip.Addr{
		behind("::ffff:0.0.0.0", 12, v4[:]...), behind("::", 12, v4[:]...), behind("::ffff:0:0:0", 12, v4[:]...),
		behind("64:ff9b::", 12, v4[:]...), behind("64:ff9b:1::", 12, v4[:]...), behind("2002::1", 2, v4[:]...),
		behind("2001::", 4, v4[:]...), behind("2001:0:5db8:d822::", 12, ^v4[0], ^v4[1], ^v4[2], ^v4[3]),
	}
}

func TestARefusedDestinationIsDeniedInWordsThatHelp(t *testing.T) {
	rt := tableOf(t, routeTo("https://inventory.example")).routes[0]
	for address, want := range map[string]string{
		"10.1.2.3":        "inventory.example is not asked: its address is in a private range; if it is meant, its operator sets allowPrivate: true on route /r of the spec",
		"169.254.169.254": "inventory.example is not asked: its address is link-local, as metadata services are; no route may lead there",
	} {
		refused := upstreamRefusal(rt, errors.Join(newAtlas().judge(addrOf(address), nearby(), false)))
		if refused.status != 403 || refused.code != "denied" || refused.message != want {
			t.Errorf("%s: %+v", address, refused)
		}
	}
}
