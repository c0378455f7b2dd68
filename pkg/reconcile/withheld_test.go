package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// answersWithheld reports why the name's sidecar would answer no_token on its route; empty when it has the token.
func (s *stage) answersWithheld(name string) routetable.Withheld {
	s.t.Helper()
	answers := s.engine.Ask(s.network(name+"-internal"), "cred-proxy", 9099, "/api/x")
	if len(answers) != 1 {
		s.t.Fatalf("%d sidecars answer", len(answers))
	}
	return answers[0].Withheld
}

func suspended(cp *spec.CredProxy) *spec.CredProxy {
	out := cp.DeepCopy()
	out.Annotations = map[string]string{spec.AnnotationSuspended: "true"}
	return out
}

func TestASuspendedSpecKeepsItsSidecarWithoutTokens(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		made := s.container("web").ID
		s.declare(suspended(web))
		if why := s.answersWithheld("web"); why != routetable.WithheldSuspended {
			t.Errorf("withheld because %q", why)
		}
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonSuspended)
		if s.container("web").ID != made {
			t.Error("it is another container")
		}
		if told := s.told("web", reconcile.ReasonSuspended); len(told) != 1 {
			t.Errorf("told %q", told)
		}
		calls := s.engine.Calls()
		later(5 * time.Minute)
		s.settle()
		if again := s.engine.Calls(); again[fakeengine.CopyRoutes] != calls[fakeengine.CopyRoutes] {
			t.Error("it is delivered to again and again")
		}
		s.declare(web)
		s.wantServed("web", "https://api.example.com one")
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

func TestWhatTheOperatorWithholdsIsTakenAtOnce(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		revoked := reconcile.Withheld{Word: routetable.WithheldRevoked, Reason: reconcile.ReasonRevoked, Message: "revoked by the operator"}
		s.declared.Withheld = map[string]reconcile.Withholding{"web": {All: &revoked}}
		s.declare(web)
		if why := s.answersWithheld("web"); why != routetable.WithheldRevoked {
			t.Errorf("withheld because %q", why)
		}
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonRevoked)
		s.declared.Withheld = nil
		s.declare(web)
		s.wantServed("web", "https://api.example.com one")
	})
}

func TestASidecarThatRefusesToGiveUpItsTokensGoes(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		made := s.container("web").ID
		s.engine.Inject(fakeengine.Reload, 1, fakeengine.FailsBefore(reconcile.ErrRoutesRefused))
		s.declare(suspended(web))
		s.settle()
		if s.container("web").ID == made {
			t.Error("it keeps its tokens")
		}
		if why := s.answersWithheld("web"); why != routetable.WithheldSuspended {
			t.Errorf("withheld because %q", why)
		}
	})
}

func TestATokenThatDisappears(t *testing.T) {
	ref := spec.TokenRef{Env: "TOKEN"}
	for _, revoke := range []bool{false, true} {
		t.Run(map[bool]string{false: "stays", true: "is revoked"}[revoke], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := defaultOptions()
				opts.RevokeMissing = revoke
				newStage(t, fakeengine.New(time.Millisecond), opts).runs(func(s *stage) {
					web := s.environment("web")
					s.declare(web)
					s.tokens.put(ref, "")
					later(opts.Resync)
					s.settle()
					got, _ := s.Get("web")
					if c := meta.FindStatusCondition(got.Status.Conditions, spec.ConditionTokensResolved); c.Status != metav1.ConditionFalse || c.Reason != reconcile.ReasonTokenMissing {
						t.Errorf("TokensResolved is %s %s", c.Status, c.Reason)
					}
					if why := s.answersWithheld("web"); (why == routetable.WithheldMissing) != revoke {
						t.Errorf("withheld because %q", why)
					}
					if revoke {
						s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonTokenMissing)
					} else {
						s.wantServed("web", "https://api.example.com one")
					}
					told := 0
					for _, e := range s.Events() {
						if e.Reason == reconcile.ReasonTokenMissing {
							told++
						}
					}
					if told != 1 {
						t.Errorf("told %d times that the token is missing", told)
					}
					s.tokens.put(ref, "two")
					later(opts.Resync)
					s.settle()
					s.wantServed("web", "https://api.example.com two")
					s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
				})
			})
		})
	}
}

// One token that is gone does not keep another from being rotated.
func TestATokenIsRotatedBesideOneThatIsGone(t *testing.T) {
	play(t, func(s *stage) {
		web := edited(s.environment("web"), func(s *spec.CredProxySpec) {
			s.Routes = append(s.Routes, spec.Route{
				Path: "/git", Upstream: "https://git.example.org",
				Auth: &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: spec.TokenRef{File: "git"}},
			})
		})
		s.tokens.put(spec.TokenRef{File: "git"}, "git-one")
		s.declare(web)
		s.tokens.put(spec.TokenRef{File: "git"}, "")
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "two")
		later(defaultOptions().Resync)
		s.settle()
		s.wantServed("web", "https://api.example.com two")
		answers := s.engine.Ask(s.network("web-internal"), "cred-proxy", 9099, "/git/x")
		if got := answers[0].Tokens[routetable.OnlyToken].Reveal(); got != "git-one" {
			t.Errorf("the other route has %q", got)
		}
		got, _ := s.Get("web")
		if !slices.ContainsFunc(got.Status.Conditions, func(c metav1.Condition) bool {
			return c.Reason == reconcile.ReasonTokenMissing && strings.Contains(c.Message, "file git")
		}) {
			t.Errorf("nothing is said of it: %+v", got.Status.Conditions)
		}
	})
}

// mute is a source that does not answer.
type mute struct{ *purse }

func (m mute) Resolve(ctx context.Context, ref spec.TokenRef) (reconcile.Token, error) {
	token, err := m.purse.Resolve(ctx, ref)
	if err != nil {
		err = fmt.Errorf("%w: %s does not answer", reconcile.ErrTokenUnknown, ref)
	}
	return token, err
}

func TestASourceThatDoesNotAnswerRevokesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := defaultOptions()
		opts.RevokeMissing = true
		s := newStage(t, fakeengine.New(time.Millisecond), opts)
		s.Controller = reconcile.New(s.driver, mute{s.tokens}, opts, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		s.runs(func(s *stage) {
			s.declare(s.environment("web"))
			s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "")
			later(opts.Resync)
			s.settle()
			s.wantServed("web", "https://api.example.com one")
			got, _ := s.Get("web")
			if c := meta.FindStatusCondition(got.Status.Conditions, spec.ConditionTokensResolved); c.Reason != reconcile.ReasonTokenMissing {
				t.Errorf("TokensResolved is %s %s", c.Status, c.Reason)
			}
		})
	})
}

// reluctant is a source that does not say what becomes of one reference.
type reluctant struct {
	*purse
	about spec.TokenRef
}

func (r reluctant) Resolve(ctx context.Context, ref spec.TokenRef) (reconcile.Token, error) {
	if ref == r.about {
		return reconcile.Token{}, fmt.Errorf("%w: %s does not answer", reconcile.ErrTokenUnknown, ref)
	}
	return r.purse.Resolve(ctx, ref)
}

// A controller that was started anew has nothing that stands in for the other route's token.
func TestATokenThatIsGoneIsTakenThoughAnotherSourceDoesNotAnswer(t *testing.T) {
	git := spec.TokenRef{File: "git"}
	synctest.Test(t, func(t *testing.T) {
		opts := defaultOptions()
		opts.RevokeMissing = true
		s := newStage(t, fakeengine.New(time.Millisecond), opts)
		web := edited(s.environment("web"), func(s *spec.CredProxySpec) {
			s.Routes = append(s.Routes, spec.Route{
				Path: "/git", Upstream: "https://git.example.org", Auth: &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: git},
			})
		})
		s.tokens.put(git, "git-one")
		s.runs(func(s *stage) { s.declare(web) })
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "")
		s.Controller = reconcile.New(s.engine.Driver("default"), reluctant{s.tokens, git}, opts, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		s.runs(func(s *stage) {
			s.declare(web)
			if why := s.answersWithheld("web"); why != routetable.WithheldMissing {
				t.Errorf("withheld because %q", why)
			}
			s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "two")
			later(opts.Resync)
			s.settle()
			s.wantServed("web", "https://api.example.com two")
		})
	})
}

func TestACallerKeyThatCanBeNoneKeepsNoTokenThatIsWithheld(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		s.tokens.put(spec.TokenRef{File: "key"}, "short")
		keyed := edited(web, func(s *spec.CredProxySpec) { s.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{File: "key"}} })
		keyed.Spec.Routes = append(keyed.Spec.Routes, spec.Route{Path: "/open", Upstream: "https://open.example.org"})
		s.declare(keyed)
		s.declared.Withheld = map[string]reconcile.Withholding{"web": {Routes: map[string]reconcile.Withheld{
			"/api": {Word: routetable.WithheldRevoked, Reason: reconcile.ReasonRevoked, Message: "revoked by the operator"},
		}}}
		s.declare(keyed)
		if why := s.answersWithheld("web"); why != routetable.WithheldRevoked {
			t.Errorf("withheld because %q", why)
		}
	})
}

// Whoever takes tokens away reads in the status when they are gone.
func TestTheStatusSaysOfWhichRoutesTheTokensAreGone(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		gone := func() []string {
			got, _ := s.Get("web")
			return got.Status.WithheldRoutes
		}
		if got := gone(); len(got) > 0 {
			t.Errorf("from the start: %q", got)
		}
		s.engine.Inject(fakeengine.CopyRoutes, 1, fakeengine.FailsBefore(reconcile.ErrEngineUnavailable))
		s.declareNow(suspended(web))
		synctest.Wait()
		if got := gone(); len(got) > 0 {
			t.Errorf("before they are taken: %q", got)
		}
		s.settle()
		if got := gone(); !slices.Equal(got, []string{"/api"}) {
			t.Errorf("after that: %q", got)
		}
		s.declareNow(web)
		if got := gone(); len(got) > 0 {
			t.Errorf("while they are delivered again: %q", got)
		}
	})
}

func TestASidecarOfANameThatIsRejectedIsNeverUnknown(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.declared.Rejected = []reconcile.Rejected{{Name: "web", Reason: reconcile.ReasonDuplicateName, Message: "declared twice"}}
		s.declareNow()
		if got, _ := s.Get("web"); got.Status.ContainerID == "" {
			t.Error("for a moment it looks as if it had no sidecar")
		}
	})
}

// A stream that an agent keeps open holds up a replacement, and must not hold up that its token is taken away.
func TestADrainDoesNotHoldBackThatTokensAreTaken(t *testing.T) {
	for name, withhold := range map[string]func(s *stage, next *spec.CredProxy) *spec.CredProxy{
		"by the operator": func(s *stage, next *spec.CredProxy) *spec.CredProxy {
			revoked := reconcile.Withheld{Word: routetable.WithheldSuspended, Reason: reconcile.ReasonRevoked, Message: "revoked by the operator"}
			s.declared.Withheld = map[string]reconcile.Withholding{"web": {All: &revoked}}
			return next
		},
		"by the spec": func(_ *stage, next *spec.CredProxy) *spec.CredProxy { return suspended(next) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *stage) {
				web := s.environment("web")
				s.declare(web)
				drain := fakeengine.NewGate()
				s.engine.Inject(fakeengine.Drain, 1, drain.Fault())
				next := edited(web, func(s *spec.CredProxySpec) { s.TokenDelivery = spec.DeliverMemory })
				s.declareNow(next)
				<-drain.Reached()
				s.declared.At = time.Now()
				s.declare(next)
				if got := len(s.served("web")); got != 2 {
					t.Errorf("%d serve while the old one drains", got)
				}
				s.declare(withhold(s, next))
				if why := s.answersWithheld("web"); why != routetable.WithheldSuspended {
					t.Errorf("withheld because %q", why)
				}
			})
		})
	}
}
