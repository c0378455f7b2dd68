package lock_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"credproxy.dev/controller/internal/lock"
)

const (
	scope = "engine 1 instance default"
	// asOther makes the test's binary another process that holds the name "web" in the directory of the variable.
	asOther = "LOCK_TEST_DIR"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(asOther)
	if dir == "" {
		os.Exit(m.Run())
	}
	held, fresh, err := lock.NewNames().Acquire(context.Background(), dir, scope, "web")
	fmt.Fprintln(os.Stdout, "held", fresh, err)
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err == nil {
		err = held.Release()
	}
	fmt.Fprintln(os.Stdout, "released", err)
}

// other is another process, which holds the name.
type other struct {
	*exec.Cmd
	stdin  io.Closer
	stdout *bufio.Scanner
}

func startOther(t *testing.T, dir string) *other {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asOther+"="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &other{Cmd: cmd, stdin: stdin, stdout: bufio.NewScanner(stdout)}
}

func (o *other) says(t *testing.T, want string) {
	t.Helper()
	if !o.stdout.Scan() || o.stdout.Text() != want {
		t.Fatalf("the other process says %q, want %q", o.stdout.Text(), want)
	}
}

// take takes the name, and fails the test unless it is as fresh as it should be.
func take(t *testing.T, n *lock.Names, dir, scope, name string, fresh bool) *lock.Lock {
	t.Helper()
	held, got, err := n.Acquire(t.Context(), dir, scope, name)
	if err != nil {
		t.Fatal(err)
	}
	if got != fresh {
		t.Errorf("%s is fresh: %t, want %t", name, got, fresh)
	}
	return held
}

func give(t *testing.T, held *lock.Lock) {
	t.Helper()
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestTwoProcessesTakeTurnsAtAName(t *testing.T) {
	dir, mine := t.TempDir(), lock.NewNames()
	give(t, take(t, mine, dir, scope, "web", true))
	give(t, take(t, mine, dir, scope, "web", true))

	o := startOther(t, dir)
	o.says(t, "held false <nil>")
	give(t, take(t, mine, dir, scope, "api", true)) // another name is free
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("time is over"))
	defer cancel()
	_, _, err := mine.Acquire(ctx, dir, scope, "web")
	if err == nil || !strings.HasSuffix(err.Error(), fmt.Sprintf(`process %d to be done with "web": time is over`, o.Process.Pid)) {
		t.Fatalf("got %v", err)
	}

	waited := make(chan *lock.Lock)
	go func() { waited <- take(t, mine, dir, scope, "web", false) }()
	if err := o.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	o.says(t, "released <nil>")
	give(t, <-waited)
	give(t, take(t, mine, dir, scope, "web", true))
	if err := o.Wait(); err != nil {
		t.Error(err)
	}
}

func TestAProcessThatIsKilledHoldsNothing(t *testing.T) {
	dir, mine := t.TempDir(), lock.NewNames()
	o := startOther(t, dir)
	o.says(t, "held true <nil>")
	if err := o.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	give(t, take(t, mine, dir, scope, "web", false))
	_ = o.Wait()
}

func TestHoldersInOneProcessTakeTurnsToo(t *testing.T) {
	dir, a, b := t.TempDir(), lock.NewNames(), lock.NewNames()
	var all sync.WaitGroup
	inside, most := 0, 0
	var mu sync.Mutex
	count := func(by int) {
		mu.Lock()
		defer mu.Unlock()
		inside += by
		most = max(most, inside)
	}
	for _, n := range []*lock.Names{a, b, a, b} {
		all.Go(func() {
			for range 5 {
				held, _, err := n.Acquire(t.Context(), dir, scope, "web")
				if err != nil {
					t.Error(err)
					return
				}
				count(1)
				count(-1)
				if err := held.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if most != 1 {
		t.Errorf("%d held it at once", most)
	}
}

func TestANameIsNotFreshForWhoeverDidNotHoldItLast(t *testing.T) {
	dir, a, b := t.TempDir(), lock.NewNames(), lock.NewNames()
	give(t, take(t, a, dir, scope, "web", true))
	give(t, take(t, b, dir, scope, "web", false))
	give(t, take(t, b, dir, scope, "web", true))
	give(t, take(t, a, dir, scope, "web", false))
	give(t, take(t, b, dir, scope, "api", true))
}

func TestScopesShareNothing(t *testing.T) {
	dir, n := t.TempDir(), lock.NewNames()
	for _, scope := range []string{"engine 1 instance a", "engine 1 instance b", "engine 1/instance a"} {
		held := take(t, n, dir, scope, "web", true)
		t.Cleanup(func() { give(t, held) })
	}
}

func TestANameThatIsNoFileNameIsLockedBelowTheDirectory(t *testing.T) {
	root, n := t.TempDir(), lock.NewNames()
	dir := filepath.Join(root, "locks")
	give(t, take(t, n, dir, "../x", "../../"+strings.Repeat("y", 300), true))
	entries, err := os.ReadDir(root)
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the locks there is %v, %v", entries, err)
	}
}

func TestAPlaceWhereNoLockCanBeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := lock.NewNames().Acquire(t.Context(), file, scope, "web"); err == nil {
		t.Error("no error")
	}
}

// A controller may run as a user of its own, and root apply beside it.
func TestWhatRootMakesIsForTheOwnerOfTheDirectory(t *testing.T) {
	const uid = 12345
	dir := t.TempDir()
	want := uint32(os.Getuid())
	if os.Getuid() == 0 {
		if err := os.Chown(dir, uid, uid); err != nil {
			t.Fatal(err)
		}
		want = uid
	}
	give(t, take(t, lock.NewNames(), dir, scope, "web", true))
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		var found unix.Stat_t
		if err := errors.Join(err, unix.Stat(path, &found)); err != nil {
			return err
		}
		if found.Uid != want {
			t.Errorf("%s belongs to user %d, not %d", path, found.Uid, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
