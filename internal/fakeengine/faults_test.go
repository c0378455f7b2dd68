package fakeengine

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

func TestAFaultBeforeLeavesNothing(t *testing.T) {
	s := newStage(t)
	req := s.request()
	s.Inject(Create, 1, FailsBefore(nil))
	_, err := s.driver.Create(t.Context(), req)
	wants(t, err, reconcile.ErrEngineUnavailable)
	if made := s.Snapshot().Containers; len(made) != 0 {
		t.Errorf("something was made: %+v", made)
	}
	if _, err := s.driver.Create(t.Context(), req); err != nil {
		t.Errorf("the second call fails too: %v", err)
	}
}

func TestAFaultAfterLeavesWhatWasDone(t *testing.T) {
	s := newStage(t)
	diskFull := errors.New("no space left on device")
	s.Inject(Create, 1, FailsAfter(diskFull))
	_, err := s.driver.Create(t.Context(), s.request())
	wants(t, err, diskFull)
	if s.sidecar().SpecName != "web" {
		t.Error("nothing was made")
	}
}

func TestFaultsCountTheCallsThatTheyAreAbout(t *testing.T) {
	s := newStage(t)
	s.Inject(Ping, 2, FailsBefore(nil))
	s.Inject(AnyVerb, 5, FailsBefore(nil))
	var failed []int
	for n := 1; n <= 6; n++ {
		if s.driver.Ping(t.Context()) != nil {
			failed = append(failed, n)
		}
	}
	if len(failed) != 2 || failed[0] != 2 || failed[1] != 5 {
		t.Errorf("calls %v failed", failed)
	}
	if hits := s.Hits(); !maps.Equal(hits, map[Hit]int{{"fails before", Ping}: 2}) {
		t.Errorf("the hits are %v", hits)
	}
}

func TestAFaultCanHitEachCallUntilItIsHealed(t *testing.T) {
	s := newStage(t)
	s.Inject(Ping, 0, FailsBefore(nil))
	for range 3 {
		if s.driver.Ping(t.Context()) == nil {
			t.Error("a call works")
		}
	}
	s.Heal()
	s.noError(s.driver.Ping(t.Context()))
}

func TestATornPushIsNeverServed(t *testing.T) {
	for n, want := range []string{"one", "one", "two"} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			id := s.serve()
			s.Inject(CopyRoutes, 1, Tears(n))
			wants(t, s.push(id, 2, "two"), reconcile.ErrEngineUnavailable)
			// Whoever reloads in spite of that gets the old one, or the new one once all of it is there.
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := s.driver.Reload(ctx, id, 2)
			if got := s.token("/git"); got != want || (err == nil) != (want == "two") {
				t.Errorf("with %d files there the token is %q: %v", n, got, err)
			}
		})
	}
}

func TestACallHangsUntilItIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		gate := NewGate()
		s.Inject(EnsureNetwork, 1, gate.Fault())
		done := make(chan error)
		go func() {
			_, err := s.driver.EnsureNetwork(t.Context(), reconcile.NetworkRequest{Name: "late"})
			done <- err
		}()
		<-gate.Reached()
		if n := len(s.Snapshot().Networks); n != 2 {
			t.Errorf("there are %d networks", n)
		}
		gate.Release()
		s.noError(<-done)
		if n := len(s.Snapshot().Networks); n != 3 {
			t.Errorf("there are %d networks", n)
		}
	})
}

func TestACallThatHangsIsGivenUpInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.Inject(Ping, 1, NewGate().Fault())
		began := time.Now()
		wants(t, s.driver.Ping(t.Context()), reconcile.ErrEngineUnavailable)
		if waited := time.Since(began); waited != callTimeout {
			t.Errorf("it took %v", waited)
		}
	})
}

func TestCallsTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(time.Millisecond)
		began := time.Now()
		o, err := e.Driver("one").Observe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !o.At.Equal(began) || time.Since(began) != time.Millisecond {
			t.Errorf("it was begun at %v and took %v", o.At, time.Since(began))
		}
	})
}

func TestAnEngineThatIsDownFailsEveryCall(t *testing.T) {
	s := newStage(t)
	id := s.serve()
	s.SetDown(true)
	_, observed := s.driver.Observe(t.Context())
	_, answered := s.driver.WaitReady(t.Context(), id, 1)
	_, made := s.driver.EnsureNetwork(t.Context(), reconcile.NetworkRequest{Name: "late"})
	for _, err := range []error{observed, answered, made, s.driver.Remove(t.Context(), id), s.driver.Ping(t.Context())} {
		wants(t, err, reconcile.ErrEngineUnavailable)
	}
	s.SetDown(false)
	if s.sidecar().Report == nil {
		t.Error("after its return the sidecar is not heard")
	}
}

func TestACallerThatWentAwayIsToldSo(t *testing.T) {
	s := newStage(t)
	err := s.driver.Ping(over(t))
	wants(t, err, context.Canceled)
	if errors.Is(err, reconcile.ErrEngineUnavailable) {
		t.Errorf("the engine is blamed: %v", err)
	}
}
