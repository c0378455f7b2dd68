package fakeengine

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

func TestARestartOfTheEngineBringsBackWhatItKeepsRunning(t *testing.T) {
	s := newStage(t)
	id := s.serve()
	stopped := s.AddContainer(Foreign{Name: "once"})
	kept := s.AddContainer(Foreign{Name: "always", Restarts: true})
	ended := make(chan error)
	subscribed := make(chan struct{})
	go func() {
		ended <- s.driver.Watch(t.Context(), func(c reconcile.Change) {
			if c == (reconcile.Change{}) {
				close(subscribed)
			}
		})
	}()
	<-subscribed
	s.Restart()
	wants(t, <-ended, reconcile.ErrEngineUnavailable)
	for id, want := range map[string]reconcile.ContainerState{
		id: reconcile.StateRunning, stopped: reconcile.StateExited, kept: reconcile.StateRunning,
	} {
		if c, _ := s.Container(id); c.State != want {
			t.Errorf("%s is %s, want %s", c.Name, c.State, want)
		}
	}
	if got := s.token("/git"); got != "one" {
		t.Errorf("it serves %q", got)
	}
	if r := s.sidecar().Report; r == nil || !r.Serving {
		t.Errorf("it is not heard: %v", r)
	}
}

func TestEventsHaveTheFateThatTheirCallIsGiven(t *testing.T) {
	for fate, want := range map[EventFate][2]int64{
		EventsArrive: {1, 1}, EventsLost: {0, 0}, EventsDoubled: {2, 2}, EventsLate: {0, 1},
	} {
		t.Run("events "+string(fate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				id := s.serve()
				ctx, cancel := context.WithCancel(t.Context())
				var heard atomic.Int64
				go func() {
					_ = s.driver.Watch(ctx, func(c reconcile.Change) {
						if c.Kind != "" {
							heard.Add(1)
						}
					})
				}()
				synctest.Wait()
				s.Inject(Update, 1, Events(fate))
				s.noError(s.driver.Update(ctx, id, s.request().Resources))
				synctest.Wait()
				soon := heard.Load()
				<-time.After(lateness + time.Millisecond)
				synctest.Wait()
				if got := [2]int64{soon, heard.Load()}; got != want {
					t.Errorf("heard %v at once and later, want %v", got, want)
				}
				cancel()
				synctest.Wait()
			})
		})
	}
}

func TestAccidentsMeetTheirCall(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault func(*stage) Fault
		kind  error
		took  bool // effect
	}{
		{"name conflict", func(*stage) Fault { return Conflicts() }, reconcile.ErrNameConflict, false},
		{"slow", func(*stage) Fault { return Slow(time.Second) }, nil, true},
		{"hung", func(*stage) Fault { return Hangs() }, reconcile.ErrEngineUnavailable, false},
		{"hung after", func(*stage) Fault { return HangsAfter() }, reconcile.ErrEngineUnavailable, true},
		{"image vanishes", func(s *stage) Fault { return s.ImagesVanish() }, reconcile.ErrImageUnavailable, false},
		{"engine goes away", func(s *stage) Fault { return s.GoesAway() }, reconcile.ErrEngineUnavailable, false},
		{"engine restarts", func(s *stage) Fault { return s.Restarts() }, reconcile.ErrEngineUnavailable, false},
		{"stream cut", func(s *stage) Fault { return s.CutsStream() }, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				req := s.request()
				s.Inject(Create, 1, tt.fault(s))
				_, err := s.driver.Create(t.Context(), req)
				if tt.kind != nil {
					wants(t, err, tt.kind)
				} else {
					s.noError(err)
				}
				if took := len(s.Snapshot().Containers) == 1; took != tt.took {
					t.Errorf("it took effect: %v, want %v", took, tt.took)
				}
				if hits := s.Hits(); hits[Hit{tt.name, Create}] != 1 {
					t.Errorf("hits: %v", hits)
				}
			})
		})
	}
}

func TestAFullDiskTakesAPartOfAGeneration(t *testing.T) {
	s := newStage(t)
	id, err := s.driver.Create(t.Context(), s.request())
	s.noError(err)
	s.Inject(CopyRoutes, 1, DiskFull(1))
	if err := s.push(id, 1, "one"); err == nil {
		t.Fatal("it worked")
	}
	if files := s.Snapshot().Volumes[0].Files; len(files) != 1 {
		t.Errorf("%d files were written", len(files))
	}
}

func TestARemovalThatStallsHangsUntilSomebodyEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		id := s.serve()
		s.Inject(Remove, 1, s.RemovalStalls())
		if err := s.driver.Remove(t.Context(), id); err == nil {
			t.Error("it worked")
		}
		if got := s.sidecar().State; got != reconcile.StateRemoving {
			t.Errorf("it is %s", got)
		}
		s.FinishRemovals()
		s.noError(s.driver.Remove(t.Context(), id))
	})
}

func TestPodmanTellsNothingOfNetworks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.SetManners(Podman)
		ctx, cancel := context.WithCancel(t.Context())
		var heard []reconcile.Change
		go func() { _ = s.driver.Watch(ctx, func(c reconcile.Change) { heard = append(heard, c) }) }()
		synctest.Wait()
		s.RemoveNetwork(s.AddNetwork("more", false))
		s.AddContainer(Foreign{Name: "agent"})
		synctest.Wait()
		if slices.ContainsFunc(heard, func(c reconcile.Change) bool { return c.Network != "" }) || len(heard) < 2 {
			t.Errorf("heard %v", heard)
		}
		cancel()
		synctest.Wait()
	})
}
