package source

import (
	"context"
	"errors"
	"time"
)

const (
	// defaultScanEvery is used when the caller gives no period.
	defaultScanEvery = 30 * time.Second
	// afterLoss is the pause before a lost watch is made anew.
	afterLoss = time.Second
	// maxFollows bounds how often new directories lead to another look before the Snapshot is delivered.
	maxFollows = 3
)

// Run delivers a Snapshot at once, whenever the directory has changed and come to rest, and at least once in each
// period scanEvery, which covers what no watch reports. It returns nil when ctx ends, and waits for deliver.
func (s *Source) Run(ctx context.Context, scanEvery time.Duration, deliver func(Snapshot)) error {
	if scanEvery <= 0 {
		scanEvery = defaultScanEvery
	}
	w := &watch{}
	defer s.setWatchErr(errors.New("the directory is not watched any more"))
	defer w.Close()
	began := time.Now()
	var held time.Time
	for {
		snap, r := s.look(ctx, w)
		if ctx.Err() != nil {
			return nil
		}
		unsettled := r.unsettled
		if s.justWritten(began, snap.At, r.newest) {
			snap.KeepAll, unsettled = true, true
		}
		// A checkout is over in a moment, mostly, and until then the Snapshot before it is as good as its copy.
		if held = heldSince(held, r.held, snap.At); !r.held || snap.At.Sub(held) >= s.settle {
			deliver(snap)
		}
		next := scanEvery
		if unsettled {
			next = min(next, s.settle)
		}
		if err := w.wait(ctx, next); err != nil {
			s.setWatchErr(err)
			_ = w.wait(ctx, afterLoss) // There is no watch now, so that this only waits.
		}
	}
}

// heldSince is when git began the work that the source waits for; zero when it does not.
func heldSince(before time.Time, held bool, now time.Time) time.Time {
	switch {
	case !held:
		return time.Time{}
	case before.IsZero():
		return now
	}
	return before
}

// look scans until everything that was found is watched.
func (s *Source) look(ctx context.Context, w *watch) (Snapshot, reading) {
	for again := 0; ; again++ {
		snap, r := s.scan(ctx)
		added, err := w.follow(placesOf(r.listing).git(r.checkouts))
		s.setWatchErr(err)
		if !added || again == maxFollows || ctx.Err() != nil {
			return snap, r
		}
	}
}

// justWritten reports whether a file may be in the middle of its writing at the start, when there is no earlier
// version to tell what it has lost.
func (s *Source) justWritten(began, now, newest time.Time) bool {
	return now.Sub(began) < s.settle && newest.After(began.Add(-s.settle))
}
