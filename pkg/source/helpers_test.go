package source

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/spec"
)

// folder is a directory of specs in a test.
type folder struct {
	t    testing.TB
	path string
}

func newFolder(t testing.TB) folder {
	t.Helper()
	return folder{t, t.TempDir()}
}

func (f folder) at(name string) string { return filepath.Join(f.path, name) }

func (f folder) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// write writes a file in place, and the directories above it.
func (f folder) write(name, content string) {
	f.t.Helper()
	f.must(os.MkdirAll(filepath.Dir(f.at(name)), 0o755))
	f.must(os.WriteFile(f.at(name), []byte(content), 0o644))
}

func (f folder) link(target, name string) {
	f.t.Helper()
	f.must(os.MkdirAll(filepath.Dir(f.at(name)), 0o755))
	f.must(os.Symlink(target, f.at(name)))
}

// swap makes a link point elsewhere in one step, as git-sync and the kubelet do.
func (f folder) swap(target, name string) {
	f.t.Helper()
	f.must(os.Symlink(target, f.at(name)+".new"))
	f.must(os.Rename(f.at(name)+".new", f.at(name)))
}

func (f folder) mkdir(name string) {
	f.t.Helper()
	f.must(os.MkdirAll(f.at(name), 0o755))
}

func (f folder) remove(name string) {
	f.t.Helper()
	f.must(os.RemoveAll(f.at(name)))
}

func (f folder) rename(from, to string) {
	f.t.Helper()
	f.must(os.Rename(f.at(from), f.at(to)))
}

func (f folder) source() *Source {
	f.t.Helper()
	s, err := New(Options{Root: f.path})
	f.must(err)
	return s
}

// good is a valid file with these names.
func good(names ...string) string {
	var docs []string
	for _, name := range names {
		docs = append(docs, fmt.Sprintf(`apiVersion: credproxy.dev/v1alpha1
kind: CredProxy
metadata:
  name: %[1]s
spec:
  internalNetwork: %[1]s-internal
  egressNetwork: %[1]s-egress
  routes:
  - path: /api
    upstream: https://api.example.org
`, name))
	}
	return strings.Join(docs, "---\n")
}

// wrong is a file that parses and whose objects are all invalid.
func wrong(names ...string) string {
	return strings.ReplaceAll(good(names...), "https://api.example.org", "ftp://api.example.org")
}

const unparsable = "kind: [CredProxy\n\tname: ???"

// says is what a Snapshot says, in short, for comparison.
type says struct {
	Specs      []string // name@file, with a ~ before what is stale
	Duplicates []string
	Invalid    []string
	Files      []string // path State, with a ~ after what keeps last good objects
	Keep       []string
	KeepAll    bool
	Incomplete bool
}

func saying(snap Snapshot) says {
	s := says{KeepAll: snap.KeepAll, Incomplete: !snap.Complete}
	for _, o := range snap.Specs {
		mark := ""
		if o.Stale {
			mark = "~"
		}
		s.Specs = append(s.Specs, mark+o.CredProxy.Name+"@"+o.File)
	}
	for _, d := range snap.Duplicates {
		s.Duplicates = append(s.Duplicates, d.Name+"@"+strings.Join(d.Places, ","))
	}
	for _, o := range snap.Invalid {
		s.Invalid = append(s.Invalid, o.Name+"@"+o.File)
	}
	for _, f := range snap.Files {
		mark := ""
		if f.LastGood {
			mark = "~"
		}
		s.Files = append(s.Files, f.Path+" "+string(f.State)+mark)
	}
	for name := range snap.KeepNames {
		s.Keep = append(s.Keep, name)
	}
	slices.Sort(s.Keep)
	return s
}

func expect(t *testing.T, snap Snapshot, want says) {
	t.Helper()
	if diff := cmp.Diff(want, saying(snap)); diff != "" {
		t.Fatalf("snapshot (-want +got):\n%s\nerr: %v", diff, snap.Err)
	}
	if snap.Complete != (snap.Err == nil) {
		t.Fatalf("Complete is %v with Err %v", snap.Complete, snap.Err)
	}
}

// messages joins all that is said of one file.
func messages(t *testing.T, files []FileStatus, path string) string {
	t.Helper()
	for _, f := range files {
		if f.Path == path {
			var all []string
			for _, p := range f.Errors {
				if p.File != path {
					t.Errorf("a problem of %s names the file %q", path, p.File)
				}
				all = append(all, p.String())
			}
			return strings.Join(all, "\n")
		}
	}
	t.Fatalf("no file %s in %v", path, files)
	return ""
}

func decodeSpec(file string, data []byte) spec.Decoded {
	return spec.Decode(file, data, spec.Options{})
}
