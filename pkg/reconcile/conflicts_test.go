package reconcile

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/spec"
)

// Of two specs that want one place, the one that has it stays in force, and who lost stands in nobody's way.
func TestConflicts(t *testing.T) {
	declare := func(name, internal, egress string) *spec.CredProxy {
		cp := newWorld().spec
		cp.Name, cp.Spec.InternalNetwork, cp.Spec.EgressNetwork = name, internal, egress
		return cp
	}
	a, b := declare("a", "inside", "outside"), declare("b", "inside", "outside")
	swapped := declare("swapped", "outside", "inside")
	c, d := declare("c", "c-inside", "outside"), declare("d", "d-inside", "outside")
	for _, tc := range []struct {
		name  string
		specs []*spec.CredProxy
		holds string
		want  map[string]string
	}{
		{"neither is made", []*spec.CredProxy{a, b}, "", map[string]string{"a": ReasonAliasConflict, "b": ReasonAliasConflict}},
		{"the one that holds the place stays", []*spec.CredProxy{a, b}, "a", map[string]string{"b": ReasonAliasConflict}},
		{"out through another's inside", []*spec.CredProxy{a, swapped}, "a", map[string]string{"swapped": ReasonNetworkConflict}},
		{"who lost blocks nobody", []*spec.CredProxy{a, swapped, c, d}, "a", map[string]string{"swapped": ReasonNetworkConflict}},
		{"one alone has none", []*spec.CredProxy{a}, "", map[string]string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := map[string]string{}
			for name, blocked := range conflicts(tc.specs, func(cp *spec.CredProxy) bool { return cp.Name == tc.holds }) {
				got[name] = blocked.Reason
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}
