package app

import (
	"context"
	"fmt"

	"credproxy.dev/controller/internal/lock"
	"credproxy.dev/controller/pkg/reconcile"
)

// locker locks names of one instance on one engine, against every other process that does so in the same directory.
type locker struct {
	scope         *scope
	dir, instance string
	names         *lock.Names
}

// newLocker makes a locker; nil without a directory for locks, for who only looks.
func newLocker(s *scope, o Options) reconcile.Locker {
	if o.StateDir == "" {
		return nil
	}
	return &locker{scope: s, dir: o.StateDir, instance: o.Instance, names: lock.NewNames()}
}

// Lock implements reconcile.Locker.
func (l *locker) Lock(ctx context.Context, name string) (reconcile.Held, error) {
	scope, err := l.scope.of(ctx, l.instance)
	if err != nil {
		return reconcile.Held{}, err
	}
	held, fresh, err := l.names.Acquire(ctx, l.dir, scope, name)
	if err != nil {
		return reconcile.Held{}, fmt.Errorf("the lock of %s in --state-dir cannot be taken: %w", name, err)
	}
	return reconcile.Held{Release: func() { _ = held.Release() }, Fresh: fresh}, nil
}
