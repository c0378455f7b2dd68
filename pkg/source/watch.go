package source

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/dirwatch"
)

// watch asks the operating system to say when it is worth looking again. It says nothing about what has changed.
type watch struct {
	dirwatch.Watch
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
		p.add(h.Dir, h.Name)
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
	optional := sets.New[string]()
	for dir, place := range all {
		if place.optional {
			optional.Insert(dir)
		}
	}
	if added, err = w.Follow(sets.KeySet(all), optional); err != nil {
		err = fmt.Errorf("the directory of specs is not watched as a whole: %w", err)
	}
	return added, err
}

// wait returns when something has happened and the directory has come to rest, when the time is over, or when ctx
// ends. An error means that the watch is lost; the next follow makes another.
func (w *watch) wait(ctx context.Context, atMost time.Duration) error {
	if _, err := w.Wait(ctx, atMost, w.matters); err != nil {
		return fmt.Errorf("the watch of the directory of specs was lost: %w", err)
	}
	return nil
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
