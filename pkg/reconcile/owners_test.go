package reconcile

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/spec"
)

// Of the specs that want one missing network made, one gets it: who was there before, or else the first.
func TestAMissingNetworkIsMadeForOneSpec(t *testing.T) {
	declare := func(name, internal, egress string) *spec.CredProxy {
		cp := newWorld().spec
		cp.Name, cp.Spec.InternalNetwork, cp.Spec.EgressNetwork, cp.Spec.CreateNetworks = name, internal, egress, true
		return cp
	}
	user := declare("a-user", "user-in", "out")
	user.Spec.CreateNetworks = false
	a, b, c := declare("a", "a-in", "out"), declare("b", "b-in", "out"), declare("c", "b-in", "c-out")
	c.Spec.Hostname = "other"
	for _, tc := range []struct {
		name  string
		specs []*spec.CredProxy
		give  func(*world)
		want  map[string]string
	}{
		{"the first in order of names", []*spec.CredProxy{a, b}, nil, map[string]string{"b": ReasonNetworkConflict}},
		{"who is refused claims nothing", []*spec.CredProxy{a, b, c}, nil, map[string]string{"b": ReasonNetworkConflict}},
		{"who makes none claims nothing", []*spec.CredProxy{user, b}, nil, map[string]string{}},
		{"one that nobody here made is for all", []*spec.CredProxy{a, b}, func(w *world) {
			w.networks = []Network{{ID: "n", Name: "out"}}
		}, map[string]string{}},
		{"who was there before", []*spec.CredProxy{a, b}, func(w *world) {
			s := w.running("x")
			s.SpecName = "b"
			s.Endpoints = []Endpoint{{NetworkID: "gone", NetworkName: "b-in", Aliases: []string{"cred-proxy"}}, {NetworkID: "gone too", NetworkName: "out"}}
		}, map[string]string{"a": ReasonNetworkConflict}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			if tc.give != nil {
				tc.give(w)
			}
			w.declared.Specs = tc.specs
			got := map[string]string{}
			for name, blocked := range newScene(w.declared, w.view()).conflicts {
				got[name] = blocked.Reason
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}
