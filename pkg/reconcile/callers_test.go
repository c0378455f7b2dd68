package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

const (
	firstKey  = "first-key-of-callers"
	secondKey = "second-key-of-callers"
)

// keyed asks the callers of a spec for the key in the variable KEY.
func keyed(cp *spec.CredProxy, delivery spec.TokenDelivery) *spec.CredProxy {
	return edited(cp, func(s *spec.CredProxySpec) {
		s.TokenDelivery = delivery
		s.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{Env: "KEY"}, Header: "X-My-Key"}
	})
}

// wantKey checks which key the sidecar of web knows; empty when it asks for none.
func (s *stage) wantKey(want string) {
	s.t.Helper()
	answers := s.engine.Ask(s.network("web-internal"), "cred-proxy", 9099, "/api/x")
	if len(answers) != 1 {
		s.t.Fatalf("%d sidecars answer", len(answers))
	}
	asked := answers[0].CallerAuth
	if got := answers[0].CallerKey.Reveal(); got != want || (asked != nil) != (want != "") || asked != nil && asked.Header != "X-My-Key" {
		s.t.Errorf("callers are asked for %q (%+v), want %q", got, asked, want)
	}
}

func TestTheCallerKeyIsDeliveredAndFollowedInPlace(t *testing.T) {
	play(t, func(s *stage) {
		s.tokens.put(spec.TokenRef{Env: "KEY"}, firstKey)
		web := s.environment("web")
		s.declare(web)
		s.wantKey("")
		made := s.container("web").ID

		s.declare(keyed(web, spec.DeliverFile))
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
		s.wantKey(firstKey)
		s.wantServed("web", "https://api.example.com one")

		s.tokens.put(spec.TokenRef{Env: "KEY"}, secondKey)
		later(time.Minute)
		s.settle()
		s.wantKey(secondKey)

		s.declare(edited(keyed(web, spec.DeliverFile), func(s *spec.CredProxySpec) {
			s.Routes = append(s.Routes, spec.Route{
				Path: "/more", Upstream: "https://more.example.com",
				Auth: &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: spec.TokenRef{Env: "TOKEN"}},
			})
		}))
		s.wantKey(secondKey)
		s.declare(web)
		s.wantKey("")
		if got := s.container("web").ID; got != made {
			t.Error("it took another container")
		}
	})
}

func TestAChangedCallerKeyInTheEnvironmentIsANewContainer(t *testing.T) {
	play(t, func(s *stage) {
		s.tokens.put(spec.TokenRef{Env: "KEY"}, firstKey)
		s.declare(keyed(s.environment("web"), spec.DeliverEnv))
		s.wantKey(firstKey)
		made := s.container("web").ID
		s.tokens.put(spec.TokenRef{Env: "KEY"}, secondKey)
		later(time.Minute)
		s.settle()
		s.wantKey(secondKey)
		if got := s.container("web").ID; got == made {
			t.Error("the container is still the one with the first key")
		}
	})
}

func TestNothingIsMadeWithoutAGoodCallerKey(t *testing.T) {
	for name, tt := range map[string]struct{ key, reason, says string }{
		"missing":                     {"", reconcile.ReasonTokenMissing, "token env KEY"},
		"short":                       {"fifteen-letters", reconcile.ReasonTokenInvalid, "the caller key of env KEY is shorter than 16 characters"},
		"not to be sent by a client":  {"a key with spaces in it", reconcile.ReasonTokenInvalid, "the caller key of env KEY has a space"},
		"a token by another name":     {"the-token-of-the-route", reconcile.ReasonTokenInvalid, "the caller key of env KEY is the token of env TOKEN"},
		"no key at all, several line": {"a\nb", reconcile.ReasonTokenInvalid, "env KEY has a control character"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *stage) {
				s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "the-token-of-the-route")
				s.tokens.put(spec.TokenRef{Env: "KEY"}, tt.key)
				s.declare(keyed(s.environment("web"), spec.DeliverFile))
				s.wantReady("web", metav1.ConditionFalse, tt.reason)
				cp, _ := s.Get("web")
				tokens := meta.FindStatusCondition(cp.Status.Conditions, spec.ConditionTokensResolved)
				if tokens.Status != metav1.ConditionFalse || !strings.Contains(tokens.Message, tt.says) || tt.key != "" && strings.Contains(tokens.Message, tt.key) {
					t.Errorf("TokensResolved is %s: %s", tokens.Status, tokens.Message)
				}
				if n := s.engine.Calls()[fakeengine.Create]; n != 0 {
					t.Errorf("%d containers were made", n)
				}
			})
		})
	}
}

func TestTheCallerKeyCountsAmongTheTokens(t *testing.T) {
	play(t, func(s *stage) {
		s.tokens.put(spec.TokenRef{Env: "KEY"}, firstKey)
		s.declare(keyed(s.environment("web"), spec.DeliverFile))
		cp, _ := s.Get("web")
		tokens := meta.FindStatusCondition(cp.Status.Conditions, spec.ConditionTokensResolved)
		if tokens.Status != metav1.ConditionTrue || tokens.Message != "2 of 2 token references have a value" {
			t.Errorf("TokensResolved is %s: %s", tokens.Status, tokens.Message)
		}
	})
}
