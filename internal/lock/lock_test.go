package lock_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/lock"
)

func acquire(t *testing.T, dir, key string) *lock.Lock {
	t.Helper()
	held, err := lock.Acquire(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

func TestAKeyIsHeldOnceAndCanBeTakenAgainWhenGivenBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when", "missing")
	first := acquire(t, dir, "engine/default")
	_, err := lock.Acquire(dir, "engine/default")
	if !errors.Is(err, lock.ErrHeld) {
		t.Fatalf("the second holder got %v", err)
	}
	if !strings.Contains(err.Error(), "by process ") {
		t.Errorf("the error does not name the holder: %v", err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if err := acquire(t, dir, "engine/default").Release(); err != nil {
		t.Error(err)
	}
}

func TestKeysThatLookAlikeDoNotShareALock(t *testing.T) {
	dir := t.TempDir()
	for _, key := range []string{"a/b", "a_b", "a.b", strings.Repeat("x", 50), strings.Repeat("x", 51)} {
		held := acquire(t, dir, key)
		t.Cleanup(func() { _ = held.Release() })
	}
}

func TestALinkAtTheLocksPlaceIsNotFollowed(t *testing.T) {
	dir := t.TempDir()
	if err := acquire(t, dir, "k").Release(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.lock"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(files[0]), os.Symlink(victim, files[0])); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Acquire(dir, "k"); err == nil {
		t.Error("the link was followed")
	}
	if data, _ := os.ReadFile(victim); string(data) != "precious" {
		t.Errorf("the victim now holds %q", data)
	}
}

func TestADirectoryThatCannotBeMadeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Acquire(filepath.Join(file, "sub"), "k"); err == nil {
		t.Error("no error")
	}
}

func TestTheDefaultDirectory(t *testing.T) {
	tests := map[string]struct {
		uid  int
		env  map[string]string
		want string
	}{
		"root":                      {0, map[string]string{"HOME": "/root"}, "/var/lib/credproxy"},
		"state home":                {1000, map[string]string{"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/credproxy"},
		"relative state is ignored": {1000, map[string]string{"XDG_STATE_HOME": "s", "HOME": "/h"}, "/h/.local/state/credproxy"},
		"nothing is known":          {1000, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := lock.DefaultDir(tt.uid, func(k string) string { return tt.env[k] })
			if got != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}
