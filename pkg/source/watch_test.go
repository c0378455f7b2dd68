package source

import (
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/apimachinery/pkg/util/sets"
)

// fakeWatch is a watch whose events the test sends.
func fakeWatch() *watch {
	return &watch{
		fs:     &fsnotify.Watcher{Events: make(chan fsnotify.Event), Errors: make(chan error)},
		places: places{"/specs": {all: true}, "/": {names: sets.New("specs")}},
	}
}

func waited(t *testing.T, w *watch, atMost time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	if err := w.wait(t.Context(), atMost); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

func TestWaitingForQuiet(t *testing.T) {
	file := fsnotify.Event{Name: "/specs/web.yaml", Op: fsnotify.Write}
	tests := map[string]struct {
		send func(w *watch)
		want time.Duration
	}{
		"nothing happens": {func(*watch) {}, time.Hour},
		"one event":       {func(w *watch) { w.fs.Events <- file }, quiet},
		"a pause shorter than quiet": {func(w *watch) {
			w.fs.Events <- file
			<-time.After(quiet / 2)
			w.fs.Events <- file
		}, quiet/2 + quiet},
		"no rest at all": {func(w *watch) {
			for range 100 {
				select {
				case w.fs.Events <- file:
					<-time.After(time.Millisecond)
				case <-time.After(time.Second):
					return
				}
			}
		}, mostDelay},
		"what does not matter": {func(w *watch) {
			w.fs.Events <- fsnotify.Event{Name: "/specs/agent.log", Op: fsnotify.Write}
			w.fs.Events <- fsnotify.Event{Name: "/other", Op: fsnotify.Create}
		}, time.Hour},
		"events were lost": {func(w *watch) { w.fs.Errors <- fsnotify.ErrEventOverflow }, quiet},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := fakeWatch()
				done := make(chan struct{})
				go func() { test.send(w); close(done) }()
				if got := waited(t, w, time.Hour); got != test.want {
					t.Errorf("waited %v, want %v", got, test.want)
				}
				<-done
			})
		})
	}
}

func TestWhichEventsMatter(t *testing.T) {
	w := &watch{places: places{
		"/specs": {all: true, names: sets.New("..data")},
		"/":      {names: sets.New("specs")},
	}}
	tests := []struct {
		name string
		op   fsnotify.Op
		want bool
	}{
		{"/specs/web.yaml", fsnotify.Write, true},
		{"/specs/web.yaml", fsnotify.Remove, true},
		{"/specs/team", fsnotify.Create, true},
		{"/specs/team", fsnotify.Chmod, true},
		{"/specs/notes.txt", fsnotify.Write, false},
		{"/specs/..data", fsnotify.Create, true},
		{"/specs", fsnotify.Remove, true},
		{"/elsewhere", fsnotify.Create, false},
	}
	for _, test := range tests {
		if got := w.matters(fsnotify.Event{Name: test.name, Op: test.op}); got != test.want {
			t.Errorf("%s %s: %v", test.op, test.name, got)
		}
	}
}

func TestALostWatchIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	w := &watch{}
	defer w.close()
	want := places{dir: {all: true}}
	if added, err := w.follow(want); !added || err != nil {
		t.Fatal(added, err)
	}
	if added, err := w.follow(want); added || err != nil {
		t.Fatal("a directory that is watched counts as added", err)
	}
	first := w.fs
	lost := errors.New("lost")
	go func() { first.Errors <- lost }()
	if err := w.wait(t.Context(), time.Hour); !errors.Is(err, lost) {
		t.Fatal(err)
	}
	if added, err := w.follow(want); !added || err != nil {
		t.Fatal("the directory is not watched again", err)
	}
}

func TestADirectoryThatCannotBeWatchedIsSaid(t *testing.T) {
	dir := t.TempDir()
	w := &watch{}
	defer w.close()
	_, err := w.follow(places{dir: {all: true}, filepath.Join(dir, "missing"): {all: true}})
	if err == nil {
		t.Fatal("no error")
	}
	if _, err = w.follow(places{dir: {all: true}}); err != nil {
		t.Fatal(err)
	}
}

// The directory above the specs is watched so that their return is noticed; not being allowed to is no loss of the
// watch.
func TestTheDirectoryAboveIsOptional(t *testing.T) {
	dir := t.TempDir()
	w := &watch{}
	defer w.close()
	all := placesOf(listing{root: filepath.Join(dir, "missing", "specs")})
	if _, err := w.follow(all); err != nil {
		t.Fatal(err)
	}
	all = placesOf(listing{root: "", hops: []hop{{filepath.Join(dir, "missing"), "specs"}}})
	if _, err := w.follow(all); err == nil {
		t.Fatal("the directory of a link cannot be watched, and nothing is said")
	}
}
