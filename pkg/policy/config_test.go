package policy

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"credproxy.dev/controller/pkg/spec"
)

const config = "../../config/"

func readPolicy(t *testing.T, name string) *Policy {
	t.Helper()
	return mustDecode(t, string(read(t, config+"policy/"+name)))
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTheSingleUsersPolicyPermitsEverySampleAndEveryOption(t *testing.T) {
	p := readPolicy(t, "single-user.yaml")
	files, err := filepath.Glob(config + "samples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, file := range files {
		for _, object := range spec.Decode(file, read(t, file), spec.Options{}).Objects {
			if d := p.Evaluate(".", object.CredProxy); !d.Permitted() {
				t.Errorf("%s: %s", file, words(d))
			}
		}
	}
	for _, option := range Options() {
		if !slices.Contains(p.rules[0].Allow, option) {
			t.Errorf("%s is not allowed", option)
		}
	}
	odd := newSubject(func(s *subject) {
		s.Spec.Image, s.Spec.TokenDelivery = "registry.example.org:5000/a/b:1@sha256:0", spec.DeliverEnv
		s.Spec.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{Provider: "vault", Key: "a/b"}}
		s.Spec.Routes[0].Upstream, s.Spec.Routes[0].InsecureUpstream = "http://[2001:db8::1]:8080/x", true
		s.Spec.Routes[0].AllowPrivate, s.Spec.Routes[0].CAFile, s.Spec.Routes[0].ProxyURL = true, "x.pem", "http://x:1"
	})
	if d := p.Evaluate("a/b/c", odd.CredProxy); !d.Permitted() {
		t.Error(words(d))
	}
}

func TestTheTeamsPolicyKeepsTeamsApart(t *testing.T) {
	p := readPolicy(t, "teams.yaml")
	build := func(s *subject) {
		s.Name, s.Labels = "build-1", map[string]string{"tier": "build"}
		s.Spec.Routes[0].Upstream = "https://eu.registry.example.org/v2"
		s.Spec.Routes[0].Auth.TokenRef = spec.TokenRef{Provider: "vault", Key: "team-a/registry/push"}
	}
	mine := func(s *subject) {
		s.Spec.Routes[0].Upstream = "https://api.anthropic.com"
		s.Spec.Routes[0].Auth.TokenRef = spec.TokenRef{File: "team-a/anthropic"}
	}
	tests := []struct {
		name, folder string
		change       func(*subject)
		want         bool
	}{
		{"a team's own", "team-a/web", mine, true},
		{"the same by the other team", "team-b", mine, false},
		{"a build", "team-a", build, true},
		{"a build without the label", "team-a", func(s *subject) { build(s); s.Labels = nil }, false},
		{"somebody else's build", "team-b", build, false},
		{"the service in the house", "shared", func(s *subject) {
			s.Spec.InternalNetwork, s.Spec.EgressNetwork = "shared-in", "shared-out"
			s.Spec.Routes[0].Upstream, s.Spec.Routes[0].InsecureUpstream = "http://10.1.2.3:8080", true
			s.Spec.Routes[0].AllowPrivate = true
			s.Spec.Routes[0].Auth.TokenRef = spec.TokenRef{Env: "INTERNAL_KEY"}
		}, true},
	}
	for _, tt := range tests {
		s := newSubject(tt.change)
		if d := p.Evaluate(tt.folder, s.CredProxy); d.Permitted() != tt.want {
			t.Errorf("%s: %v, want %v: %s", tt.name, d.Permitted(), tt.want, words(d))
		}
	}
	if len(p.Quotas()) != 3 {
		t.Errorf("%+v", p.Quotas())
	}
}
