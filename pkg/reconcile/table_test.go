package reconcile

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

func TestACustomCredentialIsToldWithItsSlots(t *testing.T) {
	s := newWorld().spec.Spec
	s.Routes = append(s.Routes, spec.Route{
		Path: "/custom", Upstream: "https://custom.example.com", PassCredentials: true,
		Auth: &spec.Auth{
			Scheme:  spec.SchemeCustom,
			Tokens:  map[string]spec.TokenRef{"b": {Env: "TOKEN"}, "a": {File: "a"}},
			Headers: []spec.Addition{{Name: "X-A", Value: "{a}"}}, Query: []spec.Addition{{Name: "key", Value: "{b}"}},
			Basic: &spec.BasicPair{Username: "x", Password: "{a}"},
		},
	})
	for _, delivery := range []spec.TokenDelivery{spec.DeliverFile, spec.DeliverEnv} {
		s.TokenDelivery = delivery
		place := func(slot string) routetable.TokenPlace {
			if delivery == spec.DeliverEnv {
				return routetable.TokenPlace{TokenEnv: slot}
			}
			return routetable.TokenPlace{TokenFile: slot}
		}
		want := routetable.Route{
			Path: "/custom", Upstream: "https://custom.example.com", PassCredentials: true,
			Auth: &routetable.Auth{
				Scheme:  "Custom",
				Tokens:  map[string]routetable.TokenPlace{"a": place("CRED_PROXY_TOKEN_2"), "b": place("CRED_PROXY_TOKEN_1")},
				Headers: []routetable.Addition{{Name: "X-A", Value: "{a}"}}, Query: []routetable.Addition{{Name: "key", Value: "{b}"}},
				Basic: &routetable.Basic{Username: "x", Password: "{a}"},
			},
		}
		if diff := cmp.Diff(want, tableOf(&s, Network{}, nil).Routes[1]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", delivery, diff)
		}
	}
}

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
