package reconcile_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
)

// wantTold holds which events of the reasons there are of web, in order.
func (s *stage) wantTold(want []string, reasons ...string) {
	s.t.Helper()
	if told := s.told("web", reasons...); !slices.Equal(told, want) {
		s.t.Errorf("told %q, want %q", told, want)
	}
}

func TestAFileThatTurnsBadAndGoodAgainIsTold(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		for range 2 { // a second scan says nothing new
			s.declared.Stale = map[string]string{"web": "web.yaml:3: kind: is missing; the last good version stays in force"}
			s.declare(web)
		}
		s.wantTold([]string{"Warning LastGood"}, reconcile.ReasonLastGood, reconcile.EventMended)
		s.declared.Stale = nil
		s.declare(web)
		s.declare(web)
		s.wantTold([]string{"Warning LastGood", "Normal Mended"}, reconcile.ReasonLastGood, reconcile.EventMended)
	})
}

func TestAnEngineThatIsAwayAndBackIsToldOnceEach(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.engine.SetDown(true)
		later(2 * time.Minute)
		s.engine.SetDown(false)
		later(time.Minute)
		s.settle()
		s.wantTold([]string{"Warning EngineUnavailable", "Normal Recovered"}, reconcile.ReasonEngineUnavailable, reconcile.EventRecovered)
	})
}

func TestWhatSomebodyDidToASidecarIsAWarning(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.engine.KillContainer(s.container("web").ID)
		s.settle()
		s.wantTold([]string{"Normal Started", "Warning Started"}, "Started")
		s.engine.RemoveContainer(s.container("web").ID, true)
		s.settle()
		s.wantTold([]string{"Normal Created", "Warning Created"}, "Created")
	})
}

func TestWhatHeldARemovalBackIsNotSaidOnceItIsUnderWay(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		s.declared.KeepNames = sets.New("web")
		s.declare()
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonPruneBlocked)
		s.engine.Inject(fakeengine.Remove, 0, fakeengine.Slow(20*time.Second))
		s.declared.KeepNames = nil
		s.declare()
		s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonProgressing)
		if one, _ := s.Get("web"); one.Status.LastError != "" {
			t.Errorf("it still says %q", one.Status.LastError)
		}
		later(time.Minute)
	})
}

func TestWhatAPersonPrunedIsTold(t *testing.T) {
	play(t, func(s *stage) {
		s.declared.Root = reconcile.Root{Device: 1, Inode: 1}
		s.declare(s.environment("web"))
		s.declared.Root.Inode = 2 // another directory, which may be a mistake
		s.declare()
		s.wantTold([]string{"Warning PruneBlocked"}, reconcile.ReasonPruneBlocked, reconcile.EventGone, "Removed")

		deliberate := defaultOptions()
		deliberate.Deliberate = true
		person := newStage(t, s.engine, deliberate)
		person.declareNow()
		if err := person.Once(s.t.Context()); err != nil {
			t.Fatal(err)
		}
		s.settle()
		s.wantTold([]string{"Warning PruneBlocked", "Normal Gone"}, reconcile.ReasonPruneBlocked, reconcile.EventGone, "Removed")
	})
}
