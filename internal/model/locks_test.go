package model

import (
	"context"
	"sync"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

// locks are those of names, which processes share as they do a directory of lock files: death frees them.
type locks struct {
	mu   sync.Mutex
	held map[string]*mortal
	last map[string]*mortal
}

func newLocks() *locks { return &locks{held: map[string]*mortal{}, last: map[string]*mortal{}} }

// key is the reconcile.Locker of one process.
type key struct {
	locks *locks
	owner *mortal
}

// Lock implements reconcile.Locker.
func (k key) Lock(ctx context.Context, name string) (reconcile.Held, error) {
	for {
		if held, ok := k.try(name); ok {
			return held, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return reconcile.Held{}, context.Cause(ctx)
		}
	}
}

func (k key) try(name string) (reconcile.Held, bool) {
	l := k.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	if holder := l.held[name]; holder != nil && !holder.isDead() {
		return reconcile.Held{}, false
	}
	last := l.last[name]
	l.held[name], l.last[name] = k.owner, k.owner
	return reconcile.Held{Fresh: last == nil || last == k.owner, Release: func() { l.release(name, k.owner) }}, true
}

func (l *locks) release(name string, owner *mortal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[name] == owner {
		delete(l.held, name)
	}
}
