package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/apimachinery/pkg/util/sets"
)

const (
	// quiet is how long the directory has to be still before it is looked at, and mostDelay the longest that this
	// may take in all.
	quiet     = 10 * time.Millisecond
	mostDelay = 50 * time.Millisecond
)

// watch asks the operating system to say when it is worth looking again. It watches directories, never files:
// editors and tools replace files, and a watch stays with the old one. It says nothing about what has changed.
type watch struct {
	fs *fsnotify.Watcher // nil when there is none
	// places are the directories that matter.
	places map[string]place
}

// place says which names matter in a directory.
type place struct {
	all   bool             // it is one of the directories of specs
	names sets.Set[string] // those of links that lead to specs
}

// placesOf lists the directories in which a change can change a Snapshot: those of the specs, and those of the
// links that lead to them.
func placesOf(l listing) map[string]place {
	places := map[string]place{}
	for _, h := range l.hops {
		if places[h.dir].names == nil {
			places[h.dir] = place{names: sets.New[string]()}
		}
		places[h.dir].names.Insert(h.name)
	}
	for _, dir := range l.dirs {
		path := filepath.Join(l.root, dir)
		places[path] = place{all: true, names: places[path].names}
	}
	for _, f := range l.files {
		if f.real == "" {
			continue
		}
		path := filepath.Join(l.root, f.real)
		if p := places[filepath.Dir(path)]; !p.all {
			// The target of a link, in a directory that is not read itself.
			p.names = p.names.Union(sets.New(filepath.Base(path)))
			places[filepath.Dir(path)] = p
		}
	}
	return places
}

// follow watches the places and no others. It reports whether a directory is watched that was not before: what
// happened in it until now was not seen, so that another look is needed.
func (w *watch) follow(places map[string]place) (added bool, err error) {
	w.places = places
	if w.fs == nil {
		if w.fs, err = fsnotify.NewWatcher(); err != nil {
			w.fs = nil
			return false, fmt.Errorf("watch the directory of specs: raise fs.inotify.max_user_instances: %w", err)
		}
	}
	before := sets.New(w.fs.WatchList()...)
	for dir := range places {
		// Also for what is watched already: the directory may be another one under the old name.
		if addErr := w.fs.Add(dir); addErr != nil {
			err = watchError(dir, addErr)
		} else if !before.Has(dir) {
			added = true
		}
	}
	for dir := range before.Difference(sets.KeySet(places)) {
		_ = w.fs.Remove(dir) // It only fails when the directory went, and the watch with it.
	}
	return added, err
}

func watchError(dir string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("watch %s: raise fs.inotify.max_user_watches: %w", dir, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("watch %s: %s: %w", dir, permit, err)
	}
	return fmt.Errorf("watch %s: %w", dir, err)
}

// wait returns when something has happened and the directory has come to rest, when the time is over, or when ctx
// ends. An error means that the watch is lost; the next follow makes another.
func (w *watch) wait(ctx context.Context, atMost time.Duration) error {
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
			return nil
		case <-timer.C:
			return nil
		case err := <-failures:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				w.close()
				return fmt.Errorf("the watch of the directory of specs was lost: %w", err)
			}
		case event := <-events:
			if !w.matters(event) {
				continue
			}
		}
		if first.IsZero() {
			first = time.Now()
		}
		timer.Reset(min(quiet, mostDelay-time.Since(first)))
	}
}

// matters reports whether an event can have changed what a scan finds.
func (w *watch) matters(event fsnotify.Event) bool {
	if _, self := w.places[event.Name]; self {
		return true
	}
	in, name := w.places[filepath.Dir(event.Name)], filepath.Base(event.Name)
	if in.names.Has(name) {
		return true
	}
	// What is written into other files does not matter; that a directory comes, goes or becomes readable does.
	return in.all && (event.Op != fsnotify.Write || specName(name))
}

// close ends the watch.
func (w *watch) close() {
	if w.fs != nil {
		_ = w.fs.Close()
		w.fs = nil
	}
}
