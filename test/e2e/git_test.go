//go:build e2e

package e2e

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

// repository is a bare remote, a desk where its commits are made, and a place to which they are delivered.
type repository struct {
	t                   *testing.T
	w                   *world
	bare, desk, deliver string
}

func newRepository(t *testing.T, w *world) *repository {
	t.Helper()
	dir := t.TempDir()
	r := &repository{
		t: t, w: w,
		bare: filepath.Join(dir, "specs.git"), desk: filepath.Join(dir, "desk"), deliver: filepath.Join(dir, "deliver"),
	}
	r.git(dir, "init", "-q", "--bare", "-b", "main", r.bare)
	r.git(dir, "clone", "-q", r.bare, r.desk)
	r.git(r.desk, "checkout", "-q", "-b", "main")
	return r
}

// git runs git in a directory, without anybody's configuration.
func (r *repository) git(dir string, args ...string) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Errorf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// push commits a file to the remote.
func (r *repository) push(file, content string) {
	r.t.Helper()
	writeFile(r.t, filepath.Join(r.desk, file), content)
	r.pushAll()
}

func (r *repository) pushAll() {
	r.t.Helper()
	r.git(r.desk, "add", "-A")
	r.git(r.desk, "commit", "-q", "-m", "change")
	r.git(r.desk, "push", "-q", "origin", "main")
}

func (r *repository) revert() {
	r.t.Helper()
	r.git(r.desk, "revert", "--no-edit", "HEAD")
	r.git(r.desk, "push", "-q", "origin", "main")
}

func (r *repository) rename(from, to string) {
	r.t.Helper()
	r.git(r.desk, "mv", from, to)
	r.pushAll()
}

// pull delivers as a plain git pull in the watched directory does. The first one clones.
func (r *repository) pull() {
	r.t.Helper()
	if _, err := os.Stat(r.deliver); errors.Is(err, os.ErrNotExist) {
		r.git(r.desk, "clone", "-q", r.bare, r.deliver)
		r.w.specs = r.deliver
		return
	}
	r.git(r.deliver, "pull", "-q", "--ff-only")
}

// swap delivers as git-sync does: a worktree for each commit in a hidden directory, and a link that is swapped.
func (r *repository) swap() {
	r.t.Helper()
	link := filepath.Join(r.deliver, "current")
	if _, err := os.Stat(r.deliver); errors.Is(err, os.ErrNotExist) {
		r.git(r.desk, "clone", "-q", "--no-checkout", r.bare, r.deliver)
		r.w.specs = link
	}
	r.git(r.deliver, "fetch", "-q")
	before, _ := os.Readlink(link) // there is none the first time
	next := filepath.Join(".worktrees", r.git(r.deliver, "rev-parse", "origin/main"))
	r.git(r.deliver, "worktree", "add", "-q", "--detach", next, "origin/main")
	if err := errors.Join(os.Symlink(next, link+".new"), os.Rename(link+".new", link)); err != nil {
		r.t.Fatal(err)
	}
	if before != "" {
		r.git(r.deliver, "worktree", "remove", "--force", before)
	}
}

// A spec lives in git: it is added, edited, broken, mended, renamed and removed by commits.
func TestSpecsAreDeliveredByGit(t *testing.T) {
	t.Parallel()
	for name, sync := range map[string]func(*repository){
		"by a plain pull":           (*repository).pull,
		"in the manner of git-sync": (*repository).swap,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.setToken("token", "s3cret")
			r := newRepository(t, w)
			deliver := func() { t.Helper(); sync(r) }
			r.push("README.md", "Specs of the story.\n")
			deliver()
			c := w.run("--resync", "1h") // only what is noticed counts
			c.readyz()

			r.push("web.yaml", w.spec("web", "/v1"))
			deliver()
			first := c.ready("web")
			w.served(proxyURL+"/api/x", "/v1/x")
			same := func(when string) {
				t.Helper()
				if ids := labelled(t, "container", w.id); len(ids) != 1 || ids[0] != first.Status.ContainerID {
					t.Errorf("%s there are the containers %v, not %s", when, ids, first.Status.ContainerID)
				}
			}
			r.push("web.yaml", w.spec("web", "/v2"))
			deliver()
			w.served(proxyURL+"/api/x", "/v2/x")
			same("after an edit")

			r.push("web.yaml", strings.Replace(w.spec("web", "/v3"), "scheme: Bearer", "scheme: Bear", 1))
			deliver()
			c.found("web.yaml", func(f sourceFile) bool {
				return f.State == "Invalid" && f.LastGood && f.Errors[0].Line == 13 &&
					f.Errors[0].Field == "spec.routes[0].auth.scheme" && strings.Contains(f.Errors[0].Message, "Bear")
			})
			w.served(proxyURL+"/api/x", "/v2/x")
			same("after a bad commit")

			r.revert()
			deliver()
			c.found("web.yaml", func(f sourceFile) bool { return f.State == "Valid" && len(f.Errors) == 0 })
			r.rename("web.yaml", "site.yaml")
			deliver()
			c.found("site.yaml", func(f sourceFile) bool { return f.State == "Valid" })
			r.push("site.yaml", w.spec("web", "/v4")) // so that what followed the renaming is over
			deliver()
			w.served(proxyURL+"/api/x", "/v4/x")
			same("after a renaming")

			r.git(r.desk, "rm", "-q", "site.yaml")
			r.pushAll()
			deliver()
			c.gone(w, "web")
		})
	}
}

// found waits until the controller makes of a file what is told.
func (c *controller) found(path string, told func(sourceFile) bool) {
	c.t.Helper()
	eventually(c.t, path+" is found as told", func() error {
		f, err := c.source(path)
		if err == nil {
			err = want(told(f), f)
		}
		return err
	})
}

// Git removes the old name of a file before it writes the new one. Here it is stopped between the two.
func TestCheckoutInTheMiddleIsNotActedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	r := newRepository(t, w)
	r.push("web.yaml", w.spec("web", "/v1"))
	r.pull()
	c := w.run("--resync", "200ms")
	before := c.ready("web")

	fifo := filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(r.deliver, ".git", "info", "attributes"), "site.yaml filter=gate\n")
	r.git(r.deliver, "config", "filter.gate.smudge", "cat "+fifo+"; cat")
	r.rename("web.yaml", "site.yaml")
	pulled := make(chan struct{})
	go func() { defer close(pulled); r.pull() }()
	open := func() {
		if gate, err := os.OpenFile(fifo, os.O_RDWR, 0); err == nil {
			gate.Close()
		}
		<-pulled
	}
	t.Cleanup(open)
	c.logged("git is writing in "+r.deliver, "index.lock")
	if files, err := filepath.Glob(filepath.Join(r.deliver, "*.yaml")); err != nil || len(files) > 0 {
		t.Errorf("git is elsewhere: there are %v, %v", files, err)
	}
	w.served(proxyURL+"/api/x", "/v1/x")
	open()
	c.found("site.yaml", func(f sourceFile) bool { return f.State == "Valid" })
	c.logged("the spec files can be read again")
	if after := c.ready("web"); after.Status.ContainerID != before.Status.ContainerID {
		t.Error("the sidecar was replaced")
	}
}
