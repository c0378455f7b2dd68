//go:build linux

package source

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// asNobody runs f without root's power over files, which the kernel drops together with the file system user of
// the thread. Where the tests do not run as root, permissions bind anyway.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const nobody = 65534
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setfsuid(0); err != nil {
			panic(err) // The thread must not be used again.
		}
	}()
	if was, _ := unix.SetfsuidRetUid(-1); was != nobody {
		t.Fatalf("the file system user is %d", was)
	}
	f()
}

func TestWhatMayNotBeReadIsNotConcludedFrom(t *testing.T) {
	tests := map[string]struct {
		deny string
		want says
	}{
		"a file": {"team/web.yaml", says{
			Specs: []string{"api@api.yaml", "~web@team/web.yaml"},
			Files: []string{"api.yaml Valid", "team/web.yaml Invalid~"}, Incomplete: true,
		}},
		"a directory": {"team", says{
			Specs: []string{"api@api.yaml", "~web@team/web.yaml"},
			Files: []string{"api.yaml Valid", "team Invalid", "team/web.yaml Invalid~"}, KeepAll: true, Incomplete: true,
		}},
		"the root": {".", says{
			Specs: []string{"~api@api.yaml", "~web@team/web.yaml"},
			Files: []string{"api.yaml Invalid~", "team/web.yaml Invalid~"}, Incomplete: true,
		}},
		"a directory behind a link": {".store", says{
			Specs: []string{"api@api.yaml", "~web@team/web.yaml"},
			Files: []string{"api.yaml Valid", "team Invalid", "team/web.yaml Invalid~"}, KeepAll: true, Incomplete: true,
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.must(os.Chmod(filepath.Dir(f.path), 0o755)) // testing makes it for its own user only
			if test.deny == ".store" {
				f.write(".store/web.yaml", good("web"))
				f.link(".store", "team")
			} else {
				f.write("team/web.yaml", good("web"))
			}
			f.write("api.yaml", good("api"))
			f.write("old.yaml", good("old"))
			s := f.source()
			s.Scan(t.Context())
			f.remove("old.yaml")
			was, err := os.Stat(f.at(test.deny))
			f.must(err)
			f.must(os.Chmod(f.at(test.deny), 0))
			asNobody(t, func() {
				snap := s.Scan(t.Context())
				// What seems to be deleted stays as well: nothing is removed on an incomplete scan.
				test.want.Specs = withOld(test.want.Specs, "~old@old.yaml")
				test.want.Files = withOld(test.want.Files, "old.yaml Invalid~")
				expect(t, snap, test.want)
				if !strings.Contains(snap.Err.Error(), permit) {
					t.Errorf("error %v does not say what to do", snap.Err)
				}
			})
			f.must(os.Chmod(f.at(test.deny), was.Mode().Perm()))
			expect(t, s.Scan(t.Context()), says{
				Specs: []string{"api@api.yaml", "web@team/web.yaml"}, Files: []string{"api.yaml Valid", "team/web.yaml Valid"},
			})
		})
	}
}

// withOld puts one more behind the first of a list.
func withOld(list []string, old string) []string {
	return append([]string{list[0], old}, list[1:]...)
}

func TestAFileThatMayNotBeReadFromTheStartProtectsAll(t *testing.T) {
	f := newFolder(t)
	f.must(os.Chmod(filepath.Dir(f.path), 0o755))
	f.write("web.yaml", good("web"))
	f.must(os.Chmod(f.at("web.yaml"), 0))
	asNobody(t, func() {
		expect(t, f.source().Scan(t.Context()), says{Files: []string{"web.yaml Invalid"}, KeepAll: true, Incomplete: true})
	})
}

// Where it cannot be seen whether git is writing, edits are followed, and nothing is removed.
func TestAGitDirectoryThatMayNotBeRead(t *testing.T) {
	f := newFolder(t)
	f.must(os.Chmod(filepath.Dir(f.path), 0o755))
	f.write("web.yaml", good("web"))
	f.write("api.yaml", good("api"))
	f.mkdir(".git")
	s := f.source()
	s.Scan(t.Context())
	f.write("web.yaml", edited("web"))
	f.remove("api.yaml")
	f.must(os.Chmod(f.at(".git"), 0))
	asNobody(t, func() {
		snap := s.Scan(t.Context())
		if names, edits := routes(snap); snap.Complete || edits != 1 || len(names) != 2 {
			t.Errorf("complete %v, %d edits in %v", snap.Complete, edits, names)
		}
		if said := snap.Err.Error(); !strings.Contains(said, f.at(".git")) || !strings.Contains(said, permit) {
			t.Errorf("it is said that %s", said)
		}
	})
}
