package tokens

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"credproxy.dev/controller/internal/plainfile"
	"credproxy.dev/controller/pkg/reconcile"
)

const (
	// writing is how old what was written last has to be: younger, and it may be the first half of a token. That a file is
	// written on all the time is borne for mostWriting.
	writing     = 20 * time.Millisecond
	mostWriting = 50 * time.Millisecond
	// replacing is for how long a file may have no token in it, or be away, that had one: many tools empty a file before
	// they write, or remove it first.
	replacing = 250 * time.Millisecond
	// replacingPoll is how often it is looked at meanwhile.
	replacingPoll = 10 * time.Millisecond
)

// files are the token files of one directory. It remembers which were asked for lately, and never what was in them.
type files struct {
	dir string

	mu    sync.Mutex
	asked map[string]reading
	// fresh says that a file was asked for that was not before.
	fresh chan struct{}
}

// reading is what a file was when it was read last.
type reading struct {
	at time.Time
	// is tells which file it was, and since when; nil when there was none that could be opened.
	is fs.FileInfo
	// good is true when there was a token in it.
	good bool
}

func newFiles(dir string) *files {
	return &files{dir: dir, asked: map[string]reading{}, fresh: make(chan struct{}, 1)}
}

// text reads a file, at a moment at which nobody seems to be writing it.
func (f *files) text(ctx context.Context, name string) (string, error) {
	for began := time.Now(); ; {
		text, is, err := look(f.dir, name)
		if err == nil {
			_, err = check(text)
		}
		pause := f.unrest(name, is, err, time.Since(began))
		if pause <= 0 {
			f.note(name, reading{time.Now(), is, err == nil})
			return text, err
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// unrest is how long to wait before a file is read again, for it may be in the middle of a change; zero when what was
// read stands. A token that is gone is waited for once, by whoever finds it gone.
func (f *files) unrest(name string, is fs.FileInfo, err error, waited time.Duration) time.Duration {
	switch {
	case errors.Is(err, reconcile.ErrTokenDenied):
		return 0
	case err != nil:
		if f.last(name).good && waited < replacing {
			return replacingPoll
		}
		return 0
	}
	if age := time.Since(is.ModTime()); age >= 0 && waited < mostWriting {
		return writing - age
	}
	return 0
}

func (f *files) last(name string) reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[name]
}

// written is when the token that was read last was written; zero when none was.
func (f *files) written(name string) time.Time {
	if last := f.last(name); last.good {
		return last.is.ModTime()
	}
	return time.Time{}
}

func (f *files) note(name string, r reading) {
	f.mu.Lock()
	_, known := f.asked[name]
	f.asked[name] = r
	f.mu.Unlock()
	if known {
		return
	}
	select {
	case f.fresh <- struct{}{}:
	default: // it is said already
	}
}

// since lists the files that were asked for at a time or later, and forgets the others.
func (f *files) since(t time.Time) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for name, r := range f.asked {
		if r.at.Before(t) {
			delete(f.asked, name)
		} else {
			names = append(names, name)
		}
	}
	return names
}

// moved reports whether a file is another than the one that was read last, or was written since.
func (f *files) moved(name string) bool {
	now, was := present(f.dir, name), f.last(name).is
	if now == nil || was == nil {
		return now != was
	}
	return !os.SameFile(now, was) || !now.ModTime().Equal(was.ModTime()) || now.Size() != was.Size()
}

// present says which file there is to read; nil when there is none.
func present(dir, name string) fs.FileInfo {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer root.Close()
	file, err := root.OpenFile(name, plainfile.Flags, 0)
	if err != nil {
		return nil
	}
	defer file.Close()
	is, err := file.Stat()
	if err != nil {
		return nil
	}
	return is
}
