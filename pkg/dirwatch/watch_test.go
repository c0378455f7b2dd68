package dirwatch

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/apimachinery/pkg/util/sets"
)

func anything(fsnotify.Event) bool { return true }

func TestWaitingForQuiet(t *testing.T) {
	file := fsnotify.Event{Name: "/tokens/web", Op: fsnotify.Write}
	tests := map[string]struct {
		send   func(w *Watch, wake chan<- struct{})
		want   time.Duration
		missed bool
	}{
		"nothing happens": {send: func(*Watch, chan<- struct{}) {}, want: time.Hour},
		"one event":       {send: func(w *Watch, _ chan<- struct{}) { w.fs.Events <- file }, want: quiet},
		"a pause shorter than quiet": {send: func(w *Watch, _ chan<- struct{}) {
			w.fs.Events <- file
			<-time.After(quiet / 2)
			w.fs.Events <- file
		}, want: quiet/2 + quiet},
		"no rest at all": {send: func(w *Watch, _ chan<- struct{}) {
			for range 100 {
				select {
				case w.fs.Events <- file:
					<-time.After(time.Millisecond)
				case <-time.After(time.Second):
					return
				}
			}
		}, want: mostDelay},
		"what does not matter": {send: func(w *Watch, _ chan<- struct{}) {
			w.fs.Events <- fsnotify.Event{Name: "/tokens/agent.log", Op: fsnotify.Write}
		}, want: time.Hour},
		"events were lost": {send: func(w *Watch, _ chan<- struct{}) { w.fs.Errors <- fsnotify.ErrEventOverflow }, want: quiet, missed: true},
		"it is woken":      {send: func(_ *Watch, wake chan<- struct{}) { wake <- struct{}{} }, want: quiet},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wake, done := make(chan struct{}), make(chan struct{})
				w := &Watch{Wake: wake, fs: &fsnotify.Watcher{Events: make(chan fsnotify.Event), Errors: make(chan error)}}
				go func() { test.send(w, wake); close(done) }()
				began := time.Now()
				missed, err := w.Wait(t.Context(), time.Hour, func(e fsnotify.Event) bool { return e == file })
				if got := time.Since(began); got != test.want || missed != test.missed || err != nil {
					t.Errorf("waited %v, want %v; missed %v, error %v", got, test.want, missed, err)
				}
				<-done
			})
		})
	}
}

func TestALostWatchIsMadeAnew(t *testing.T) {
	dirs := sets.New(t.TempDir())
	w := &Watch{}
	defer w.Close()
	if added, err := w.Follow(dirs, nil); !added || err != nil {
		t.Fatal(added, err)
	}
	if added, err := w.Follow(dirs, nil); added || err != nil {
		t.Fatal("a directory that is watched counts as added", err)
	}
	first := w.fs
	lost := errors.New("lost")
	go func() { first.Errors <- lost }()
	if missed, err := w.Wait(t.Context(), time.Hour, anything); !missed || !errors.Is(err, lost) {
		t.Fatal(missed, err)
	}
	if added, err := w.Follow(dirs, nil); !added || err != nil {
		t.Fatal("the directory is not watched again", err)
	}
}

func TestADirectoryThatCannotBeWatchedIsSaid(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	w := &Watch{}
	defer w.Close()
	if added, err := w.Follow(sets.New(dir, missing), nil); !added || err == nil {
		t.Fatal("nothing is said, or the other is not watched:", added, err)
	}
	if _, err := w.Follow(sets.New(dir, missing), sets.New(missing)); err != nil {
		t.Fatal("one that is optional:", err)
	}
}

func TestTheLimitThatWasMetIsNamed(t *testing.T) {
	tests := map[error]string{syscall.ENOSPC: "fs.inotify.max_user_watches", syscall.EACCES: "let the user that runs the controller read it"}
	for cause, want := range tests {
		if err := watchError("/tokens", cause); !errors.Is(err, cause) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
