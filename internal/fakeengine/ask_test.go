package fakeengine

import (
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

func TestAskFollowsTheServedTable(t *testing.T) {
	s := newStage(t)
	id := s.serve()
	tests := []struct {
		path, route, upstream, token string
	}{
		{"/git", "/git", "https://git.invalid", "one"},
		{"/git/x", "/git", "https://git.invalid", "one"},
		{"/github", "/", "https://other.invalid", ""},
		{"/", "/", "https://other.invalid", ""},
	}
	for _, tt := range tests {
		answers := s.Ask(s.internal, "cred-proxy", 9099, tt.path)
		if len(answers) != 1 {
			t.Fatalf("%s has %d answers", tt.path, len(answers))
		}
		a := answers[0]
		if a.ContainerID != id || a.Route != tt.route || a.Upstream != tt.upstream ||
			a.Tokens[routetable.OnlyToken].Reveal() != tt.token || a.HasTokens != (tt.token != "") {
			t.Errorf("%s: %+v", tt.path, a)
		}
	}
}

func TestNobodyAnswersElsewhere(t *testing.T) {
	s := newStage(t)
	s.serve()
	for name, got := range map[string][]Answer{
		"another name":      s.Ask(s.internal, "proxy", 9099, "/git"),
		"another port":      s.Ask(s.internal, "cred-proxy", 80, "/git"),
		"the way out":       s.Ask(s.egress, "cred-proxy", 9099, "/git"),
		"its name, way out": s.Ask(s.egress, "cred-proxy-web", 9099, "/git"),
	} {
		if len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTwoHoldersOfANameBothResolve(t *testing.T) {
	s := newStage(t)
	id := s.serve()
	foreign := s.AddContainer(Foreign{Name: "a", Networks: map[string][]string{s.internal: {"cred-proxy"}}})
	got := s.Resolve(s.internal, "cred-proxy")
	if len(got) != 2 || got[0] != foreign || got[1] != id {
		t.Errorf("got %v", got)
	}
}
