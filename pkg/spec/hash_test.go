package spec

import (
	"reflect"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hashed is a spec with every field set.
func hashed() *CredProxySpec {
	return &CredProxySpec{
		InternalNetwork: "web-internal", EgressNetwork: "web-egress", CreateNetworks: true, Hostname: "cred-proxy", Port: 9099,
		TokenDelivery: DeliverFile, Resources: Resources{Memory: "64Mi", CPUs: "1", Pids: 64},
		Routes: []Route{
			{Path: "/a", Upstream: "https://a.example.org", Auth: &Auth{Scheme: SchemeBearer, TokenRef: TokenRef{Env: "A"}}},
			{Path: "/b", Upstream: "https://b.example.org", Auth: &Auth{Scheme: SchemeBearer, TokenRef: TokenRef{File: "b"}}},
		},
	}
}

// Sidecars bear these hashes. If this test fails, every sidecar of every user would be replaced by the release: make a
// new version of the hash beside this one instead of changing the values here.
func TestHashesOfEarlierReleasesStay(t *testing.T) {
	env := hashed()
	env.TokenDelivery, env.Image = DeliverEnv, "example.org/x:1"
	for want, s := range map[string]*CredProxySpec{
		"v1:2e35fb9a62a6c21416acdddf2102070a": hashed(),
		"v1:ea405eb237a058d21ee9bb981368aacb": env,
	} {
		if got := Hash(s); got != want {
			t.Errorf("Hash = %s, want %s", got, want)
		}
		if !HashMatches(want, s) {
			t.Errorf("%s does not match its own spec", want)
		}
	}
}

func TestTheHashCoversWhatNeedsAnotherContainer(t *testing.T) {
	tests := []struct {
		name   string
		change func(*CredProxySpec)
		env    bool // with Env delivery, before the change
		other  bool // another container is needed
	}{
		{"internal network", func(s *CredProxySpec) { s.InternalNetwork = "x" }, false, true},
		{"egress network", func(s *CredProxySpec) { s.EgressNetwork = "x" }, false, false},
		{"networks the other way", func(s *CredProxySpec) {
			s.InternalNetwork, s.EgressNetwork = s.EgressNetwork, s.InternalNetwork
		}, false, true},
		{"hostname", func(s *CredProxySpec) { s.Hostname = "x" }, false, true},
		{"port", func(s *CredProxySpec) { s.Port = 1 }, false, true},
		{"image", func(s *CredProxySpec) { s.Image = "x" }, false, true},
		{"delivery", func(s *CredProxySpec) { s.TokenDelivery = DeliverEnv }, false, true},
		{"delivery in memory", func(s *CredProxySpec) { s.TokenDelivery = DeliverMemory }, false, true},
		{"what a breach leads to", func(s *CredProxySpec) { s.RequireIsolation = true }, false, false},
		{"who makes networks", func(s *CredProxySpec) { s.CreateNetworks = false }, false, false},
		{"resources", func(s *CredProxySpec) { s.Resources = Resources{Memory: "1Gi"} }, false, false},
		{"route", func(s *CredProxySpec) { s.Routes[0].Path = "/x"; s.Routes = s.Routes[:1] }, false, false},
		{"token with File", func(s *CredProxySpec) { s.Routes[0].Auth.TokenRef.Env = "X" }, false, false},
		{"token with Env", func(s *CredProxySpec) { s.Routes[0].Auth.TokenRef.Env = "X" }, true, true},
		{"order of slots with Env", func(s *CredProxySpec) { s.Routes[0], s.Routes[1] = s.Routes[1], s.Routes[0] }, true, true},
		{"variable for a file with Env", func(s *CredProxySpec) { s.Routes[0].Auth.TokenRef = TokenRef{File: "A"} }, true, true},
		{"token of a provider with File", func(s *CredProxySpec) { s.Routes[0].Auth.TokenRef = TokenRef{Provider: "vault", Key: "A"} }, false, false},
		{"token of a provider with Env", func(s *CredProxySpec) { s.Routes[0].Auth.TokenRef = TokenRef{Provider: "vault", Key: "A"} }, true, true},
		{"second use of a token with Env", func(s *CredProxySpec) { s.Routes = append(s.Routes, s.Routes[0]) }, true, false},
		{"caller key with File", func(s *CredProxySpec) { s.CallerAuth = &CallerAuth{KeyRef: TokenRef{Env: "K"}} }, false, false},
		{"caller key with Env", func(s *CredProxySpec) { s.CallerAuth = &CallerAuth{KeyRef: TokenRef{Env: "K"}} }, true, true},
		{"upstream with Env", func(s *CredProxySpec) { s.Routes[0].Upstream = "https://x.example.org" }, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := hashed()
			if tt.env {
				s.TokenDelivery = DeliverEnv
			}
			before := Hash(s)
			tt.change(s)
			if other := Hash(s) != before; other != tt.other || HashMatches(before, s) == tt.other {
				t.Errorf("other hash: %v, want %v", other, tt.other)
			}
		})
	}
}

func TestHashesThatAreNotOursNeverMatch(t *testing.T) {
	sum := Hash(hashed())[len("v1:"):]
	for _, label := range []string{"", "v1", "v1:", "v0:" + sum, "v2:" + sum, sum, "V1:" + sum, "v1:" + sum + "0", "v1:" + sum[:31]} {
		if HashMatches(label, hashed()) {
			t.Errorf("%q matches", label)
		}
	}
	if got := Hash(hashed()); !regexp.MustCompile(`^v1:[0-9a-f]{32}$`).MatchString(got) {
		t.Errorf("Hash = %s", got)
	}
}

// A new field of the spec is a decision: does it need another container?
func TestEveryFieldOfTheSpecIsHashedOrLeftOutOnPurpose(t *testing.T) {
	leftOut := map[string]bool{"egressNetwork": true, "createNetworks": true, "requireIsolation": true, "resources": true, "callerAuth": true, "routes": true}
	covered := fieldsOf(reflect.TypeFor[hashedV1]()).index
	for _, name := range fieldsOf(reflect.TypeFor[CredProxySpec]()).names {
		if _, ok := covered[name]; ok == leftOut[name] {
			t.Errorf("spec.%s: decide whether its change needs another container", name)
		}
	}
}

func TestTheTokensOfACustomCredentialAreHashedAsThoseOfOthers(t *testing.T) {
	custom := func(change func(*Auth)) string {
		s := hashed()
		s.TokenDelivery = DeliverEnv
		s.Routes[0].Auth = &Auth{
			Scheme: SchemeCustom, Tokens: map[string]TokenRef{"a": {Env: "A"}, "c": {Env: "C"}}, Headers: []Addition{{"X", "{a}{c}"}},
		}
		change(s.Routes[0].Auth)
		return Hash(s)
	}
	base := custom(func(*Auth) {})
	for name, tt := range map[string]struct {
		change func(*Auth)
		other  bool
	}{
		"a template":       {func(a *Auth) { a.Headers[0].Value = "{c}{a}" }, false},
		"another token":    {func(a *Auth) { a.Tokens["c"] = TokenRef{Env: "D"} }, true},
		"one more":         {func(a *Auth) { a.Tokens["d"] = TokenRef{Env: "D"} }, true},
		"the same one":     {func(a *Auth) { a.Tokens["d"] = TokenRef{Env: "A"} }, false},
		"in another order": {func(a *Auth) { a.Tokens["a"], a.Tokens["c"] = a.Tokens["c"], a.Tokens["a"] }, true},
	} {
		if got := custom(tt.change) != base; got != tt.other {
			t.Errorf("%s: another hash: %v", name, got)
		}
	}
}

func TestSlotsAreCountedByFirstUse(t *testing.T) {
	route := func(ref TokenRef) Route { return Route{Auth: &Auth{TokenRef: ref}} }
	s := CredProxySpec{Routes: []Route{
		route(TokenRef{File: "x"}), {}, route(TokenRef{Env: "x"}), route(TokenRef{File: "x"}), route(TokenRef{Env: "A"}),
	}}
	want := []Slot{
		{"CRED_PROXY_TOKEN_1", TokenRef{File: "x"}}, {"CRED_PROXY_TOKEN_2", TokenRef{Env: "x"}}, {"CRED_PROXY_TOKEN_3", TokenRef{Env: "A"}},
	}
	if diff := cmp.Diff(want, s.Slots()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.Routes = append(s.Routes, Route{Auth: &Auth{Scheme: SchemeCustom, Tokens: map[string]TokenRef{
		"d": {Env: "x"}, "c": {Env: "D"}, "b": {Env: "D"}, "a": {Env: "E"},
	}}}, route(TokenRef{Env: "F"}))
	want = append(want, Slot{"CRED_PROXY_TOKEN_4", TokenRef{Env: "E"}}, Slot{"CRED_PROXY_TOKEN_5", TokenRef{Env: "D"}}, Slot{"CRED_PROXY_TOKEN_6", TokenRef{Env: "F"}})
	if diff := cmp.Diff(want, s.Slots()); diff != "" {
		t.Errorf("several of a route are in order of their names (-want +got):\n%s", diff)
	}
	s.CallerAuth = &CallerAuth{KeyRef: TokenRef{File: "key"}}
	want = append(want, Slot{"CRED_PROXY_TOKEN_7", TokenRef{File: "key"}})
	if diff := cmp.Diff(want, s.Slots()); diff != "" {
		t.Errorf("the caller key comes last (-want +got):\n%s", diff)
	}
}

func TestResourcesInTheEnginesUnits(t *testing.T) {
	tests := []struct {
		memory, cpus string
		bytes, nano  int64
	}{
		{"64Mi", "1", 64 << 20, 1e9},
		{"1Gi", "500m", 1 << 30, 5e8},
		{"64M", "0.25", 64e6, 25e7},
		{"67108864", "2", 64 << 20, 2e9},
		{"1.5Gi", "1.000000001", 3 << 29, 1000000001},
		{"", "", 0, 0},
		{"much", "-1", 0, 0},
		{"999999T", "999999999999999k", 0, 0},
		{"1e9", "1e1000000000", 0, 0},
	}
	for _, tt := range tests {
		r := Resources{Memory: tt.memory, CPUs: tt.cpus}
		if b, n := r.MemoryBytes(), r.NanoCPUs(); b != tt.bytes || n != tt.nano {
			t.Errorf("%+v: %d bytes and %d, want %d and %d", r, b, n, tt.bytes, tt.nano)
		}
	}
}
