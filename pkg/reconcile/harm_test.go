package reconcile_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// What others can do to an environment, or its own declaration, must show.

func TestAnAliasTakenLaterIsSaid(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.engine.AddContainer(fakeengine.Foreign{
			Name: "impostor", Networks: map[string][]string{s.network("web-internal"): {"cred-proxy"}},
		})
		later(31 * time.Second) // a resync
		s.settle()
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonAliasConflict)
	})
}

func TestARenamedSpecTakesThePlaceOfItsOldName(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		renamed := web.DeepCopy()
		renamed.Name = "shop"
		s.declare(renamed)
		s.settle()
		s.wantReady("shop", metav1.ConditionTrue, reconcile.ReasonRunning)
		if told := s.told("shop", reconcile.ReasonAliasConflict); len(told) > 0 {
			t.Errorf("its own old sidecar is called a conflict: %q", told)
		}
		if n := len(s.engine.Snapshot().Containers); n != 1 {
			t.Errorf("%d containers", n)
		}
	})
}

func TestATokenTakenFromElsewhereHasToBeThere(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		s.declare(edited(web, func(s *spec.CredProxySpec) { s.Routes[0].Auth.TokenRef.Env = "OTHER" }))
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonTokenMissing)
		s.wantServed("web", "https://api.example.com one")
		s.tokens.put(spec.TokenRef{Env: "OTHER"}, "other")
		later(5 * time.Second)
		s.settle()
		s.wantServed("web", "https://api.example.com other")
	})
}

func TestATokenThatCannotTravelIsRefusedBeforeAnythingIsMade(t *testing.T) {
	for name, value := range map[string]string{
		"not UTF-8":      "caf\xe9",
		"a line break":   "a\nb",
		"much too large": string(make([]byte, 20_000)),
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *stage) {
				s.tokens.put(spec.TokenRef{Env: "TOKEN"}, value)
				s.declare(edited(s.environment("web"), func(s *spec.CredProxySpec) { s.TokenDelivery = spec.DeliverEnv }))
				s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonTokenInvalid)
				if n := s.engine.Calls()[fakeengine.Create]; n != 0 {
					t.Errorf("%d containers were made", n)
				}
			})
		})
	}
}

func TestARefusedSpecIsTriedAgainWhenItsRivalLeaves(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		rival := web.DeepCopy()
		rival.Name = "rival"
		s.declare(web)
		s.declare(web, rival)
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
		s.wantReady("rival", metav1.ConditionFalse, reconcile.ReasonAliasConflict)
		s.declare(rival)
		s.settle()
		s.wantReady("rival", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

// A container that cannot be looked at is there all the same, or the brake would let go of the others.
func TestASidecarThatIsUnclearCountsForTheBrake(t *testing.T) {
	play(t, func(s *stage) {
		var specs []*spec.CredProxy
		for _, name := range []string{"a", "b", "c", "d"} {
			specs = append(specs, s.environment(name))
		}
		s.declare(specs...)
		s.declare()
		s.wantReady("a", metav1.ConditionFalse, reconcile.ReasonPruneBlocked)
		s.engine.Inject(fakeengine.Inspect, 0, fakeengine.FailsBefore(nil))
		s.engine.StopContainer(s.container("a").ID)
		later(31 * time.Second) // a resync
		s.settle()
		if n := len(s.engine.Snapshot().Containers); n != 4 {
			t.Errorf("%d of 4 sidecars are left", n)
		}
		if n := len(s.Blocked()); n != 4 {
			t.Errorf("%d of 4 names are blocked", n)
		}
	})
}

// A removal that the engine does not finish keeps no new sidecar away, and the name is taken once it is free.
func TestARemovalThatStallsKeepsNoNewSidecarAway(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.engine.StallRemoval(s.container("web").ID)
		later(time.Minute)
		s.settle()
		s.wantServed("web", "https://api.example.com one")
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
		s.engine.FinishRemovals()
		later(time.Minute)
		s.settle()
		if c := s.container("web"); c.Name != "cred-proxy-web" {
			t.Errorf("it is named %s", c.Name)
		}
	})
}
