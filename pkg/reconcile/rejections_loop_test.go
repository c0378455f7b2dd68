package reconcile_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// answers has the upstream of web answer its agent, and waits.
func (s *stage) answers(statuses ...int) {
	s.t.Helper()
	for _, status := range statuses {
		s.engine.UpstreamAnswers(s.container("web").ID, "/api", status)
	}
	s.settle()
}

func (s *stage) wantTokens(name string, status metav1.ConditionStatus, reason string, says ...string) {
	s.t.Helper()
	cp, _ := s.Get(name)
	got := meta.FindStatusCondition(cp.Status.Conditions, spec.ConditionTokensResolved)
	if got.Status != status || got.Reason != reason {
		s.t.Errorf("%s is TokensResolved=%s %s (%s), want %s %s", name, got.Status, got.Reason, got.Message, status, reason)
	}
	for _, part := range says {
		if !strings.Contains(got.Message, part) {
			s.t.Errorf("it does not say %q: %s", part, got.Message)
		}
	}
}

func (s *stage) wantRejected(name string, total int) {
	s.t.Helper()
	s.wantSeries("credproxy_token_rejected_total", fmt.Sprintf(`
# HELP credproxy_token_rejected_total Answers 401 of a route's upstream to a token that it took before.
# TYPE credproxy_token_rejected_total counter
credproxy_token_rejected_total{name=%q,route="/api"} %d
`, name, total))
}

func TestARejectedTokenIsShownUntilAnotherIsDelivered(t *testing.T) {
	for _, delivery := range []spec.TokenDelivery{spec.DeliverFile, spec.DeliverEnv} {
		t.Run(string(delivery), func(t *testing.T) {
			play(t, func(s *stage) {
				s.declare(edited(s.environment("web"), func(s *spec.CredProxySpec) { s.TokenDelivery = delivery }))
				s.answers(200)
				s.wantTokens("web", metav1.ConditionTrue, reconcile.ReasonResolved)
				s.wantRejected("web", 0)
				s.answers(401, 401)
				s.wantTokens("web", metav1.ConditionFalse, reconcile.ReasonTokenRejected,
					"route /api: api.example.com answers 401 to the token of env TOKEN", "(2 so far)", "rotate it")
				s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
				s.wantToldOf("web", reconcile.ReasonTokenRejected, 1)
				s.wantRejected("web", 2)

				s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "two")
				later(time.Minute)
				s.settle()
				s.wantServed("web", "https://api.example.com two")
				s.wantTokens("web", metav1.ConditionTrue, reconcile.ReasonResolved)
				s.answers(401)
				s.wantTokens("web", metav1.ConditionTrue, reconcile.ReasonResolved)
				s.answers(200, 401)
				s.wantTokens("web", metav1.ConditionFalse, reconcile.ReasonTokenRejected)
				s.wantToldOf("web", reconcile.ReasonTokenRejected, 2)
				s.wantToldOf("web", reconcile.EventTokenAccepted, 0)
				s.wantRejected("web", 3)
				s.declare()
				s.wantSeries("credproxy_token_rejected_total", "")
			})
		})
	}
}

func TestATokenThatWorksAgainIsTold(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.answers(200, 401)
		s.answers(200)
		s.wantTokens("web", metav1.ConditionTrue, reconcile.ReasonResolved)
		s.wantToldOf("web", reconcile.EventTokenAccepted, 1)
		s.answers(401)
		s.wantToldOf("web", reconcile.ReasonTokenRejected, 2)
	})
}

// TestARejectedTokenCostsNothing counts what the engine is asked: one look when it begins, and none as it goes on.
func TestARejectedTokenCostsNothing(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.answers(200)
		s.engine.ResetCalls()
		s.answers(401)
		if calls := s.engine.Calls(); !maps.Equal(calls, map[fakeengine.Verb]int{fakeengine.Observe: 1}) {
			t.Errorf("its beginning takes %v", calls)
		}
		s.engine.ResetCalls()
		for range 5 {
			s.answers(401, 401, 401)
		}
		if calls := s.engine.Calls(); len(calls) != 0 {
			t.Errorf("its going on takes %v", calls)
		}
		later(30 * time.Second)
		s.settle()
		if calls := s.engine.Calls(); !maps.Equal(calls, map[fakeengine.Verb]int{fakeengine.Observe: 1}) {
			t.Errorf("a resync takes %v", calls)
		}
		s.wantTokens("web", metav1.ConditionFalse, reconcile.ReasonTokenRejected, "(16 so far)")
		s.wantRejected("web", 16)
		s.wantToldOf("web", reconcile.ReasonTokenRejected, 1)
	})
}

// TestTokensThatComeAndGoFloodNoEvents is what an agent can do by what it asks for.
func TestTokensThatComeAndGoFloodNoEvents(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		for range 100 {
			s.answers(200)
			s.answers(401)
		}
		n := 0
		for _, e := range s.Events() {
			if e.Reason == reconcile.ReasonTokenRejected || e.Reason == reconcile.EventTokenAccepted {
				n++
			}
		}
		if n < 10 || n > 20 {
			t.Errorf("%d events tell of it", n)
		}
		s.wantTokens("web", metav1.ConditionFalse, reconcile.ReasonTokenRejected)
		s.wantRejected("web", 100)
	})
}

func TestANewControllerHearsOfARejectedToken(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		s.answers(200, 401)
		made := s.container("web").ID
		next := newStage(s.t, s.engine, defaultOptions())
		next.declare(web)
		if err := next.Once(s.t.Context()); err != nil {
			t.Fatal(err)
		}
		next.wantTokens("web", metav1.ConditionFalse, reconcile.ReasonTokenRejected)
		next.wantToldOf("web", reconcile.ReasonTokenRejected, 1)
		next.wantRejected("web", 1)
		if s.container("web").ID != made {
			t.Error("it made another sidecar")
		}
	})
}

// TestATokenThatIsTakenAwayDoesNotWorkAgain suspends a spec whose token is rejected.
func TestATokenThatIsTakenAwayDoesNotWorkAgain(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		s.answers(200, 401)
		suspended := web.DeepCopy()
		suspended.Annotations = map[string]string{spec.AnnotationSuspended: "true"}
		s.declare(suspended)
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonSuspended)
		s.wantToldOf("web", reconcile.EventTokenAccepted, 0)
		s.declare(web)
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
		s.wantTokens("web", metav1.ConditionTrue, reconcile.ReasonResolved)
		s.wantToldOf("web", reconcile.ReasonTokenRejected, 1)
	})
}
