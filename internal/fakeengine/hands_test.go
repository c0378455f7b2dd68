package fakeengine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

func TestASidecarThatCrashesIsStartedAgain(t *testing.T) {
	s := newStage(t)
	id := s.serve()
	s.CrashContainer(id, 2)
	s.driver.Forget()
	got := s.sidecar()
	if got.State != reconcile.StateRunning || got.RestartCount != 1 || got.Report == nil || !got.Report.Serving {
		t.Errorf("it is seen as %+v", got)
	}
	if s.token("/git") != "one" {
		t.Error("it does not serve from its volume")
	}
}

func TestASidecarWhoseImageCrashesWaitsForTheEngine(t *testing.T) {
	s := newStage(t)
	id := s.serve()
	s.AddImage(ownImage, Crashing, nil)
	s.CrashContainer(id, 2)
	if got := s.sidecar(); got.State != reconcile.StateRestarting || got.RestartCount != 1 {
		t.Errorf("it is seen as %+v", got)
	}
	s.RetryContainer(id)
	s.driver.Forget()
	if got := s.sidecar(); got.State != reconcile.StateRestarting || got.RestartCount != 2 || got.ExitCode != 1 {
		t.Errorf("it is seen as %+v", got)
	}
	s.AddImage(ownImage, Sidecar, nil)
	s.RetryContainer(id)
	if got := s.sidecar(); got.State != reconcile.StateRunning || got.Report == nil {
		t.Errorf("it is seen as %+v", got)
	}
}

func TestWhatAPersonEndedStaysEnded(t *testing.T) {
	for name, end := range map[string]func(*Engine, string){"stop": (*Engine).StopContainer, "kill": (*Engine).KillContainer} {
		s := newStage(t)
		id := s.serve()
		end(s.Engine, id)
		if got := s.sidecar(); got.State != reconcile.StateExited || got.RestartCount != 0 {
			t.Errorf("after a %s it is seen as %+v", name, got)
		}
		if answers := s.Ask(s.internal, "cred-proxy", 9099, "/git"); len(answers) != 0 {
			t.Errorf("after a %s it answers", name)
		}
	}
}

func TestARemovalUnderWayIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		id := s.serve()
		s.StallRemoval(id)
		if got := s.sidecar().State; got != reconcile.StateRemoving {
			t.Errorf("it is %s", got)
		}
		done := make(chan error)
		go func() { done <- s.driver.Remove(t.Context(), id) }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("it was not waited for: %v", err)
		default:
		}
		s.FinishRemoval(id)
		s.noError(<-done)
	})
}

func TestAnEngineThatLosesEventsIsSeenThroughListsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		id := s.serve()
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = s.driver.Watch(ctx, func(reconcile.Change) {}) }()
		synctest.Wait()
		before := s.sidecar()
		more := reconcile.Limits{Memory: 1 << 20}
		s.LoseEvents(true)
		s.UpdateContainer(id, more)
		if got := s.sidecar().Resources; got != before.Resources {
			t.Errorf("limits are seen without an event: %+v", got)
		}
		s.LoseEvents(false)
		s.UpdateContainer(id, more)
		synctest.Wait()
		if got := s.sidecar().Resources; got != more {
			t.Errorf("limits are not seen after an event: %+v", got)
		}
		cancel()
		synctest.Wait()
	})
}

func TestAWatchThatIsCutFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		for _, cut := range []func(){s.CutWatches, func() { s.SetDown(true) }} {
			done := make(chan error)
			go func() { done <- s.driver.Watch(t.Context(), func(reconcile.Change) {}) }()
			synctest.Wait()
			cut()
			wants(t, <-done, reconcile.ErrEngineUnavailable)
		}
	})
}

func TestWhatASidecarSaysIsAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		id := s.serve()
		heard := make(chan reconcile.Change, 100)
		go func() { _ = s.driver.Watch(t.Context(), func(c reconcile.Change) { heard <- c }) }()
		<-heard
		s.noError(s.push(id, 2, "two"))
		if _, err := s.driver.Reload(t.Context(), id, 2); err != nil {
			t.Fatal(err)
		}
		if c := <-heard; c.SpecName != "web" || c.Kind != "report" {
			t.Errorf("the change is %+v", c)
		}
		s.CutWatches()
	})
}

func TestNetworkNamesAreNotUnique(t *testing.T) {
	s := newStage(t)
	twin := s.AddNetwork("in", true)
	o, err := s.driver.Observe(t.Context())
	s.noError(err)
	var named int
	for _, n := range o.Networks {
		if n.Name == "in" {
			named++
		}
	}
	if named != 2 || twin == s.internal {
		t.Errorf("%d networks bear the name", named)
	}
}

func TestAnImageThatIsGoneIsNeededNoMore(t *testing.T) {
	s := newStage(t)
	id := s.serve()
	old := s.sidecar().ImageID
	s.RemoveImage(ownImage)
	s.StopContainer(id)
	s.StartContainer(id)
	if got := s.sidecar(); got.State != reconcile.StateRunning {
		t.Errorf("it is %s", got.State)
	}
	image, err := s.driver.EnsureImage(t.Context(), "")
	s.noError(err)
	if image == old {
		t.Error("an image that was removed came back")
	}
}

func TestASidecarOffItsInternalNetworkServesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		id := s.serve()
		s.DisconnectContainer(id, s.internal)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.noError(s.push(id, 2, "two"))
		_, err := s.driver.Reload(ctx, id, 2)
		wants(t, err, context.DeadlineExceeded)
		s.ConnectContainer(id, s.internal, "cred-proxy")
		if s.token("/git") != "two" {
			t.Error("it does not serve again")
		}
	})
}
