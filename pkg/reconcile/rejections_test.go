package reconcile

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

func says(rejected ...routetable.Rejection) *Sidecar {
	return &Sidecar{ID: "c1", State: StateRunning, Report: &routetable.Report{Serving: true, Generation: 7, Rejected: rejected}}
}

func rejectingSpec() *spec.CredProxy {
	cp := newWorld().spec
	cp.Spec.Routes = []spec.Route{
		{Path: "/open", Upstream: "https://open.example.com"},
		{Path: "/git", Upstream: "https://git.example.com/base", Auth: &spec.Auth{TokenRef: spec.TokenRef{File: "git-token"}}},
		{Path: "/api", Upstream: "https://api.example.com:8443", Auth: &spec.Auth{TokenRef: spec.TokenRef{Env: "TOKEN"}}},
	}
	return cp
}

// TestASidecarIsHeardOfItsOwnRoutesAlone has one that was taken over say more.
func TestASidecarIsHeardOfItsOwnRoutesAlone(t *testing.T) {
	cp := rejectingSpec()
	sidecar := says(
		routetable.Rejection{Route: "/api", Count: 3}, routetable.Rejection{Route: "/api", Count: 9},
		routetable.Rejection{Route: "/open", Count: 1}, routetable.Rejection{Route: "/elsewhere", Count: 1},
		routetable.Rejection{Route: "/git", Count: 1},
	)
	tokens := verdict{spec: cp, sidecar: sidecar, tokensChecked: true}.tokens()
	want := "route /git: git.example.com answers 401 to the token of file git-token, which it took before (1 so far); rotate it at its source; " +
		"route /api: api.example.com:8443 answers 401 to the token of env TOKEN, which it took before (3 so far); rotate it at its source"
	if tokens.Status != metav1.ConditionFalse || tokens.Reason != ReasonTokenRejected || tokens.Message != want {
		t.Errorf("TokensResolved is %s %s:\n%s\nwant\n%s", tokens.Status, tokens.Reason, tokens.Message, want)
	}
	ready := verdict{spec: cp, sidecar: sidecar}.ready()
	if ready.Status != metav1.ConditionTrue || ready.Reason != ReasonRunning || !strings.Contains(ready.Message, "reject the tokens of /git, /api") {
		t.Errorf("Ready is %s %s: %s", ready.Status, ready.Reason, ready.Message)
	}
}

func TestATokenThatIsMissingIsSaidBeforeOneThatIsRejected(t *testing.T) {
	found := verdict{spec: rejectingSpec(), sidecar: says(routetable.Rejection{Route: "/api", Count: 3}), tokenErr: fmt.Errorf("x: %w", ErrTokenMissing)}
	if got := found.tokens(); got.Reason != ReasonTokenMissing {
		t.Errorf("TokensResolved is %s", got.Reason)
	}
}

func TestNothingIsKnownOfASidecarThatIsNotHeard(t *testing.T) {
	stopped := says(routetable.Rejection{Route: "/api", Count: 3})
	stopped.State = StateExited
	for name, s := range map[string]*Sidecar{"none": nil, "unheard": {State: StateRunning}, "stopped": stopped} {
		if got := rejections(rejectingSpec(), s); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestRejectionsAreCountedOverRuns follows one route through what its sidecars say, one after the other.
func TestRejectionsAreCountedOverRuns(t *testing.T) {
	started := time.Unix(1, 0)
	again := started.Add(time.Hour)
	type told struct {
		began        time.Time
		generation   int64
		count        int64 // 0 when the token is not rejected
		total        float64
		begins, ends bool
	}
	for name, story := range map[string][]told{
		"it is rejected and works again": {
			{started, 1, 0, 0, false, false}, {started, 1, 2, 2, true, false}, {started, 1, 5, 5, false, false},
			{started, 1, 0, 5, false, true}, {started, 1, 6, 6, true, false},
		},
		"the controller begins anew":  {{started, 1, 40, 40, true, false}, {started, 1, 41, 41, false, false}},
		"another token has no record": {{started, 1, 3, 3, true, false}, {started, 2, 0, 3, false, false}, {started, 2, 4, 4, true, false}},
		"the same token, delivered once more": {
			{started, 1, 3, 3, true, false}, {started, 2, 3, 3, false, false}, {started, 2, 0, 3, false, true},
		},
		"another process has no record": {{started, 1, 3, 3, true, false}, {again, 1, 0, 3, false, false}, {again, 1, 1, 4, true, false}},
		"another process counts anew":   {{started, 1, 3, 3, true, false}, {again, 1, 5, 8, false, false}},
		"a count that shrinks":          {{started, 1, 3, 3, true, false}, {started, 1, 2, 5, false, false}},
		"a count that is out of reason": {{started, 1, math.MaxInt64, math.MaxInt64, true, false}, {started, 1, 1, math.MaxInt64 + 1, false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			var record rejectionRecord
			for i, step := range story {
				s := says()
				s.StartedAt, s.Report.Generation = step.began, step.generation
				if step.count > 0 {
					s.Report.Rejected = []routetable.Rejection{{Route: "/api", Count: step.count}}
				}
				begun, ended := record.take(s, rejections(rejectingSpec(), s))
				got := told{step.began, step.generation, step.count, record.totals["/api"], len(begun) > 0, len(ended) > 0}
				if diff := cmp.Diff(step, got, cmp.AllowUnexported(told{})); diff != "" {
					t.Errorf("report %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

func TestARouteThatWentIsNotCounted(t *testing.T) {
	var record rejectionRecord
	cp := rejectingSpec()
	s := says(routetable.Rejection{Route: "/api", Count: 3}, routetable.Rejection{Route: "/git", Count: 1})
	record.take(s, rejections(cp, s))
	cp.Spec.Routes = cp.Spec.Routes[:2]
	record.keep(cp)
	if diff := cmp.Diff(map[string]float64{"/git": 1}, record.totals); diff != "" {
		t.Error(diff)
	}
}
