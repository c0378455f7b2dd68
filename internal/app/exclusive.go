package app

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"credproxy.dev/controller/internal/lock"
	"credproxy.dev/controller/pkg/reconcile"
)

// exclusive is a Driver that looks at the engine only once this process alone acts for the instance on it. Nothing
// is done without a look, so two controllers never work against each other.
//
// There are two locks. The one on the engine's address is taken at once. The one on the engine's scope is taken when
// the engine first answers, unless it is the same.
type exclusive struct {
	Engine
	scope         *scope
	dir, instance string
	// stop ends the whole process's work; it is called when another controller turns out to hold the engine.
	stop context.CancelCauseFunc

	mu   sync.Mutex
	held map[string]*lock.Lock
	sure bool
}

// newExclusive takes the lock on the address.
func newExclusive(engine Engine, s *scope, o Options, stop context.CancelCauseFunc) (*exclusive, error) {
	e := &exclusive{Engine: engine, scope: s, dir: o.StateDir, instance: o.Instance, stop: stop, held: map[string]*lock.Lock{}}
	return e, e.take("host " + engine.Host() + " instance " + o.Instance)
}

// Observe implements reconcile.Observer.
func (e *exclusive) Observe(ctx context.Context) (*reconcile.Observation, error) {
	if err := e.ensure(ctx); err != nil {
		return nil, err
	}
	return e.Engine.Observe(ctx)
}

// ensure takes the lock on the scope, unless it has it.
func (e *exclusive) ensure(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sure {
		return nil
	}
	key, err := e.scope.of(ctx, e.instance)
	if err != nil {
		return err
	}
	if err := e.take(key); err != nil {
		e.stop(err)
		return err
	}
	e.sure = true
	return nil
}

func (e *exclusive) take(key string) error {
	if e.held[key] != nil {
		return nil
	}
	held, err := lock.Acquire(e.dir, key)
	if errors.Is(err, lock.ErrHeld) {
		return fmt.Errorf("another controller keeps the sidecars of instance %q on the engine at %s: %w; end that "+
			"one first, or give this one a name of its own with --instance", e.instance, e.Host(), err)
	}
	if err != nil {
		return fmt.Errorf("the lock of this controller cannot be taken; name a directory that it may write with "+
			"--state-dir: %w", err)
	}
	e.held[key] = held
	return nil
}

// release gives the locks back.
func (e *exclusive) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, held := range e.held {
		_ = held.Release()
	}
	clear(e.held)
}
