package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// lookout shares one observation among all workers: whoever needs a newer one than there is makes it, and the
// others wait for that one.
type lookout struct {
	driver Observer
	// seen is called with the outcome of each observation.
	seen func(error)
	// shown is the last view, for readers that must not wait for an observation in progress.
	shown atomic.Pointer[view]

	// turn holds what the last observation came to; who takes it out has the right to make the next.
	turn chan sighting
}

// sighting is what an observation came to: a view, or how it failed.
type sighting struct {
	view    *view
	failure error
	// failed is when the observation that failed was begun, so that those who waited for it share its failure.
	failed time.Time
}

func newLookout(driver Observer, seen func(error)) *lookout {
	l := &lookout{driver: driver, seen: seen, turn: make(chan sighting, 1)}
	l.turn <- sighting{}
	return l
}

// since returns a view that was begun at t or later.
func (l *lookout) since(ctx context.Context, t time.Time) (*view, error) {
	var s sighting
	select {
	case s = <-l.turn:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { l.turn <- s }()
	switch {
	case s.view != nil && !s.view.at.Before(t):
		return s.view, nil
	case s.failure != nil && !s.failed.Before(t):
		return nil, s.failure
	}
	began := time.Now()
	observation, err := l.driver.Observe(ctx)
	l.seen(err)
	if err != nil {
		if !errors.Is(err, ErrEngineUnavailable) {
			err = fmt.Errorf("%w: %w", ErrEngineUnavailable, err)
		}
		s.failure, s.failed = err, began
		return nil, err
	}
	s = sighting{view: newView(observation)}
	l.shown.Store(s.view)
	return s.view, nil
}

// latest returns the last view, or nil before the first.
func (l *lookout) latest() *view { return l.shown.Load() }
