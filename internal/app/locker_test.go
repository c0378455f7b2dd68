package app

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

// pass opens a pass of the stack, and returns the locker that its controller gets.
func (s *stack) pass(t *testing.T, offline bool) reconcile.Locker {
	t.Helper()
	pass, err := OpenPass(t.Context(), s.opts, s.parts, offline)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pass.Close() })
	return s.looker.opts.Locker
}

// held takes the name until the test ends.
func held(t *testing.T, l reconcile.Locker) reconcile.Held {
	t.Helper()
	h, err := l.Lock(t.Context(), "web")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Release)
	return h
}

// free reports whether the name can be taken now.
func free(t *testing.T, l reconcile.Locker) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	h, err := l.Lock(ctx, "web")
	if err == nil {
		h.Release()
	} else if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	return err == nil
}

func TestAPassTakesTurnsWithARunAtEachName(t *testing.T) {
	running := newStack(t, t.TempDir())
	base, _ := running.start(t)
	eventually(t, base+"/readyz", 200, "ok")

	single := newStack(t, running.opts.Specs)
	single.opts.StateDir = running.opts.StateDir
	theirs, mine := running.looker.opts.Locker, single.pass(t, false)
	h, err := theirs.Lock(t.Context(), "web")
	if err != nil || !h.Fresh {
		t.Fatal(h, err)
	}
	if free(t, mine) {
		t.Error("two hold one name")
	}
	other, err := mine.Lock(t.Context(), "api")
	if err != nil || !other.Fresh {
		t.Errorf("another name: %+v, %v", other, err)
	}
	other.Release()
	h.Release()
	h, err = mine.Lock(t.Context(), "web")
	if err != nil || h.Fresh {
		t.Errorf("after the other's turn: %+v, %v", h, err)
	}
	h.Release()
	if h, err = theirs.Lock(t.Context(), "web"); err != nil || h.Fresh {
		t.Errorf("after the turn in between: %+v, %v", h, err)
	}
	h.Release()
}

func TestWhoSharesNames(t *testing.T) {
	tests := map[string]struct {
		change func(a, b *stack)
		share  bool
	}{
		"the same engine":                   {func(_, _ *stack) {}, true},
		"the engine behind another address": {func(_, b *stack) { b.engine.host = "tcp://127.0.0.1:2375" }, true},
		"an engine whose ID does not last":  {func(a, b *stack) { a.engine.fleeting, b.engine.fleeting = true, true }, true},
		"such engines at two addresses": {func(a, b *stack) {
			a.engine.fleeting, b.engine.fleeting, b.engine.host = true, true, "tcp://127.0.0.1:2375"
		}, false},
		"another instance": {func(_, b *stack) { b.opts.Instance = "other" }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := newStack(t, t.TempDir()), newStack(t, t.TempDir())
			b.opts.StateDir = a.opts.StateDir
			tt.change(a, b)
			held(t, a.pass(t, false))
			if free(t, b.pass(t, false)) == tt.share {
				t.Errorf("they share names: %t, want %t", !tt.share, tt.share)
			}
		})
	}
}

func TestNamesAreNotLockedByWhoOnlyLooks(t *testing.T) {
	s := newStack(t, t.TempDir())
	if l := s.pass(t, true); l != nil {
		t.Errorf("without an engine there is %v", l)
	}
	s.opts.StateDir = ""
	if l := s.pass(t, false); l != nil {
		t.Errorf("without a directory there is %v", l)
	}
}

func TestALockThatCannotBeTakenIsSaid(t *testing.T) {
	s := newStack(t, t.TempDir())
	write(t, s.opts.StateDir, "file", "")
	s.opts.StateDir = filepath.Join(s.opts.StateDir, "file")
	l := s.pass(t, false)
	if _, err := l.Lock(t.Context(), "web"); err == nil {
		t.Error("no error")
	}
	s.engine.set(true)
	if _, err := s.pass(t, false).Lock(t.Context(), "web"); !errors.Is(err, reconcile.ErrEngineUnavailable) {
		t.Errorf("got %v", err)
	}
}
