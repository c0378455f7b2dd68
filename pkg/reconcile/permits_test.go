package reconcile_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// deny has the policy deny a spec as a whole; "" permits it again.
func (s *stage) deny(name, why string) {
	s.declared.Policy.InForce = true
	s.declared.Policy.Denied, s.declared.Withheld = map[string]string{}, map[string]reconcile.Withholding{}
	if why != "" {
		s.declared.Policy.Denied[name] = why
		s.declared.Withheld[name] = reconcile.Withholding{Refused: true, All: &reconcile.Withheld{
			Word: routetable.WithheldDenied, Reason: reconcile.ReasonPolicyDenied, Message: why,
		}}
	}
}

func (s *stage) wantPermitted(name string, status metav1.ConditionStatus, reason string) {
	s.t.Helper()
	cp, _ := s.Get(name)
	got := meta.FindStatusCondition(cp.Status.Conditions, spec.ConditionPermitted)
	if got == nil || got.Status != status || got.Reason != reason {
		s.t.Errorf("%s is Permitted=%+v, want %s %s", name, got, status, reason)
	}
}

func TestASpecThatThePolicyDeniesLosesItsTokensAndGetsThemBack(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		s.wantPermitted("web", metav1.ConditionTrue, reconcile.ReasonNoPolicy)
		s.wantServed("web", "https://api.example.com one")

		s.deny("web", `rule "a" does not permit it`)
		s.declare(web)
		s.wantPermitted("web", metav1.ConditionFalse, reconcile.ReasonPolicyDenied)
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonPolicyDenied)
		if got := s.served("web"); len(got) == 1 && got[0] == "https://api.example.com one" {
			t.Errorf("served as before: %q", got)
		}
		s.wantToldOf("web", reconcile.ReasonPolicyDenied, 1)

		s.deny("web", "")
		s.declare(web)
		s.wantPermitted("web", metav1.ConditionTrue, reconcile.ReasonPermitted)
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
		s.wantServed("web", "https://api.example.com one")
	})
}

func TestASpecThatThePolicyDeniesIsNotMadeAndStandsInNobodysWay(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		intruder := edited(environment("intruder"), func(in *spec.CredProxySpec) {
			in.InternalNetwork, in.EgressNetwork = web.Spec.InternalNetwork, web.Spec.EgressNetwork
		})
		s.deny("intruder", "no rule has its folder")
		s.declare(intruder, web)
		s.wantReady("intruder", metav1.ConditionFalse, reconcile.ReasonPolicyDenied)
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
		if _, made := s.engine.Container("cred-proxy-intruder"); made {
			t.Error("it was made")
		}
	})
}

func TestADoubledNameKeepsNoTokenThatThePolicyDenies(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.declared.Rejected = []reconcile.Rejected{{Name: "web", Reason: reconcile.ReasonDuplicateName, Message: "declared twice"}}
		s.declare()
		s.wantServed("web", "https://api.example.com one")
		s.deny("web", `rule "a" does not permit it`)
		s.declare()
		if got := s.served("web"); len(got) > 0 {
			t.Errorf("still served: %q", got)
		}
		if _, there := s.engine.Container("cred-proxy-web"); there {
			t.Error("the sidecar with the token is still there")
		}
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonDuplicateName)
	})
}

func TestAPlanSaysWhatThePolicyDenies(t *testing.T) {
	play(t, func(s *stage) {
		s.declared.Policy = reconcile.Policy{InForce: true, Denied: map[string]string{"web": "route /api: no rule has it"}}
		s.declareNow(s.environment("web"))
		plan, err := s.Plan(s.t.Context(), false, false)
		if err != nil || len(plan.Items) != 1 || len(plan.Blocked) != 1 || plan.Blocked[0].Reason != reconcile.ReasonPolicyDenied {
			t.Errorf("%v, %v", plan, err)
		}
		s.settle()
	})
}

func TestWithoutAPolicyToJudgeByNothingIsDoneAndWhatRunsServesOn(t *testing.T) {
	play(t, func(s *stage) {
		web, db := s.environment("web"), s.environment("db")
		s.declare(web)
		s.declared.Policy = reconcile.Policy{InForce: true, Invalid: "there is no policy to judge by"}
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "two")
		s.declare(db, edited(web, func(w *spec.CredProxySpec) { w.Routes[0].Upstream = "https://evil.example" }))
		later(time.Minute)
		s.settle()
		s.wantServed("web", "https://api.example.com one")
		for _, name := range []string{"web", "db"} {
			s.wantReady(name, metav1.ConditionFalse, reconcile.ReasonPolicyInvalid)
			s.wantPermitted(name, metav1.ConditionUnknown, reconcile.ReasonPolicyInvalid)
		}
		s.declared.Policy = reconcile.Policy{InForce: true}
		s.declare(db, web)
		s.wantServed("web", "https://api.example.com two")
		s.wantReady("db", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

func TestAQuotaRefusesWhatIsTooMuchUntilThereIsRoom(t *testing.T) {
	play(t, func(s *stage) {
		a, b, c := s.environment("a"), s.environment("b"), s.environment("c")
		s.declared.Policy = reconcile.Policy{
			InForce: true, Quotas: []reconcile.Quota{{Folder: "team", Specs: 1}},
			Folders: map[string]string{"a": "team", "b": "team/x", "c": "."},
		}
		s.declare(b, c)
		s.declare(a, b, c) // a is the first by its name, and b has the place
		s.wantReady("a", metav1.ConditionFalse, reconcile.ReasonQuotaExceeded)
		s.wantReady("b", metav1.ConditionTrue, reconcile.ReasonRunning)
		s.wantReady("c", metav1.ConditionTrue, reconcile.ReasonRunning)

		s.declare(a, c)
		s.wantReady("a", metav1.ConditionTrue, reconcile.ReasonRunning)

		s.declared.Policy.Quotas = []reconcile.Quota{{Folder: ".", Specs: 1}}
		s.declare(a, c)
		s.wantReady("c", metav1.ConditionFalse, reconcile.ReasonQuotaExceeded)
		s.wantServed("c", "https://api.example.com one")
	})
}

func TestAPausedSpecTakesNothingOfAQuota(t *testing.T) {
	play(t, func(s *stage) {
		a, b := s.environment("a"), s.environment("b")
		a.Annotations = map[string]string{spec.AnnotationPaused: "true"}
		s.declared.Policy = reconcile.Policy{
			InForce: true, Quotas: []reconcile.Quota{{Folder: ".", Specs: 1}}, Folders: map[string]string{"a": ".", "b": "."},
		}
		s.declare(a, b)
		s.wantReady("a", metav1.ConditionFalse, reconcile.ReasonPaused)
		s.wantReady("b", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}
