package app

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/subnet"
)

// Of pools, those of IPv4 are counted, less what the host has of them; a route to a larger range takes nothing.
func TestPoolsAreToldWithWhatTheHostUses(t *testing.T) {
	pools, err := subnet.ParseAll([]string{"10.200.0.0/16", "fd12:3456::/48"})
	if err != nil {
		t.Fatal(err)
	}
	got, used := poolsOf(pools, []subnet.Taken{
		{Prefix: netip.MustParsePrefix("10.200.1.0/24"), By: "interface eth0"},
		{Prefix: netip.MustParsePrefix("10.0.0.0/8"), By: "a route by tun0", Routed: true},
		{Prefix: netip.MustParsePrefix("fd12:3456::/64"), By: "interface eth0"},
	})
	if diff := cmp.Diff([]reconcile.AddressPool{{Base: "10.200.0.0/16", Size: 28}}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"10.200.1.0/24"}, used); diff != "" {
		t.Error(diff)
	}
	if got, _ := poolsOf(pools[1:], nil); got != nil {
		t.Errorf("with IPv6 alone, the engine's own pools are not used: %v", got)
	}
}
