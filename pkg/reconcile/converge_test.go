package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestARemovalOfAlmostEverythingMeetsTheBrake(t *testing.T) {
	play(t, func(s *stage) {
		var specs []*spec.CredProxy
		for i := range 6 {
			specs = append(specs, s.environment(fmt.Sprintf("s%d", i)))
		}
		s.declare(specs...)
		s.declare(specs[:1]...)
		if n := len(s.engine.Snapshot().Containers); n != 6 {
			t.Errorf("%d sidecars are left", n)
		}
		s.wantReady("s3", metav1.ConditionFalse, reconcile.ReasonPruneBlocked)
		if n := testutil.ToFloat64(gauge{s.registry, "credproxy_prune_blocked"}); n != 5 {
			t.Errorf("credproxy_prune_blocked is %v", n)
		}

		deliberate := defaultOptions()
		deliberate.Deliberate = true
		person := newStage(t, s.engine, deliberate)
		person.declareNow(specs[:1]...)
		if err := person.Once(s.t.Context()); err != nil {
			t.Error(err)
		}
		s.settle()
		if n := len(s.engine.Snapshot().Containers); n != 1 {
			t.Errorf("%d sidecars are left after a deliberate removal", n)
		}
		if len(s.List()) != 1 {
			t.Errorf("still listed: %d", len(s.List()))
		}
	})
}

// A sidecar that ends as soon as it starts is tried again with growing pauses, and its status says so all the time.
func TestASidecarThatEndsAtOnceIsNotMadeAgainAndAgain(t *testing.T) {
	play(t, func(s *stage) {
		s.engine.Inject(fakeengine.WaitReady, 0, fakeengine.FailsBefore(reconcile.ErrNotRunning))
		s.declare(s.environment("web"))
		for range 60 {
			s.settle()
			s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonCrashLooping)
		}
		if n := s.engine.Calls()[fakeengine.Create]; n > 12 {
			t.Errorf("made %d times within a minute", n)
		}
		s.engine.Heal()
		later(time.Minute)
		s.settle()
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

func TestSidecarsThatChangedNamesChangeThemBack(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("api"), s.environment("web"))
		api, web := s.container("api"), s.container("web")
		s.engine.RenameContainer(api.ID, "aside")
		s.engine.RenameContainer(web.ID, api.Name)
		s.engine.RenameContainer(api.ID, web.Name)
		later(2 * time.Minute)
		s.settle()
		if s.container("api").ID != api.ID || s.container("web").ID != web.ID {
			t.Error("they bear each other's names")
		}
	})
}

// An edit is no drift, and the name is not ready until it is in force.
func TestAnEditIsNoDrift(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		gate := fakeengine.NewGate()
		s.engine.Inject(fakeengine.Update, 1, gate.Fault())
		s.declareNow(edited(web, func(s *spec.CredProxySpec) { s.Resources.Memory = "128Mi" }))
		<-gate.Reached()
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonProgressing)
		gate.Release()
		s.settle()
		s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
		if n := drift(t, s.registry); n != 0 {
			t.Errorf("%v departures were counted", n)
		}
	})
}

// A name stays listed until nothing is left of it.
func TestADeletedNameIsListedUntilItIsGone(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		gate := fakeengine.NewGate()
		s.engine.Inject(fakeengine.Remove, 1, gate.Fault())
		s.declareNow()
		<-gate.Reached()
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonProgressing)
		gate.Release()
		s.settle()
		if _, ok := s.Get("web"); ok {
			t.Error("it is still listed")
		}
	})
}

// While a replacement is made, somebody serves at every moment.
func TestAReplacementIsStartedFirst(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		gate := fakeengine.NewGate()
		s.engine.Inject(fakeengine.WaitLoaded, 1, gate.Fault())
		s.declareNow(edited(web, func(s *spec.CredProxySpec) { s.TokenDelivery = spec.DeliverEnv }))
		<-gate.Reached()
		s.wantServed("web", "https://api.example.com one")
		gate.Release()
		drain := fakeengine.NewGate()
		s.engine.Inject(fakeengine.Drain, 1, drain.Fault())
		<-drain.Reached()
		if got := len(s.served("web")); got != 2 {
			t.Errorf("%d serve while the old one drains", got)
		}
		drain.Release()
		s.settle()
		s.wantServed("web", "https://api.example.com one")
		if n := len(s.engine.Snapshot().Containers); n != 1 {
			t.Errorf("%d containers are left", n)
		}
	})
}

func TestAnotherEgressNetworkIsTakenInPlace(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		before := s.container("web").ID
		s.engine.AddNetwork("other", false)
		s.declare(edited(web, func(s *spec.CredProxySpec) { s.EgressNetwork = "other" }))
		c := s.container("web")
		var on []string
		for _, e := range c.Endpoints {
			on = append(on, e.NetworkName)
		}
		slices.Sort(on)
		if c.ID != before || !slices.Equal(on, []string{"other", "web-internal"}) {
			t.Errorf("the sidecar is on %v", on)
		}
	})
}
