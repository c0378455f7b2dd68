package reconcile_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// ofTwo has the environment's route add two tokens.
func ofTwo(cp *spec.CredProxy, delivery spec.TokenDelivery) *spec.CredProxy {
	return edited(cp, func(s *spec.CredProxySpec) {
		s.TokenDelivery = delivery
		s.Routes[0].Auth = &spec.Auth{
			Scheme:  spec.SchemeCustom,
			Tokens:  map[string]spec.TokenRef{"app": {Env: "TOKEN"}, "user": {Env: "USER_TOKEN"}},
			Headers: []spec.Addition{{Name: "X-App", Value: "{app}"}},
			Basic:   &spec.BasicPair{Username: "{user}", Password: "{app}"},
		}
	})
}

func TestEachOfSeveralTokensIsRotated(t *testing.T) {
	for _, delivery := range []spec.TokenDelivery{spec.DeliverFile, spec.DeliverMemory, spec.DeliverEnv} {
		t.Run(string(delivery), func(t *testing.T) {
			play(t, func(s *stage) {
				s.tokens.put(spec.TokenRef{Env: "USER_TOKEN"}, "first-user")
				s.declare(ofTwo(s.environment("web"), delivery))
				s.wantServed("web", "https://api.example.com one first-user")
				for _, change := range [][3]string{
					{"USER_TOKEN", "second-user", "one second-user"}, {"TOKEN", "two", "two second-user"}, {"TOKEN", "", "two second-user"},
				} {
					s.tokens.put(spec.TokenRef{Env: change[0]}, change[1])
					later(defaultOptions().Resync)
					s.settle()
					s.wantServed("web", "https://api.example.com "+change[2])
				}
				s.wantTokens("web", metav1.ConditionFalse, reconcile.ReasonTokenMissing, "env TOKEN")
			})
		})
	}
}

func TestARouteWithoutOneOfItsTokensHasNoneOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := defaultOptions()
		opts.RevokeMissing = true
		newStage(t, fakeengine.New(time.Millisecond), opts).runs(func(s *stage) {
			s.tokens.put(spec.TokenRef{Env: "USER_TOKEN"}, "user")
			s.declare(ofTwo(s.environment("web"), spec.DeliverFile))
			s.tokens.put(spec.TokenRef{Env: "USER_TOKEN"}, "")
			later(opts.Resync)
			s.settle()
			if why := s.answersWithheld("web"); why != routetable.WithheldMissing {
				t.Errorf("withheld because %q", why)
			}
			s.wantServed("web", "https://api.example.com ")
			s.tokens.put(spec.TokenRef{Env: "USER_TOKEN"}, "again")
			later(opts.Resync)
			s.settle()
			s.wantServed("web", "https://api.example.com one again")
		})
	})
}

func TestTheTokensOfARejectedCredentialAreAllNamed(t *testing.T) {
	play(t, func(s *stage) {
		s.tokens.put(spec.TokenRef{Env: "USER_TOKEN"}, "user")
		s.declare(ofTwo(s.environment("web"), spec.DeliverFile))
		s.answers(200, 401)
		s.wantTokens("web", metav1.ConditionFalse, reconcile.ReasonTokenRejected,
			"route /api: api.example.com answers 401 to the tokens of env TOKEN and env USER_TOKEN, which it took before", "rotate the one that it rejects")
		s.wantToldOf("web", reconcile.ReasonTokenRejected, 1)
		s.tokens.put(spec.TokenRef{Env: "USER_TOKEN"}, "another")
		later(time.Minute)
		s.settle()
		s.wantTokens("web", metav1.ConditionTrue, reconcile.ReasonResolved)
	})
}

func TestAUserNameThatATokenWouldEndIsNotDelivered(t *testing.T) {
	play(t, func(s *stage) {
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "a password: any")
		s.tokens.put(spec.TokenRef{Env: "USER_TOKEN"}, "us:er")
		s.declare(ofTwo(s.environment("web"), spec.DeliverFile))
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonTokenInvalid)
		cp, _ := s.Get("web")
		tokens := meta.FindStatusCondition(cp.Status.Conditions, spec.ConditionTokensResolved)
		if !strings.Contains(tokens.Message, "the token of env USER_TOKEN has a colon") || strings.Contains(tokens.Message, "us:er") {
			t.Errorf("TokensResolved: %s", tokens.Message)
		}
		if n := s.engine.Calls()[fakeengine.Create]; n != 0 {
			t.Errorf("%d containers were made", n)
		}
	})
}
