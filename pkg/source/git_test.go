package source

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// change makes the commits of most stories: 61 specs, and then one in which twenty are edited, twenty are renamed and
// twenty removed. Git removes first, then it writes what was edited, then it stands at the gate, and the new names of
// the renamed ones are still missing.
type change struct{ before, after []string }

func (c change) first(r remote) change {
	for n := range 60 {
		name := fmt.Sprintf("env-%02d", n)
		r.desk.write("specs/"+name+".yaml", good(name))
		c.before = append(c.before, name)
	}
	r.desk.write("specs/m-gate.yaml", good("gate"))
	r.push()
	c.before = append(c.before, "gate")
	c.after = append(slices.Clone(c.before[:40]), "gate")
	return c
}

func (c change) second(r remote) {
	r.desk.mkdir("specs/team")
	for n := range 60 {
		switch file := fmt.Sprintf("env-%02d.yaml", n); {
		case n < 20:
			r.desk.write("specs/"+file, edited(fmt.Sprintf("env-%02d", n)))
		case n < 40:
			r.desk.rename("specs/"+file, "specs/team/"+file)
		default:
			r.desk.remove("specs/" + file)
		}
	}
	r.desk.write("specs/m-gate.yaml", edited("gate"))
	r.push()
}

func edited(name string) string { return strings.ReplaceAll(good(name), "/api", "/v2") }

// routes tells which names a Snapshot declares, and how many of them are edited.
func routes(snap Snapshot) (names []string, edits int) {
	for _, o := range snap.Specs {
		names = append(names, o.CredProxy.Name)
		if o.CredProxy.Spec.Routes[0].Path == "/v2" {
			edits++
		}
	}
	return names, edits
}

// oneSide fails when a Snapshot says anything but what one of the two commits says.
func (c change) oneSide(t *testing.T, snap Snapshot) {
	t.Helper()
	names, edits := routes(snap)
	if !(cmp.Equal(names, c.before) && edits == 0) && !(cmp.Equal(names, c.after) && edits == 21) {
		t.Fatalf("neither the old commit nor the new one: %d edits in %v", edits, names)
	}
}

func TestACheckoutThatIsBeingWrittenIsHeldAtWhatWasBefore(t *testing.T) {
	pull := func(t *testing.T, f folder) func() { return begin(t, f.at("clone"), "pull", "-q", "--ff-only") }
	layouts := map[string]struct {
		root, tree string
		update     func(t *testing.T, f folder) (wait func())
	}{
		"the clone itself":         {"clone", "clone", pull},
		"a directory in the clone": {"clone/specs", "clone", pull},
		"a clone beneath the root": {".", "clone", pull},
		"behind a link":            {"link", "clone", pull},
		"a linked worktree": {"site/specs", "site", func(t *testing.T, f folder) func() {
			git(t, f.at("clone"), "fetch", "-q")
			return begin(t, f.at("site"), "reset", "-q", "--hard", "origin/main")
		}},
	}
	for name, layout := range layouts {
		t.Run(name, func(t *testing.T) {
			r, f := newRemote(t), newFolder(t)
			c := change{}.first(r)
			r.clone(f.at("clone"))
			f.link("clone/specs", "link")
			if layout.tree == "site" {
				git(t, f.at("clone"), "worktree", "add", "-q", "--detach", f.at("site"))
				f.must(os.RemoveAll(f.at("clone/specs")))
			}
			s, err := New(Options{Root: f.at(layout.root)})
			f.must(err)
			c.oneSide(t, s.Scan(t.Context()))

			c.second(r)
			g := newGate(t, f.at("clone"))
			wait := layout.update(t, f)
			open := g.reached()
			left, err := filepath.Glob(f.at(layout.tree + "/specs/*.yaml"))
			if f.must(err); len(left) != 20 {
				t.Fatalf("the gate is in the wrong place: %v", left)
			}
			snap, _ := s.scan(t.Context())
			names, edits := routes(snap)
			if snap.Complete || edits > 0 || !cmp.Equal(names, c.before) {
				t.Errorf("complete %v with %d edits in %v", snap.Complete, edits, names)
			}
			said := fmt.Sprint(snap.Err)
			if !strings.Contains(said, "git is writing in "+f.at(layout.tree)) || !strings.Contains(said, "index.lock") {
				t.Errorf("it is said that %s", said)
			}
			open()
			wait()
			snap = s.Scan(t.Context())
			if names, edits := routes(snap); !snap.Complete || edits != 21 || !cmp.Equal(names, c.after) {
				t.Errorf("after it: %v, %d edits in %v", snap.Err, edits, names)
			}
		})
	}
}

// watchedChange runs a source, of which every Snapshot is one of the two commits.
func watchedChange(t *testing.T, s *Source, f folder, c change) (until func(done func(Snapshot) bool)) {
	t.Helper()
	running := f.runSource(s, time.Hour)
	return func(done func(Snapshot) bool) {
		t.Helper()
		late := time.After(patience)
		for {
			select {
			case snap := <-running.snaps:
				if c.oneSide(t, snap); done(snap) {
					return
				}
			case <-late:
				t.Fatal("the awaited snapshot did not come")
			}
		}
	}
}

// at recognises a complete Snapshot of these names.
func at(names []string) func(Snapshot) bool {
	return func(snap Snapshot) bool {
		got, _ := routes(snap)
		return snap.Complete && cmp.Equal(got, names)
	}
}

func held(snap Snapshot) bool {
	return !snap.Complete && strings.Contains(snap.Err.Error(), "git is writing")
}

func TestAPullIsDeliveredAsAWhole(t *testing.T) {
	r, f := newRemote(t), newFolder(t)
	c := change{}.first(r)
	r.clone(f.path)
	s := f.source()
	s.settle = 20 * time.Millisecond // what is held longer is told
	until := watchedChange(t, s, f, c)
	until(at(c.before))

	c.second(r)
	g := newGate(t, f.path)
	wait := begin(t, f.path, "pull", "-q", "--ff-only")
	open := g.reached()
	until(held)
	open()
	until(at(c.after))
	wait()

	git(t, f.path, "config", "--unset", "filter.gate.smudge")
	for n := range 6 { // there and back at full speed
		git(t, r.desk.path, "revert", "--no-edit", "HEAD")
		git(t, r.desk.path, "push", "-q", "origin", "main")
		wait := begin(t, f.path, "pull", "-q", "--ff-only")
		until(at([][]string{c.before, c.after}[n%2]))
		wait()
	}
}

// git-sync writes each commit into a worktree of its own, and swaps a link to it. The old one stays in force, and
// whole, while the new one is being written.
func TestGitSyncWithRealWorktrees(t *testing.T) {
	r, f := newRemote(t), newFolder(t)
	c := change{}.first(r)
	git(t, f.path, "clone", "-q", "--no-checkout", r.bare, ".")
	worktree := func() (dir string, wait func()) {
		git(t, f.path, "fetch", "-q")
		dir = ".worktrees/" + git(t, f.path, "rev-parse", "origin/main")
		return dir, begin(t, f.path, "worktree", "add", "-q", "--detach", dir, "origin/main")
	}
	first, wait := worktree()
	wait()
	f.link(first, "current")
	s, err := New(Options{Root: f.at("current/specs")})
	f.must(err)
	until := watchedChange(t, s, f, c)
	until(at(c.before))

	c.second(r)
	g := newGate(t, f.path)
	second, wait := worktree()
	open := g.reached()
	if snap, _ := s.scan(t.Context()); !at(c.before)(snap) {
		t.Errorf("the other worktree is in the way: %v", snap.Err)
	}
	open()
	wait()
	f.swap(second, "current")
	f.remove(first)
	git(t, f.path, "worktree", "prune")
	until(at(c.after))
}

// The life of one file in a watched clone.
func TestCommitsThatBreakHealAndRename(t *testing.T) {
	r, f := newRemote(t), newFolder(t)
	r.desk.write("web.yaml", good("web"))
	r.push()
	r.clone(f.path)
	s := f.source()
	look := func(want says) Snapshot {
		t.Helper()
		git(t, f.path, "pull", "-q", "--ff-only")
		snap := s.Scan(t.Context())
		expect(t, snap, want)
		return snap
	}
	fine := says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}}
	look(fine)
	r.desk.write("web.yaml", wrong("web"))
	r.push()
	snap := look(says{Specs: []string{"~web@web.yaml"}, Files: []string{"web.yaml Invalid~"}})
	if said := messages(t, snap.Files, "web.yaml"); !strings.Contains(said, "web.yaml:10: spec.routes[0].upstream: ") {
		t.Errorf("it is said that %s", said)
	}
	git(t, r.desk.path, "revert", "--no-edit", "HEAD")
	git(t, r.desk.path, "push", "-q")
	look(fine)
	git(t, r.desk.path, "mv", "web.yaml", "site.yaml")
	r.push()
	look(says{Specs: []string{"web@site.yaml"}, Files: []string{"site.yaml Valid"}})
}

// A rebase takes local commits away, and puts them back one by one.
func TestARebaseInTheMiddleRemovesNothing(t *testing.T) {
	r, f := newRemote(t), newFolder(t)
	r.desk.write("web.yaml", good("web"))
	r.push()
	r.clone(f.path)
	for _, name := range []string{"local-1", "local-2"} {
		f.write(name+".yaml", good(name))
		git(t, f.path, "add", "-A")
		git(t, f.path, "commit", "-q", "-m", name)
	}
	s := f.source()
	before := []string{"local-1@local-1.yaml", "local-2@local-2.yaml", "web@web.yaml"}
	if got := saying(s.Scan(t.Context())).Specs; !cmp.Equal(got, before) {
		t.Fatal(got)
	}
	r.desk.write("api.yaml", good("api"))
	r.push()
	git(t, f.path, "fetch", "-q")
	g := newGate(t, f.path)
	stop := fmt.Sprintf("test ! -p %[1]s || { %[2]s; rm %[1]s; }", g.fifo, g.command()) // after the first of the two
	wait := begin(t, f.path, "rebase", "-q", "--exec", stop, "origin/main")
	open := g.reached()
	if _, err := os.Stat(f.at("local-2.yaml")); err == nil {
		t.Error("the rebase does not take the local commits away")
	}
	snap, _ := s.scan(t.Context())
	if got := saying(snap); !got.Incomplete || !cmp.Equal(got.Specs, before) {
		t.Errorf("in the middle there is %+v", got)
	}
	open()
	wait()
	if got := saying(s.Scan(t.Context())); got.Incomplete || !cmp.Equal(got.Specs, append([]string{"api@api.yaml"}, before...)) {
		t.Errorf("after it there is %+v", got)
	}
}

// What an interrupted git has left behind must not stop edits for ever, and removes nothing.
func TestWhatAnInterruptedGitLeft(t *testing.T) {
	tests := map[string]struct{ name, advice string }{
		"a lock":   {"index.lock", "remove "},
		"a rebase": {"rebase-merge", "rebase --abort"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, f := newRemote(t), newFolder(t)
			r.desk.write("web.yaml", good("web"))
			r.desk.write("api.yaml", good("api"))
			r.push()
			r.clone(f.path)
			s := f.source()
			s.Scan(t.Context())
			path := f.at(".git/" + test.name)
			f.must(os.Mkdir(path, 0o755))
			f.must(os.Chtimes(path, time.Time{}, time.Now().Add(-2*staleAfter)))
			f.write("web.yaml", edited("web"))
			f.remove("api.yaml")

			snap := s.Scan(t.Context())
			if names, edits := routes(snap); snap.Complete || edits != 1 || !cmp.Equal(names, []string{"api", "web"}) {
				t.Errorf("complete %v, %d edits in %v", snap.Complete, edits, names)
			}
			if said := fmt.Sprint(snap.Err); !strings.Contains(said, path) || !strings.Contains(said, test.advice) {
				t.Errorf("it is said that %s", said)
			}
			f.must(os.Remove(path))
			expect(t, s.Scan(t.Context()), says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}})
		})
	}
}

func TestAStartInTheMiddleOfACheckoutSaysNothing(t *testing.T) {
	r, f := newRemote(t), newFolder(t)
	r.desk.write("web.yaml", good("web"))
	r.push()
	r.clone(f.path)
	f.write(".git/index.lock", "")
	s := f.source()
	snap, _ := s.scan(t.Context())
	expect(t, snap, says{Incomplete: true})
	f.remove(".git/index.lock")
	expect(t, s.Scan(t.Context()), says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}})
}

// A checkout that begins and ends within one look shows in its index alone.
func TestACheckoutDuringALookIsNotMixed(t *testing.T) {
	r, f := newRemote(t), newFolder(t)
	for _, name := range []string{"a", "z"} {
		r.desk.write(name+".yaml", good(name))
	}
	r.push()
	r.clone(f.path)
	for _, name := range []string{"a", "z"} {
		r.desk.write(name+".yaml", edited(name))
	}
	r.push()
	pulled := false
	s := f.meanwhile(f.path, "z.yaml", func() {
		if !pulled {
			pulled = true
			git(t, f.path, "pull", "-q", "--ff-only")
		}
	})
	if names, edits := routes(s.Scan(t.Context())); edits != 2 {
		t.Errorf("%d edits in %v", edits, names)
	}
}

func TestTheGitDirectoryIsWatchedForItsLockAlone(t *testing.T) {
	r, f := newRemote(t), newFolder(t)
	r.desk.write("web.yaml", good("web"))
	r.push()
	r.clone(f.at("clone"))
	git(t, f.at("clone"), "worktree", "add", "-q", "--detach", f.at("site"))
	for root, dir := range map[string]string{"clone": "clone/.git", "site": "clone/.git/worktrees/site"} {
		s, err := New(Options{Root: f.at(root)})
		f.must(err)
		_, reading := s.scan(t.Context())
		place := placesOf(reading.listing).git(reading.checkouts)[f.at(dir)]
		if !place.names.Has("index.lock") || place.all {
			t.Errorf("%s: %s is watched for %+v", root, dir, place)
		}
		if slices.ContainsFunc(reading.dirs, func(dir string) bool { return strings.Contains(dir, ".git") }) {
			t.Errorf("%s: .git was read: %v", root, reading.dirs)
		}
	}
}

// What is called .git and is none, or points to where nobody is, is not in the way.
func TestOddGitDirectories(t *testing.T) {
	tests := map[string]func(f folder){
		"of another machine":  func(f folder) { f.write(".git", "gitdir: /git/.git/worktrees/0a1b\n") },
		"an empty file":       func(f folder) { f.write(".git", "") },
		"an empty directory":  func(f folder) { f.mkdir(".git") },
		"a link nowhere":      func(f folder) { f.link("nowhere", ".git") },
		"a file of something": func(f folder) { f.write(".git", strings.Repeat("x", 2*maxPointer)) },
	}
	for name, make := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.write("web.yaml", good("web"))
			make(f)
			expect(t, f.source().Scan(t.Context()), says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}})
		})
	}
}
