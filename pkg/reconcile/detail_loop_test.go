package reconcile_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// dated is a lender whose tokens were all written at one time.
type dated struct {
	lender
	written time.Time
}

func (d dated) Changed(spec.TokenRef) time.Time { return d.written }

// status is what is told of a name.
func (s *stage) status(name string) spec.CredProxyStatus {
	s.t.Helper()
	one, ok := s.Get(name)
	listed := s.List()
	at := slices.IndexFunc(listed, func(cp spec.CredProxy) bool { return cp.Name == name })
	if !ok || at < 0 {
		s.t.Fatalf("no spec %s", name)
	}
	if diff := cmp.Diff(*one.Status, *listed[at].Status); diff != "" {
		s.t.Errorf("of one and in the list is told of %s (-one +list):\n%s", name, diff)
	}
	return *one.Status
}

func TestAStatusTellsHowOldTokensAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, fakeengine.New(time.Millisecond), defaultOptions())
		written, ends := time.Unix(1000, 0), time.Unix(2000, 0)
		s.registry = prometheus.NewRegistry()
		s.Controller = reconcile.New(s.driver, dated{lender{s.tokens, map[spec.TokenRef]time.Time{{Env: "TOKEN"}: ends}}, written},
			defaultOptions(), s.registry, slog.New(slog.DiscardHandler))
		s.runs(func(s *stage) {
			s.declare(s.environment("web"))
			want := []spec.TokenStatus{{
				Ref: spec.TokenRef{Env: "TOKEN"}, Reason: reconcile.ReasonResolved,
				ChangeTime: &metav1.Time{Time: written}, ExpirationTime: &metav1.Time{Time: ends}, RenewalTime: &metav1.Time{Time: ends.Add(-time.Minute)},
			}}
			if diff := cmp.Diff(want, s.status("web").Tokens); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	})
}

func TestAStatusTellsWhatBecameOfEachToken(t *testing.T) {
	play(t, func(s *stage) {
		web := edited(s.environment("web"), func(s *spec.CredProxySpec) {
			s.Routes = append(s.Routes, spec.Route{
				Path: "/other", Upstream: "https://other.example.com",
				Auth: &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: spec.TokenRef{Env: "MISSING"}},
			})
		})
		reasons := func() (got []string) {
			for _, token := range s.status("web").Tokens {
				if (token.Message == "") != (token.Reason == reconcile.ReasonResolved) || token.ChangeTime != nil {
					t.Errorf("%+v", token)
				}
				got = append(got, token.Ref.Env+" "+token.Reason)
			}
			return got
		}
		s.declare(web)
		if diff := cmp.Diff([]string{"TOKEN Resolved", "MISSING TokenMissing"}, reasons()); diff != "" {
			t.Errorf("with one missing (-want +got):\n%s", diff)
		}
		s.tokens.put(spec.TokenRef{Env: "MISSING"}, "there")
		later(10 * time.Second)
		s.settle()
		if diff := cmp.Diff([]string{"TOKEN Resolved", "MISSING Resolved"}, reasons()); diff != "" {
			t.Errorf("with both (-want +got):\n%s", diff)
		}
		s.declared.Withheld = map[string]reconcile.Withholding{}
		s.declared.Withhold("web", "/other", reconcile.Withheld{Word: "revoked", Reason: reconcile.ReasonRevoked, Message: "it is revoked"})
		s.declare(web)
		if diff := cmp.Diff([]string{"TOKEN Resolved", "MISSING Revoked"}, reasons()); diff != "" {
			t.Errorf("with one withheld (-want +got):\n%s", diff)
		}
		web = web.DeepCopy()
		web.Annotations = map[string]string{spec.AnnotationPaused: "true"}
		s.declared.Withheld = nil
		s.declare(web)
		if diff := cmp.Diff([]string{"TOKEN NotChecked", "MISSING NotChecked"}, reasons()); diff != "" {
			t.Errorf("paused (-want +got):\n%s", diff)
		}
	})
}

func TestAStatusTellsWhatWasCounted(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		if last := s.status("web").Traffic[0].LastTime; last != nil {
			t.Errorf("before the first request, the last was %v", last)
		}
		s.answers(200, 200, 502)
		s.engine.InFlight(s.container("web").ID, "/api", 2)
		got := s.status("web").Traffic[0]
		if got.Path != "/api" || got.Requests["2xx"] != 2 || got.Requests["5xx"] != 1 || len(got.Requests) != 2 || got.InFlight != 2 || got.Injections != 3 {
			t.Errorf("got %+v", got)
		}
		if got.LastTime == nil || time.Since(got.LastTime.Time) > time.Minute || got.Latency == nil || got.Latency.Count != 3 {
			t.Errorf("the last was %v, after %+v", got.LastTime, got.Latency)
		}
		next := newStage(s.t, s.engine, defaultOptions())
		next.runs(func(next *stage) {
			next.declare(s.declared.Specs...)
			if got := next.status("web").Traffic[0]; got.Requests["2xx"] != 2 || got.LastTime != nil {
				t.Errorf("a controller that begins later says of what came before it %+v", got)
			}
		})
	})
}

func TestAStatusTellsByWhatAnEnvironmentIsOpen(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.engine.AlterNetwork(s.network("web-internal"), func(n *fakeengine.Network) { n.HostReachable = false })
		s.declare(web)
		if found := s.status("web").IsolationFindings; found != nil {
			t.Errorf("of one that is isolated is told %+v", found)
		}
		id := s.engine.AddContainer(fakeengine.Foreign{Name: "agent", Reach: reconcile.Reach{Privileged: true}})
		s.engine.ConnectContainer(id, s.network("web-internal"))
		s.settle()
		found := s.status("web").IsolationFindings
		if len(found) != 1 || found[0].Severity != "breach" || found[0].Reason != reconcile.ReasonPrivileged || found[0].Object != "agent" || found[0].Message == "" {
			t.Errorf("of one that is open is told %+v", found)
		}
	})
}

func TestAStatusTellsWhatIsStillToBeDone(t *testing.T) {
	play(t, func(s *stage) {
		const value = "a-value-that-no-status-may-tell"
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, value)
		s.engine.Inject(fakeengine.Start, 0, fakeengine.FailsBefore(errors.New("no space left on device")))
		s.declare(s.environment("web"))
		status := s.status("web")
		at := slices.IndexFunc(status.PlannedSteps, func(p spec.PlannedStep) bool { return p.Step == string(reconcile.StepStart) })
		if at < 0 || status.PlannedSteps[at].Cause == "" || status.PlannedSteps[at].Target == "" {
			t.Fatalf("after a failure it plans %+v", status.PlannedSteps)
		}
		want := spec.PlannedChange{Change: spec.ChangeAdd, Object: spec.ChangedRoute, Name: "/api", After: "https://api.example.com, Bearer, token from env TOKEN"}
		if told := fmt.Sprint(status.PlannedChanges); !slices.Contains(status.PlannedChanges, want) || strings.Contains(told, value) {
			t.Errorf("of what that changes it tells %+v", status.PlannedChanges)
		}
		if next := status.NextAttemptTime; next == nil || !next.After(time.Now()) {
			t.Errorf("it is tried again at %v, and it is %v", next, time.Now())
		}
		s.engine.Heal()
		later(time.Minute)
		s.settle()
		if status := s.status("web"); len(status.PlannedSteps)+len(status.PlannedChanges) > 0 || status.NextAttemptTime != nil {
			t.Errorf("once it serves, it plans %+v at %v", status.PlannedSteps, status.NextAttemptTime)
		}
	})
}

func TestWhatIsShownIsToldToHaveChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes atomic.Int64
		opts := defaultOptions()
		opts.Changed = func() { changes.Add(1) }
		newStage(t, fakeengine.New(time.Millisecond), opts).runs(func(s *stage) {
			tells := func(what string, want bool, do func()) {
				t.Helper()
				before := changes.Load()
				do()
				s.settle()
				if more := changes.Load() - before; (more > 0) != want {
					t.Errorf("%s: %d changes are told", what, more)
				}
			}
			web := s.environment("web")
			s.declare()
			later(time.Minute) // after a look at everything it is ready
			s.settle()
			tells("a new spec", true, func() { s.declare(web) })
			tells("the same again", false, func() { s.declare(web) })
			tells("a look that finds nothing", false, func() { later(5 * time.Minute) })
			tells("the engine goes", true, func() { s.engine.SetDown(true); later(time.Minute) })
			tells("the engine comes back", true, func() { s.engine.SetDown(false); later(time.Minute) })
			tells("a sidecar is killed", true, func() { s.engine.RemoveContainer(s.container("web").ID, true) })
			tells("the file goes", true, func() { s.declare() })
		})
	})
}
