package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// A person's pass may be stopped in the middle, by Ctrl-Z, and hold as many names as this controller has workers.
func TestNamesThatAnotherProcessHoldsDelayNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts, doors := defaultOptions(), &doors{shut: map[string]bool{}}
		opts.Locker = doors
		s := newStage(t, fakeengine.New(time.Millisecond), opts)
		var specs []*spec.CredProxy
		for i := range opts.Workers + 1 {
			specs = append(specs, s.environment(fmt.Sprintf("s%d", i)))
			doors.shut[fmt.Sprintf("s%d", i)] = i < opts.Workers
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()

		s.declare(specs...)
		later(5 * time.Second)
		s.settle()
		s.wantReady(fmt.Sprintf("s%d", opts.Workers), "True", reconcile.ReasonRunning)
		if said := s.saidOf("s0"); !strings.Contains(said, "process 7 holds s0") {
			t.Errorf("of the name that waits it is said: %q", said)
		}
		doors.open()
		later(10 * time.Second)
		s.settle()
		s.wantReady("s0", "True", reconcile.ReasonRunning)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestALockThatCannotBeTakenIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := defaultOptions()
		opts.Locker = broken{}
		s := newStage(t, fakeengine.New(time.Millisecond), opts)
		s.declareNow(s.environment("web"))
		if err := s.Once(t.Context()); err != nil {
			t.Error(err)
		}
		s.wantReady("web", "False", reconcile.ReasonStepFailed)
		if said := s.saidOf("web"); !strings.Contains(said, "no space left") {
			t.Errorf("it is said: %q", said)
		}
	})
}

// saidOf is the message of the last event of a name; empty when there is none.
func (s *stage) saidOf(name string) (message string) {
	for _, e := range s.Events() {
		if e.Name == name {
			message = e.Message
		}
	}
	return message
}

// doors is a Locker in front of names that another process holds.
type doors struct {
	mu   sync.Mutex
	shut map[string]bool
}

func (d *doors) open() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.shut)
}

func (d *doors) Lock(ctx context.Context, name string) (reconcile.Held, error) {
	d.mu.Lock()
	shut := d.shut[name]
	d.mu.Unlock()
	if shut {
		<-ctx.Done()
		return reconcile.Held{}, fmt.Errorf("process 7 holds %s: %w", name, context.Cause(ctx))
	}
	return reconcile.Held{Release: func() {}, Fresh: true}, nil
}

type broken struct{}

func (broken) Lock(context.Context, string) (reconcile.Held, error) {
	return reconcile.Held{}, errors.New("write the lock file: no space left on device")
}
