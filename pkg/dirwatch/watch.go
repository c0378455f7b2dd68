package dirwatch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/spec"
)

const (
	// quiet is how long the directories have to be still before they are looked at, and mostDelay the longest that this
	// may take in all.
	quiet     = 10 * time.Millisecond
	mostDelay = 50 * time.Millisecond
)

// Watch asks the operating system to say when something happens in directories. The zero Watch watches none.
type Watch struct {
	// Wake, where it is not nil, ends a wait as an event does.
	Wake <-chan struct{}

	fs *fsnotify.Watcher // nil when there is none
}

// Follow watches these directories, by their paths, and no others; that one of the optional ones cannot be watched is no
// error. It reports whether one is watched that was not before: what happened in it until now was not seen, so that
// another look is needed. Its error says what to do; what can be watched is watched all the same.
func (w *Watch) Follow(dirs, optional sets.Set[string]) (added bool, err error) {
	if w.fs == nil {
		if w.fs, err = fsnotify.NewWatcher(); err != nil {
			w.fs = nil
			return false, fmt.Errorf("raise fs.inotify.max_user_instances: %w", err)
		}
	}
	before := sets.New(w.fs.WatchList()...)
	for dir := range dirs {
		// Also for what is watched already: the directory may be another one under the old name.
		switch addErr := w.fs.Add(dir); {
		case addErr == nil:
			added = added || !before.Has(dir)
		case !optional.Has(dir):
			err = watchError(dir, addErr)
		}
	}
	for dir := range before.Difference(dirs) {
		_ = w.fs.Remove(dir) // It only fails when the directory went, and the watch with it.
	}
	return added, err
}

func watchError(dir string, err error) error {
	dir = spec.ShownPath(dir)
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("watch %s: raise fs.inotify.max_user_watches: %w", dir, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("watch %s: let the user that runs the controller read it: %w", dir, err)
	}
	return fmt.Errorf("watch %s: %w", dir, err)
}

// Wait returns when something has happened that matters and the directories have come to rest, when it was woken, when
// the time is over, or when ctx ends. It reports whether events were missed, so that anything may have happened. An error
// means that the watch is lost; the next Follow makes another.
func (w *Watch) Wait(ctx context.Context, atMost time.Duration, matters func(fsnotify.Event) bool) (missed bool, err error) {
	var events <-chan fsnotify.Event
	var failures <-chan error
	if w.fs != nil {
		events, failures = w.fs.Events, w.fs.Errors
	}
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	var first time.Time
	for {
		select {
		case <-ctx.Done():
			return missed, nil
		case <-timer.C:
			return missed, nil
		case <-w.Wake:
		case err := <-failures:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				w.Close()
				return true, err
			}
			missed = true
		case event := <-events:
			if !matters(event) {
				continue
			}
		}
		if first.IsZero() {
			first = time.Now()
		}
		timer.Reset(min(quiet, mostDelay-time.Since(first)))
	}
}

// Close ends the watch.
func (w *Watch) Close() {
	if w.fs != nil {
		_ = w.fs.Close()
		w.fs = nil
	}
}
