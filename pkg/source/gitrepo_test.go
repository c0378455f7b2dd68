package source

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// git runs git in a directory, without anybody's configuration.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := gitCommand(t, dir, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func gitCommand(t testing.TB, dir string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
	}
	return cmd
}

// begin starts git; what it returns waits for its end.
func begin(t testing.TB, dir string, args ...string) (wait func()) {
	t.Helper()
	ended := make(chan error, 1)
	cmd := gitCommand(t, dir, args...)
	go func() {
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = errors.New("git " + strings.Join(args, " ") + ": " + err.Error() + "\n" + string(out))
		}
		ended <- err
	}()
	return func() {
		t.Helper()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}

// remote is a bare repository, and the desk where its commits are made.
type remote struct {
	bare string
	desk folder
}

func newRemote(t testing.TB) remote {
	t.Helper()
	r := remote{bare: filepath.Join(t.TempDir(), "specs.git"), desk: newFolder(t)}
	git(t, r.desk.path, "init", "-q", "--bare", "-b", "main", r.bare)
	git(t, r.desk.path, "clone", "-q", r.bare, ".")
	git(t, r.desk.path, "checkout", "-q", "-b", "main")
	return r
}

// push commits all that is on the desk.
func (r remote) push() {
	r.desk.t.Helper()
	git(r.desk.t, r.desk.path, "add", "-A")
	git(r.desk.t, r.desk.path, "commit", "-q", "-m", "change")
	git(r.desk.t, r.desk.path, "push", "-q", "origin", "main")
}

// clone makes a clone at a path.
func (r remote) clone(path string) {
	r.desk.t.Helper()
	git(r.desk.t, r.desk.path, "clone", "-q", r.bare, path)
}

// gate stops git when it comes to write the file m-gate.yaml, with other files written and others not.
type gate struct {
	t    testing.TB
	fifo string
}

// newGate sets a gate up in a clone, for all of its worktrees.
func newGate(t testing.TB, clone string) gate {
	t.Helper()
	g := gate{t, filepath.Join(t.TempDir(), "gate")}
	f := folder{t, filepath.Join(clone, ".git")}
	f.must(syscall.Mkfifo(g.fifo, 0o600))
	f.write("info/attributes", "m-gate.yaml filter=gate\n")
	git(t, clone, "config", "filter.gate.smudge", g.command()+"; cat")
	t.Cleanup(func() { // whoever still waits is let through
		if fifo, err := os.OpenFile(g.fifo, os.O_RDWR, 0); err == nil {
			fifo.Close()
		}
	})
	return g
}

// command waits until the gate is opened.
func (g gate) command() string { return "cat " + g.fifo }

// reached waits until git stands at the gate; what it returns opens it.
func (g gate) reached() (open func()) {
	g.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		fifo, err := os.OpenFile(g.fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			return func() { fifo.Close() }
		}
		if !errors.Is(err, syscall.ENXIO) {
			g.t.Fatal(err)
		}
		select {
		case <-late:
			g.t.Fatal("git never came to the gate")
		case <-tick.C:
		}
	}
}
