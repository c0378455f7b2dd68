package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// strict makes an environment whose sidecar leaves it while there is a breach.
func (s *stage) strict(name string) *spec.CredProxy {
	return edited(s.isolated(name), func(s *spec.CredProxySpec) { s.RequireIsolation = true })
}

// inside reports whether a name's sidecar is on its internal network.
func (s *stage) inside(name string) bool {
	s.t.Helper()
	internal := s.network(name + "-internal")
	return slices.ContainsFunc(s.container(name).Endpoints, func(e reconcile.Endpoint) bool { return e.NetworkID == internal })
}

func TestABreachTakesTheSidecarOffAndItsEndPutsItBack(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.strict("web"), s.isolated("shop"))
		made := s.container("web").ID
		bad := s.join("web", "bad", reconcile.Reach{Privileged: true})
		s.join("shop", "worse", reconcile.Reach{Privileged: true})
		s.soon()
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonNotIsolated)
		s.wantServed("web")
		s.wantServed("shop", "https://api.example.com one")
		if c := s.container("web"); s.inside("web") || c.ID != made || c.State != reconcile.StateRunning {
			t.Errorf("the sidecar is %s on %+v", c.State, c.Endpoints)
		}
		later(5 * time.Minute)
		s.settle()
		if s.inside("web") {
			t.Error("drift repair put it back")
		}
		s.engine.RemoveContainer(bad, true)
		s.soon()
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
		s.wantServed("web", "https://api.example.com one")
		if s.container("web").ID != made {
			t.Error("it is another container")
		}
		want := []string{"Warning Privileged", "Normal Disconnected", "Warning NotIsolated", "Normal IsolationRestored", "Normal Reconnected"}
		if told := s.told("web", reconcile.ReasonPrivileged, "Disconnected", reconcile.ReasonNotIsolated, reconcile.EventIsolationRestored, "Reconnected"); !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		s.wantCause("web", "Reconnected", "the breach has ended")
		s.wantCause("web", "Disconnected", `container "bad" is privileged`)
	})
}

// wantCause holds why something was done last.
func (s *stage) wantCause(name, reason, cause string) {
	s.t.Helper()
	var last string
	for _, e := range s.Events() {
		if e.Name == name && e.Reason == reason {
			last = e.Cause
		}
	}
	if !strings.Contains(last, cause) {
		s.t.Errorf("%s because %q, want %q", reason, last, cause)
	}
}

func TestASidecarThatIsOffTakesOverRoutesAndTokens(t *testing.T) {
	play(t, func(s *stage) {
		web := s.strict("web")
		s.declare(web)
		bad := s.join("web", "bad", reconcile.Reach{Privileged: true})
		s.soon()
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "two")
		s.declare(edited(web, func(s *spec.CredProxySpec) { s.Routes[0].Upstream = "https://other.example.com" }))
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonNotIsolated)
		if s.inside("web") {
			t.Error("an edit put it back")
		}
		s.engine.StopContainer(bad)
		s.soon()
		s.wantServed("web", "https://other.example.com two")
	})
}

func TestWithABreachNoSidecarIsMadeOrReplacedOrStarted(t *testing.T) {
	play(t, func(s *stage) {
		web := s.strict("web")
		bad := s.join("web", "bad", reconcile.Reach{Privileged: true})
		s.declare(web)
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonNotIsolated)
		if _, made := s.engine.Container("cred-proxy-web"); made {
			t.Error("a sidecar was made")
		}
		s.engine.StopContainer(bad)
		s.soon()
		s.wantServed("web", "https://api.example.com one")
		made := s.container("web").ID

		s.engine.StartContainer(bad)
		s.soon()
		s.declare(edited(web, func(s *spec.CredProxySpec) { s.Hostname = "proxy" }))
		s.engine.StopContainer(made)
		later(time.Minute)
		s.settle()
		if c := s.container("web"); c.ID != made || c.State != reconcile.StateExited || s.inside("web") {
			t.Errorf("the sidecar is %+v", c)
		}
		s.engine.StopContainer(bad)
		s.soon()
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

// A breach that comes up while a sidecar is made is met before it serves.
func TestABreachDuringAnAttemptIsMetBeforeAnythingServes(t *testing.T) {
	for name, change := range map[string]func(*stage, *spec.CredProxy){
		"the first one": func(s *stage, web *spec.CredProxy) { s.declareNow(web) },
		"the first one, which runs before it is delivered to": func(s *stage, web *spec.CredProxy) {
			s.declareNow(edited(web, func(s *spec.CredProxySpec) { s.TokenDelivery = spec.DeliverMemory }))
		},
		"a replacement": func(s *stage, web *spec.CredProxy) {
			s.declare(web)
			s.declareNow(edited(web, func(s *spec.CredProxySpec) { s.Hostname = "proxy" }))
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *stage) {
				web := s.strict("web")
				gate := fakeengine.NewGate()
				replaced := 0
				if name == "a replacement" {
					replaced = 1
				}
				s.engine.Inject(fakeengine.CopyRoutes, 1+replaced, gate.Fault())
				change(s, web)
				<-gate.Reached()
				s.join("web", "bad", reconcile.Reach{Privileged: true})
				later(time.Second)
				gate.Release()
				s.settle()
				later(2 * time.Second)
				s.settle()
				s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonNotIsolated)
				for _, host := range []string{"cred-proxy", "proxy"} {
					if got := s.engine.Ask(s.network("web-internal"), host, 9099, "/api/x"); len(got) != 0 {
						t.Errorf("%s answers: %+v", host, got)
					}
				}
				if n := len(s.engine.Snapshot().Containers); n != 1+replaced {
					t.Errorf("there are %d containers", n)
				}
			})
		})
	}
}

// A name that rests after a failure is not left alone when its agent gets out.
func TestABreachIsMetAlsoWhileTheNameRests(t *testing.T) {
	play(t, func(s *stage) {
		web := s.strict("web")
		s.declare(web)
		s.engine.Inject(fakeengine.Update, 0, fakeengine.FailsBefore(nil))
		s.declare(edited(web, func(s *spec.CredProxySpec) { s.Resources.Memory = "128Mi" }))
		later(time.Minute) // the pauses have grown long
		s.join("web", "bad", reconcile.Reach{Privileged: true})
		s.soon()
		if s.inside("web") {
			t.Error("it is still there")
		}
	})
}
