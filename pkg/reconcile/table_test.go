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
		if diff := cmp.Diff(want, tableOf(&s, Network{}, nil, reach{}).Routes[1]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", delivery, diff)
		}
	}
}

// Roles are for who makes the agent's container: a change of them pushes nothing.
func TestRolesAreNotToldToTheSidecar(t *testing.T) {
	s := newWorld().spec.Spec
	before := tableOf(&s, Network{}, nil, reach{})
	s.Routes = slices.Clone(s.Routes)
	s.Routes[0].Roles = spec.Roles()
	if diff := cmp.Diff(before, tableOf(&s, Network{}, nil, reach{})); diff != "" {
		t.Errorf("(-without +with):\n%s", diff)
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

func TestARouteIsToldTheWayToItsUpstream(t *testing.T) {
	s := &spec.CredProxySpec{Routes: []spec.Route{
		{Path: "/plain", Upstream: "https://a.test"},
		{Path: "/far", Upstream: "https://a.test", AllowPrivate: true, CAFile: "corp.pem", ProxyURL: "http://proxy.test:3128", ScrubResponses: new(bool)},
	}}
	got := tableOf(s, Network{}, nil, reach{roots: map[string]string{"corp.pem": "certificates", "": "of nobody"}}).Routes
	want := []routetable.Route{
		{Path: "/plain", Upstream: "https://a.test"},
		{Path: "/far", Upstream: "https://a.test", AllowPrivate: true, Roots: "certificates", ProxyURL: "http://proxy.test:3128", Unscrubbed: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A table without allowPrivate is one that earlier sidecars can read.
func TestTheHostsAddressesAreToldWhereAPrivateAddressMayBeAsked(t *testing.T) {
	v := newView(&Observation{Networks: []Network{{Name: "bridge", Gateways: []string{"172.17.0.1"}}, {Name: "other", Gateways: []string{"172.18.0.1"}}}})
	world := reach{hosts: v.hosts()}
	s := &spec.CredProxySpec{Routes: []spec.Route{{Path: "/r", Upstream: "https://a.test"}}}
	if got := tableOf(s, Network{}, nil, world).HostAddresses; got != nil {
		t.Errorf("told %q", got)
	}
	s.Routes[0].AllowPrivate = true
	if got := tableOf(s, Network{}, nil, world).HostAddresses; !slices.Equal(got, []string{"172.17.0.1"}) {
		t.Errorf("told %q", got)
	}
}

func TestOtherCertificatesAreNoticed(t *testing.T) {
	corp, none := &spec.CredProxy{}, &spec.CredProxy{}
	corp.Name, corp.Spec.Routes = "corp", []spec.Route{{Path: "/r", CAFile: "corp.pem"}}
	none.Name, none.Spec.Routes = "none", []spec.Route{{Path: "/r"}}
	d := Declared{Specs: []*spec.CredProxy{corp, none}, Roots: map[string]string{"corp.pem": "new"}}
	if got := d.rootsAnew(map[string]string{"corp.pem": "old"}); !slices.Equal(got, []string{"corp"}) {
		t.Errorf("got %q", got)
	}
	if got := d.rootsAnew(d.Roots); got != nil {
		t.Errorf("got %q although nothing changed", got)
	}
}

func TestARouteIsWithheldForTheFirstReason(t *testing.T) {
	var d Declared
	first, second := Withheld{Message: "first"}, Withheld{Message: "second"}
	d.Withhold("web", "/r", first)
	d.Withhold("web", "/r", second)
	d.Withhold("web", "/s", second)
	if diff := cmp.Diff(map[string]Withheld{"/r": first, "/s": second}, d.Withheld["web"].Routes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestASidecarIsToldWhatItsRoutesLetPass(t *testing.T) {
	s := &spec.CredProxySpec{Routes: []spec.Route{
		{Path: "/a", Methods: []string{"GET"}, Mode: spec.ModeEnforce, Paths: &spec.Paths{Allow: []string{"/x"}, Deny: []string{"/y"}}},
		{Path: "/b", Mode: spec.ModeWarn, Git: &spec.Git{Fetch: true, Push: []string{"org/repo"}}},
		{Path: "/c", Limits: &spec.Limits{HeaderBytes: "1Ki", BodyBytes: "2Mi", ConcurrentRequests: 3, RequestsPerMinute: 4, BodyTimeout: "5s", IdleTimeout: "6m"}},
	}}
	want := []routetable.Route{
		{Path: "/a", Methods: []string{"GET"}, Paths: &routetable.Paths{Allow: []string{"/x"}, Deny: []string{"/y"}}},
		{Path: "/b", Mode: routetable.ModeWarn, Git: &routetable.Git{Fetch: true, Push: []string{"org/repo"}}},
		{Path: "/c", Limits: &routetable.Limits{HeaderBytes: 1 << 10, BodyBytes: 2 << 20, ConcurrentRequests: 3, RequestsPerMinute: 4, BodyTimeout: 5_000, IdleTimeout: 360_000}},
	}
	if diff := cmp.Diff(want, tableOf(s, Network{}, nil, reach{}).Routes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
