package reconcile

import (
	"slices"
	"testing"
)

// What a sidecar is not told it guesses; it is to guess nothing where the first address may be an agent's.
func TestNoAddressOfAnAgentIsToldAsTheHosts(t *testing.T) {
	for name, c := range map[string]struct {
		network Network
		want    []string
	}{
		"the host's":                         {Network{HostReachable: true, Subnets: []string{"10.1.0.0/24"}, Gateways: []string{"10.1.0.1"}}, []string{"10.1.0.1"}},
		"the host's, guessed by the sidecar": {Network{HostReachable: true, Subnets: []string{"10.1.0.0/24"}}, nil},
		"kept by the engine":                 {Network{Subnets: []string{"10.1.0.0/24"}, Gateways: []string{"10.1.0.1"}}, []string{"10.1.0.1"}},
		"nobody's":                           {Network{Subnets: []string{"10.1.0.16/28"}}, []string{"10.1.0.16"}},
		"nobody's in one of two": {Network{Subnets: []string{"10.1.0.0/24", "fd00::/64"}, Gateways: []string{"10.1.0.1"}},
			[]string{"10.1.0.1", "fd00::"}},
		"of what is no subnet": {Network{Subnets: []string{"everywhere"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := gatewaysTold(c.network); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
