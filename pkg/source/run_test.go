package source

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// patience bounds every wait for a state.
const patience = 20 * time.Second

// running is a Source that runs, and what it delivers.
type running struct {
	*Source
	t     testing.TB
	snaps chan Snapshot
	last  says
}

// run starts a source whose periodic scan is out of the way, so that only the watch can report.
func (f folder) run(root string) *running {
	return f.runEvery(root, time.Hour)
}

func (f folder) runEvery(root string, every time.Duration) *running {
	f.t.Helper()
	s, err := New(Options{Root: root})
	f.must(err)
	return f.runSource(s, every)
}

func (f folder) runSource(s *Source, every time.Duration) *running {
	f.t.Helper()
	r := &running{Source: s, t: f.t, snaps: make(chan Snapshot)}
	ctx, cancel := context.WithCancel(f.t.Context())
	ended := make(chan error)
	go func() {
		ended <- s.Run(ctx, every, func(snap Snapshot) {
			select {
			case r.snaps <- snap:
			case <-ctx.Done():
			}
		})
	}()
	f.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			f.t.Errorf("Run: %v", err)
		}
		if s.WatchErr() == nil {
			f.t.Error("the watch is up after the end")
		}
	})
	return r
}

// until waits for a Snapshot with exactly these specs.
func (r *running) until(specs ...string) Snapshot {
	r.t.Helper()
	late := time.After(patience)
	for {
		select {
		case snap := <-r.snaps:
			r.last = saying(snap)
			if cmp.Equal(r.last.Specs, specs) {
				return snap
			}
		case <-late:
			r.t.Fatalf("no snapshot with %v; the last was %+v", specs, r.last)
		}
	}
}

func TestWhatChangesIsDelivered(t *testing.T) {
	f := newFolder(t)
	r := f.run(f.path)
	r.until()
	if err := r.WatchErr(); err != nil {
		t.Fatal(err)
	}
	f.write("web.yaml", good("web"))
	r.until("web@web.yaml")
	f.write("team/deep/api.yaml", good("api")) // directories that were not there
	r.until("api@team/deep/api.yaml", "web@web.yaml")
	f.write("team/deep/more.yaml", good("more"))
	r.until("api@team/deep/api.yaml", "more@team/deep/more.yaml", "web@web.yaml")
	f.write("team/deep/more.yaml", unparsable)
	r.until("api@team/deep/api.yaml", "~more@team/deep/more.yaml", "web@web.yaml")
	f.rename("team", "crew")
	snap := r.until("api@crew/deep/api.yaml", "web@web.yaml")
	if !snap.KeepAll {
		t.Error("a bad file under a new name protects nothing")
	}
	f.write("crew/deep/more.yaml", good("more")) // the watch went along
	r.until("api@crew/deep/api.yaml", "more@crew/deep/more.yaml", "web@web.yaml")
	f.remove("crew")
	r.until("web@web.yaml")
	f.write("crew/back.yaml", good("back"))
	r.until("back@crew/back.yaml", "web@web.yaml")
	f.remove("web.yaml")
	r.until("back@crew/back.yaml")
}

// Editors write a new file and rename it over the old one, with files of their own beside it.
func TestAnEditorSaves(t *testing.T) {
	f := newFolder(t)
	f.write("web.yaml", good("web"))
	r := f.run(f.path)
	r.until("web@web.yaml")
	for n := range 5 {
		f.write(".web.yaml.swp", "swap")
		f.write("4913", "")
		f.remove("4913")
		f.rename("web.yaml", "web.yaml~")
		f.write("web.yaml", good(fmt.Sprintf("web-%d", n)))
		f.remove("web.yaml~")
		r.until(fmt.Sprintf("web-%d@web.yaml", n))
	}
}

func TestGitSyncSwapsTheWorktree(t *testing.T) {
	layouts := map[string]struct{ root, path string }{
		"of the root":     {"repo/current", "web.yaml"},
		"below the root":  {"repo", "current/web.yaml"},
		"above the specs": {"repo/current/specs", "web.yaml"},
	}
	for name, layout := range layouts {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			file := "web.yaml"
			if strings.HasSuffix(layout.root, "specs") {
				file = "specs/web.yaml"
			}
			f.write("repo/.worktrees/v0/"+file, good("v0"))
			f.link(".worktrees/v0", "repo/current")
			r := f.run(f.at(layout.root))
			r.until("v0@" + layout.path)
			for n := 1; n < 4; n++ {
				f.write(fmt.Sprintf("repo/.worktrees/v%d/%s", n, file), good(fmt.Sprintf("v%d", n)))
				f.swap(fmt.Sprintf(".worktrees/v%d", n), "repo/current")
				f.remove(fmt.Sprintf("repo/.worktrees/v%d", n-1))
				r.until(fmt.Sprintf("v%d@%s", n, layout.path))
			}
		})
	}
}

func TestAConfigMapIsUpdated(t *testing.T) {
	f := newFolder(t)
	f.write("..v0/web.yaml", good("v0"))
	f.link("..v0", "..data")
	f.link("..data/web.yaml", "web.yaml")
	r := f.run(f.path)
	r.until("v0@web.yaml")
	for n := 1; n < 4; n++ {
		f.write(fmt.Sprintf("..v%d/web.yaml", n), good(fmt.Sprintf("v%d", n)))
		f.swap(fmt.Sprintf("..v%d", n), "..data")
		f.remove(fmt.Sprintf("..v%d", n-1))
		r.until(fmt.Sprintf("v%d@web.yaml", n))
	}
}

func TestTheTargetOfALinkIsFollowed(t *testing.T) {
	f := newFolder(t)
	f.write(".store/web.txt", good("web"))
	f.link(".store/web.txt", "web.yaml")
	r := f.run(f.path)
	r.until("web@web.yaml")
	f.write(".store/web.txt", good("other"))
	r.until("other@web.yaml")
}

func TestTheRootGoesAndComesBack(t *testing.T) {
	f := newFolder(t)
	f.write("specs/web.yaml", good("web"))
	r := f.run(f.at("specs"))
	r.until("web@web.yaml")
	f.remove("specs")
	if snap := r.until("~web@web.yaml"); snap.Complete {
		t.Error("a scan without its directory is complete")
	}
	f.write("specs/api.yaml", good("api"))
	if snap := r.until("api@api.yaml"); !snap.Complete {
		t.Errorf("not complete: %v", snap.Err)
	}
	f.write("specs/api.yaml", good("other")) // the new directory is watched
	r.until("other@api.yaml")
}

func TestTwoHundredDirectories(t *testing.T) {
	f := newFolder(t)
	for n := range 200 {
		f.write(fmt.Sprintf("env-%d/web.yaml", n), good(fmt.Sprintf("web-%d", n)))
	}
	r := f.run(f.path)
	if snap := <-r.snaps; len(snap.Specs) != 200 {
		t.Fatalf("%d specs", len(snap.Specs))
	}
	if err := r.WatchErr(); err != nil {
		t.Fatal(err)
	}
	for n := range 199 {
		f.remove(fmt.Sprintf("env-%d", n))
	}
	r.until("web-199@env-199/web.yaml")
	f.write("env-199/web.yaml", good("last"))
	r.until("last@env-199/web.yaml")
}

func TestAFileThatIsLosingNamesIsLookedAtAgain(t *testing.T) {
	f := newFolder(t)
	f.write("all.yaml", good("one", "two"))
	s := f.source()
	s.settle = 50 * time.Millisecond
	r := f.runSource(s, time.Hour)
	r.until("one@all.yaml", "two@all.yaml")
	f.write("all.yaml", good("one"))
	for snap := r.until("one@all.yaml"); snap.KeepAll || snap.KeepNames.Len() > 0; {
		snap = r.until("one@all.yaml") // Nothing happens any more; only time passes.
	}
}

func TestAFileThatWasJustWrittenProtectsAllAtTheStart(t *testing.T) {
	f := newFolder(t)
	f.write("web.yaml", good("web"))
	r := f.run(f.path)
	if snap := r.until("web@web.yaml"); !snap.KeepAll {
		t.Error("a file that may be in the middle of its writing does not protect what it may still hold")
	}
	for snap := r.until("web@web.yaml"); snap.KeepAll; {
		snap = r.until("web@web.yaml")
	}
}

func TestThePeriodicScanFindsWhatNoWatchReports(t *testing.T) {
	f := newFolder(t)
	r := f.runEvery(f.path, 5*time.Millisecond)
	r.until()
	before := r.until()
	if after := r.until(); !after.At.After(before.At) {
		t.Error("the second scan is not later")
	}
}
