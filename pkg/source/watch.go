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

	"credproxy.dev/controller/pkg/spec"
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
	places places
}

// place says which names matter in a directory.
type place struct {
	all   bool             // it is one of the directories of specs
	names sets.Set[string] // those of links that lead to specs
	// optional: only what the next look finds anyway would be noticed there, such as that the directory of specs
	// itself comes back.
	optional bool
}

// places are directories and what matters in each.
type places map[string]place

// placesOf lists the directories in which a change can change a Snapshot: those of the specs, those of the links
// that lead to them, and those of the links' targets.
func placesOf(l listing) places {
	p := places{}
	if l.root != "" {
		above := filepath.Dir(l.root)
		p.add(above, filepath.Base(l.root))
		p[above] = place{names: p[above].names, optional: true}
	}
	for _, h := range l.hops {
		p.add(h.dir, h.name)
	}
	for _, dir := range l.dirs {
		path := filepath.Join(l.root, dir)
		p[path] = place{all: true, names: p[path].names}
	}
	for _, f := range l.files {
		path := filepath.Join(l.root, f.real)
		if dir := filepath.Dir(path); f.real != "" && !p[dir].all {
			p.add(dir, filepath.Base(path))
		}
	}
	return p
}

// add notes that a name in a directory matters.
func (p places) add(dir, name string) {
	at := p[dir]
	if at.names == nil {
		at.names = sets.New[string]()
	}
	at.names.Insert(name)
	at.optional = false
	p[dir] = at
}

// follow watches these places and no others. It reports whether a directory is watched that was not before: what
// happened in it until now was not seen, so that another look is needed.
func (w *watch) follow(all places) (added bool, err error) {
	w.places = all
	if w.fs == nil {
		if w.fs, err = fsnotify.NewWatcher(); err != nil {
			w.fs = nil
			return false, fmt.Errorf("watch the directory of specs: raise fs.inotify.max_user_instances: %w", err)
		}
	}
	before := sets.New(w.fs.WatchList()...)
	for dir, place := range all {
		// Also for what is watched already: the directory may be another one under the old name.
		switch addErr := w.fs.Add(dir); {
		case addErr == nil:
			added = added || !before.Has(dir)
		case !place.optional:
			err = watchError(dir, addErr)
		}
	}
	for dir := range before.Difference(sets.KeySet(all)) {
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
