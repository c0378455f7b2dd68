package app

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/internal/policyfile"
	"credproxy.dev/controller/pkg/policy"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// A second file of the same name keeps a spec from being in force, and what runs of it as it is. It does not keep it from
// the policy.
func TestATokenIsNotKeptFromThePolicyByANameThatIsDeclaredTwice(t *testing.T) {
	snapshot := func(specs ...string) (s source.Snapshot) {
		for _, text := range specs {
			cp := spec.Decode("x.yaml", []byte(text), spec.Options{}).Objects[0].CredProxy
			s.Specs = append(s.Specs, source.Object{CredProxy: cp, Folder: "team-a"})
		}
		return s
	}
	state := func(text string) policyfile.State {
		p, problems := policy.Decode("policy.yaml", []byte(text))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return policyfile.State{Given: true, Policy: p}
	}
	wide, narrow := state(teamsPolicy), state(strings.Replace(teamsPolicy, "{env: A}", "{env: OTHER}", 1))
	remembered := outlived{}
	left := map[string]bool{"web": true, "bare": true, "gone": true}
	// withheld returns the names of which everything is withheld although they are not in force.
	withheld := func(s source.Snapshot, p policyfile.State) []string {
		elsewhere, d := declared("", s), declared("", s)
		remembered.permit(&d, s, permit(&elsewhere, s, p), p, func(name string) bool { return left[name] })
		return slices.Sorted(maps.Keys(d.Withheld))
	}
	all := snapshot(withToken("web", "A"), withToken("bare", "B"), withToken("gone", "A"))
	none := snapshot()
	for _, tt := range []struct {
		when   string
		files  source.Snapshot
		policy policyfile.State
		want   []string
	}{
		{"what is in force is judged elsewhere", all, wide, nil},
		{"nothing is denied anew", none, wide, nil},
		{"without a policy to judge by", none, policyfile.State{Given: true}, nil},
		{"a token is denied that the sidecar has; bare never had any", none, narrow, []string{"gone", "web"}},
		{"it stays so", none, narrow, []string{"gone", "web"}},
	} {
		if diff := cmp.Diff(tt.want, withheld(tt.files, tt.policy)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.when, diff)
		}
	}
	delete(left, "gone")
	if got := withheld(none, narrow); !slices.Equal(got, []string{"web"}) {
		t.Errorf("of what is gone is remembered: %v", got)
	}
	if got := withheld(all, narrow); got != nil {
		t.Errorf("in force again, and still withheld here: %v", got)
	}
}
