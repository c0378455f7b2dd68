package reconcile

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// lookout shares one observation among all workers: whoever needs a newer one than there is makes it, and the
// others wait for that one.
type lookout struct {
	driver Observer
	// seen is called with the outcome of each observation.
	seen func(*view, error)

	mu   sync.Mutex
	last *view
	// shown is last, for readers that must not wait for an observation in progress.
	shown atomic.Pointer[view]
	// failure is how the last observation failed, and failed when it was begun; so those who waited for it share it.
	failure error
	failed  time.Time
}

// since returns a view that was begun at t or later.
func (l *lookout) since(ctx context.Context, t time.Time) (*view, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil && !l.last.at.Before(t) {
		return l.last, nil
	}
	if l.failure != nil && !l.failed.Before(t) {
		return nil, l.failure
	}
	began := time.Now()
	observation, err := l.driver.Observe(ctx)
	if err != nil {
		l.failure, l.failed = err, began
		l.seen(nil, err)
		return nil, err
	}
	l.failure = nil
	l.last = newView(observation)
	l.shown.Store(l.last)
	l.seen(l.last, nil)
	return l.last, nil
}

// latest returns the last view, or nil before the first.
func (l *lookout) latest() *view { return l.shown.Load() }
