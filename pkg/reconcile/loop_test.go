package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

func TestASpecBecomesASidecarAndGoes(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
		s.wantServed("web", "https://api.example.com one")
		s.declare()
		if left := s.engine.Snapshot(); len(left.Containers)+len(left.Volumes) != 0 {
			t.Errorf("left behind: %v", left)
		}
		if len(s.List()) != 0 {
			t.Errorf("still listed: %v", s.List())
		}
	})
}

func TestAnEditedRouteIsFollowedInPlace(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		before := s.container("web").ID
		s.declare(edited(web, func(s *spec.CredProxySpec) { s.Routes[0].Upstream = "https://other.example.com" }))
		s.wantServed("web", "https://other.example.com one")
		if after := s.container("web").ID; after != before {
			t.Error("another container serves")
		}
	})
}

func TestAChangedTokenIsFollowedInPlace(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "two")
		later(30 * time.Second) // a resync
		s.settle()
		s.wantServed("web", "https://api.example.com two")
	})
}

func TestAChangedHostnameIsANewContainer(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		before := s.container("web").ID
		s.declare(edited(web, func(s *spec.CredProxySpec) { s.Port = 9100 }))
		if s.container("web").ID == before || len(s.engine.Snapshot().Containers) != 1 {
			t.Errorf("containers: %v", s.engine.Snapshot().Containers)
		}
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

func TestAMissingTokenIsWaitedFor(t *testing.T) {
	play(t, func(s *stage) {
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "")
		s.declare(s.environment("web"))
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonTokenMissing)
		if n := len(s.engine.Snapshot().Containers); n != 0 {
			t.Errorf("%d containers were made", n)
		}
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "late")
		later(5 * time.Second)
		s.settle()
		s.wantServed("web", "https://api.example.com late")
	})
}

func TestAMissingNetworkIsWaitedFor(t *testing.T) {
	play(t, func(s *stage) {
		s.engine.AddNetwork("web-internal", true)
		s.declare(environment("web"))
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonNetworkNotFound)
		s.engine.AddNetwork("web-egress", false)
		s.settle()
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

func TestNetworksAreMadeAndRemovedWhereThatIsAskedFor(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(edited(environment("web"), func(s *spec.CredProxySpec) { s.CreateNetworks = true }))
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
		s.declare()
		if left := s.engine.Snapshot(); len(left.Networks)+len(left.Containers) != 0 {
			t.Errorf("left behind: %v %v", left.Networks, left.Containers)
		}
	})
}

func TestDriftIsRepaired(t *testing.T) {
	for name, harm := range map[string]func(*stage, fakeengine.Container){
		"stopped": func(s *stage, c fakeengine.Container) { s.engine.StopContainer(c.ID) },
		"killed":  func(s *stage, c fakeengine.Container) { s.engine.KillContainer(c.ID) },
		"removed": func(s *stage, c fakeengine.Container) { s.engine.RemoveContainer(c.ID, true) },
		"paused":  func(s *stage, c fakeengine.Container) { s.engine.PauseContainer(c.ID) },
		"renamed": func(s *stage, c fakeengine.Container) { s.engine.RenameContainer(c.ID, "mine") },
		"limits": func(s *stage, c fakeengine.Container) {
			s.engine.UpdateContainer(c.ID, reconcile.Limits{Memory: 1 << 30})
		},
		"restart policy": func(s *stage, c fakeengine.Container) { s.engine.ForbidRestarts(c.ID) },
		"internal network": func(s *stage, c fakeengine.Container) {
			s.engine.DisconnectContainer(c.ID, s.network("web-internal"))
		},
		"egress network": func(s *stage, c fakeengine.Container) {
			s.engine.DisconnectContainer(c.ID, s.network("web-egress"))
		},
		"alias": func(s *stage, c fakeengine.Container) {
			s.engine.DisconnectContainer(c.ID, s.network("web-internal"))
			s.engine.ConnectContainer(c.ID, s.network("web-internal"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *stage) {
				s.declare(s.environment("web"))
				harm(s, s.container("web"))
				s.settle()
				s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
				s.wantServed("web", "https://api.example.com one")
				if c := s.container("web"); c.Limits.Memory != 64<<20 {
					t.Errorf("memory limit %d", c.Limits.Memory)
				}
				if n := drift(t, s.registry); n == 0 {
					t.Error("no drift was counted")
				}
			})
		})
	}
}

// While an engine removes a sidecar, its successor cannot have its name. That it gets it afterwards is no doing of somebody else.
func TestANameThatAReplacementWasMadeWithIsNoDrift(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		old := s.container("web").ID
		s.engine.StallRemoval(old)
		s.settle()
		s.engine.FinishRemoval(old)
		s.settle()
		s.wantServed("web", "https://api.example.com one")
		if c := s.container("web"); c.ID == old {
			t.Fatal("the old one is still there")
		}
		if n := drift(t, s.registry); n != 1 {
			t.Errorf("drift was counted %v times", n)
		}
		types := map[string]string{}
		for _, e := range s.Events() {
			types[e.Reason+": "+e.Cause] = e.Type
		}
		if got := types[reconcile.EventCreated+": somebody is removing its sidecar"]; got != "Warning" {
			t.Errorf("that it was made is told as %q: %v", got, types)
		}
		for told, severity := range types {
			if strings.HasPrefix(told, reconcile.EventRenamed) && severity != "Normal" {
				t.Errorf("%s is told as %s", told, severity)
			}
		}
	})
}

// drift adds up the drift of all kinds.
func drift(t *testing.T, registry *prometheus.Registry) (n float64) {
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "credproxy_drift_total" {
			for _, m := range f.GetMetric() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

func TestWhatIsNotOursIsLeftAlone(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		holder := s.engine.AddContainer(fakeengine.Foreign{Name: "cred-proxy-web"})
		s.declare(web)
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonNameConflict)
		if c := s.container("web"); c.ID != holder {
			t.Error("the foreign container is gone")
		}
		s.engine.RemoveContainer(holder, true)
		s.settle()
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

func TestAnIncompleteScanRemovesNothing(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.declared.Complete, s.declared.Err = false, errors.New("a folder cannot be read")
		s.declare()
		s.container("web")
		if blocked := s.Blocked(); len(blocked) != 1 || blocked[0].Reason != reconcile.ReasonPruneBlocked {
			t.Errorf("blocked: %v", blocked)
		}
		s.declared.Complete, s.declared.Err = true, nil
		s.declare()
		if n := len(s.engine.Snapshot().Containers); n != 0 {
			t.Errorf("%d containers are left", n)
		}
	})
}

func TestAFailedAttemptLeavesNothing(t *testing.T) {
	for _, verb := range []fakeengine.Verb{
		fakeengine.Create, fakeengine.CopyRoutes, fakeengine.Connect, fakeengine.Start, fakeengine.WaitReady,
	} {
		for _, fault := range []fakeengine.Fault{fakeengine.FailsBefore(nil), fakeengine.FailsAfter(nil)} {
			t.Run(fmt.Sprintf("%s %s", verb, fault.Name), func(t *testing.T) {
				play(t, func(s *stage) {
					s.engine.Inject(verb, 1, fault)
					s.declare(s.environment("web"))
					later(5 * time.Second)
					s.settle()
					s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
					if left := s.engine.Snapshot(); len(left.Containers) != 1 || len(left.Volumes) != 1 {
						t.Errorf("%d containers and %d volumes are left", len(left.Containers), len(left.Volumes))
					}
				})
			})
		}
	}
}

func TestOneBadSpecDoesNotDelayTheOthers(t *testing.T) {
	play(t, func(s *stage) {
		gate := fakeengine.NewGate()
		s.engine.Inject(fakeengine.Start, 1, gate.Fault())
		a := s.environment("a")
		s.declare(a)
		b := s.environment("b")
		s.declare(a, b)
		s.wantReady("b", metav1.ConditionTrue, reconcile.ReasonRunning)
		s.wantReady("a", metav1.ConditionFalse, reconcile.ReasonProgressing)
		gate.Release()
		s.settle()
		s.wantReady("a", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

func TestAnEngineThatIsDownIsRetried(t *testing.T) {
	play(t, func(s *stage) {
		s.engine.SetDown(true)
		s.declare(s.environment("web"))
		s.wantReady("web", metav1.ConditionUnknown, reconcile.ReasonEngineUnavailable)
		if s.Readyz() == nil {
			t.Error("ready without an engine")
		}
		s.engine.SetDown(false)
		s.settle()
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
		if err := s.Readyz(); err != nil {
			t.Errorf("not ready: %v", err)
		}
	})
}

// After a restart of the controller running sidecars are adopted, and their tokens delivered anew, in place.
func TestAnotherControllerTakesOver(t *testing.T) {
	var engine *fakeengine.Engine
	synctest.Test(t, func(t *testing.T) {
		engine = fakeengine.New(time.Millisecond)
		var before string
		for i, token := range []string{"one", "two"} {
			s := newStage(t, engine, defaultOptions())
			s.tokens.put(spec.TokenRef{Env: "TOKEN"}, token)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- s.Run(ctx) }()
			if i == 0 {
				s.declare(s.environment("web"))
				before = s.container("web").ID
			} else {
				s.declare(environment("web"))
			}
			s.wantServed("web", "https://api.example.com "+token)
			if s.container("web").ID != before {
				t.Error("another container serves")
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// That a declared token was never delivered is not forgotten with the process that could not deliver it.
func TestAnotherControllerKnowsThatADeclaredTokenIsMissing(t *testing.T) {
	for _, delivery := range []spec.TokenDelivery{spec.DeliverFile, spec.DeliverMemory} {
		synctest.Test(t, func(t *testing.T) {
			engine := fakeengine.New(time.Millisecond)
			missing := spec.TokenRef{File: "missing-now"}
			var web *spec.CredProxy
			newStage(t, engine, defaultOptions()).runs(func(s *stage) {
				web = edited(s.environment("web"), func(c *spec.CredProxySpec) { c.TokenDelivery = delivery })
				s.declare(web)
				web = edited(web, func(c *spec.CredProxySpec) { c.Routes[0].Auth.TokenRef = missing })
				s.declare(web)
				s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonTokenMissing)
			})
			once := newStage(t, engine, defaultOptions())
			once.declareNow(web)
			if err := once.Once(t.Context()); err != nil {
				t.Error(err)
			}
			once.wantReady("web", metav1.ConditionFalse, reconcile.ReasonTokenMissing)
			newStage(t, engine, defaultOptions()).runs(func(s *stage) {
				s.declare(web)
				s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonTokenMissing)
				s.wantServed("web", "https://api.example.com one")
				s.tokens.put(missing, "two")
				later(5 * time.Second)
				s.settle()
				s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
				s.wantServed("web", "https://api.example.com two")
			})
		})
	}
}

func TestSettledSidecarsNeedTheListsAlone(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("a"), s.environment("b"), s.environment("c"))
		s.settle()
		s.engine.ResetCalls()
		later(30 * time.Second) // one resync
		s.settle()
		if calls := s.engine.Calls(); !maps.Equal(calls, map[fakeengine.Verb]int{fakeengine.Observe: 1}) {
			t.Errorf("calls of a resync: %v", calls)
		}
	})
}

func TestASpecsSeriesGoWithIt(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		if n := testutil.CollectAndCount(s.registry, "credproxy_condition"); n != 15 {
			t.Errorf("%d series of conditions, want 5 types of 3 statuses", n)
		}
		s.declare()
		if n := testutil.CollectAndCount(s.registry, "credproxy_condition"); n != 0 {
			t.Errorf("%d series are left", n)
		}
	})
}

// An engine may fail to answer one look, and keep its stream of events, which then asks for no other.
func TestALookThatFailsIsMadeAgainSoon(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.engine.Inject(fakeengine.Observe, 1, fakeengine.FailsBefore(nil))
		later(30 * time.Second) // a resync
		s.settle()
		s.settle()
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

// Limits and aliases are in no list: after a gap in the stream of events each sidecar is looked at once.
func TestWhatChangesWhileTheStreamIsBrokenIsSeen(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.engine.LoseEvents(true)
		s.engine.UpdateContainer(s.container("web").ID, reconcile.Limits{Memory: 1 << 30})
		s.engine.CutWatches()
		s.engine.LoseEvents(false)
		s.settle()
		if c := s.container("web"); c.Limits.Memory != 64<<20 {
			t.Errorf("memory limit %d", c.Limits.Memory)
		}
	})
}
