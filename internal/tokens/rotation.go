package tokens

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/dirwatch"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

const (
	// defaultLately is Options.Lately where it is not set.
	defaultLately = 5 * time.Minute
	// lookAgain is how often all files are looked at although nothing was noticed, and what cannot be watched is tried
	// again.
	lookAgain = 10 * time.Second
	// afterLoss is the pause before a lost watch is made anew.
	afterLoss = time.Second
	// maxFollows bounds how often directories that are new lead to others at one go.
	maxFollows = 4
)

var _ reconcile.Notifier = (*Resolver)(nil)

// Watch tells of token files that may have changed: that were written, replaced, or reached through a link that was
// swapped; and of tokens that providers gave anew, or that have expired. Only what Resolve was asked for lately is watched and
// kept fresh. A variable never changes while the controller runs.
// It returns nil when ctx has ended: what cannot be watched is said to Options.Log, and looked at every ten seconds.
func (r *Resolver) Watch(ctx context.Context, changed func(ref spec.TokenRef)) error {
	dir, err := filepath.Abs(r.opts.Dir)
	if err != nil {
		return err
	}
	w := &rotation{watch: &dirwatch.Watch{Wake: r.files.fresh}, files: r.files, dir: dir, lately: r.opts.Lately, tell: r.setWatchErr}
	var providers sync.WaitGroup
	if r.opts.Providers != nil {
		providers.Go(func() {
			r.opts.Providers.Run(ctx, func(name, key string) { changed(spec.TokenRef{Provider: name, Key: key}) })
		})
	}
	w.run(ctx, func(name string) { changed(spec.TokenRef{File: name}) })
	providers.Wait()
	return nil
}

// WatchErr is nil while Watch watches every file that it should, and otherwise says why changes are found by looking
// from time to time alone.
func (r *Resolver) WatchErr() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.watchErr
}

// setWatchErr logs what is different from before.
func (r *Resolver) setWatchErr(err error) {
	r.mu.Lock()
	before := r.watchErr
	r.watchErr = err
	r.mu.Unlock()
	switch {
	case err == nil && before != nil:
		r.opts.Log.Info("every token file is watched again")
	case err != nil && (before == nil || before.Error() != err.Error()):
		r.opts.Log.Warn("not every token file is watched, so that changes may be noticed seconds late", "error", err)
	}
}

// watcher is what rotation needs of a dirwatch.Watch.
type watcher interface {
	Follow(dirs, optional sets.Set[string]) (added bool, err error)
	Wait(ctx context.Context, atMost time.Duration, matters func(fsnotify.Event) bool) (missed bool, err error)
	Close()
}

// rotation watches the token files of one directory.
type rotation struct {
	watch  watcher
	files  *files
	dir    string // absolute
	lately time.Duration
	// tell is told why not every file is watched, and with nil that all are.
	tell func(error)

	places places
	// hit are the files of which something was noticed.
	hit sets.Set[string]
}

// run calls changed with the names of files that may have changed, until ctx ends.
func (w *rotation) run(ctx context.Context, changed func(name string)) {
	defer w.watch.Close()
	w.hit = sets.New[string]()
	for ctx.Err() == nil {
		w.tell(w.follow())
		for _, name := range sets.List(w.hit) {
			changed(name)
		}
		w.wait(ctx)
	}
}

// follow watches what decides about the files that were asked for lately, and notes those of them that have moved since
// they were read: nothing was watched between the two, or it was missed.
func (w *rotation) follow() (err error) {
	names := w.files.since(time.Now().Add(-w.lately))
	if len(names) == 0 {
		w.watch.Close()
		return nil
	}
	for added, again := true, 0; added && again < maxFollows; again++ {
		var optional sets.Set[string]
		w.places, optional = placesOf(w.dir, names)
		added, err = w.watch.Follow(sets.KeySet(w.places), optional)
	}
	for _, name := range names {
		if w.files.moved(name) {
			w.hit.Insert(name)
		}
	}
	return err
}

// wait gathers the files of which something is noticed, until that is worth telling. After events were missed, that is
// all of them.
func (w *rotation) wait(ctx context.Context) {
	w.hit = sets.New[string]()
	missed, err := w.watch.Wait(ctx, lookAgain, func(e fsnotify.Event) bool {
		through := w.places.through(e.Name)
		w.hit.Insert(through...)
		return len(through) > 0
	})
	if missed {
		w.hit.Insert(w.files.since(time.Time{})...)
	}
	if err != nil {
		w.tell(fmt.Errorf("the watch was lost: %w", err))
		_, _ = w.watch.Wait(ctx, afterLoss, nil) // There is no watch now, so that this only waits.
	}
}
