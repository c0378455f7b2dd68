package source

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFoldersForEnvironmentsAreRead(t *testing.T) {
	f := newFolder(t)
	f.write("web.yaml", good("web"))
	f.write("team-a/one.yml", good("a-one", "a-two"))
	f.write("team-a/deep/er/three.json", `{"apiVersion":"credproxy.dev/v1alpha1","kind":"CredProxy","metadata":{"name":"a-three"},
		"spec":{"internalNetwork":"i","egressNetwork":"e","routes":[{"path":"/","upstream":"https://x.example.org"}]}}`)
	f.write("README.md", "not a spec")
	f.write(".hidden.yaml", good("hidden"))
	f.write(".git/config.yaml", good("git"))
	f.mkdir("empty")
	expect(t, f.source().Scan(t.Context()), says{
		Specs: []string{"a-one@team-a/one.yml", "a-three@team-a/deep/er/three.json", "a-two@team-a/one.yml", "web@web.yaml"},
		Files: []string{"team-a/deep/er/three.json Valid", "team-a/one.yml Valid", "web.yaml Valid"},
	})
}

func TestAnEmptyDirectoryIsLegal(t *testing.T) {
	expect(t, newFolder(t).source().Scan(t.Context()), says{})
}

func TestTwoScansOfAnUnchangedDirectoryAreEqual(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", good("a", "twice"))
	f.write("b.yaml", good("twice"))
	f.write("bad.yaml", wrong("bad"))
	f.write("none.yaml", "")
	s := f.source()
	first, second := s.Scan(t.Context()), s.Scan(t.Context())
	if diff := cmp.Diff(first, second, cmpopts.IgnoreFields(Snapshot{}, "At")); diff != "" {
		t.Fatal(diff)
	}
}

// What a bad file gets: an error of its own that says what to do, and protection for what it might hold. The good
// file beside it is not disturbed.
func TestBadFiles(t *testing.T) {
	tests := []struct {
		name    string
		make    func(f folder)
		invalid []string
		state   string
		keep    []string
		keepAll bool
		message string
	}{
		{"does not parse", func(f folder) { f.write("x.yaml", unparsable) }, nil, "Invalid", nil, true, ""},
		{"is invalid", func(f folder) { f.write("x.yaml", wrong("x")) }, []string{"x@x.yaml"}, "Invalid", []string{"x"}, false, "upstream"},
		{"is empty", func(f folder) { f.write("x.yaml", "") }, nil, "Empty", nil, true, "remove the file"},
		{"holds white space only", func(f folder) { f.write("x.yaml", " \n\r\n\n") }, nil, "Empty", nil, true, "remove the file"},
		{"holds comments only", func(f folder) { f.write("x.yaml", "# later\n---\n") }, nil, "Empty", nil, false, "remove the file"},
		{"holds a marker only", func(f folder) { f.write("x.yaml", "---\n") }, nil, "Empty", nil, false, "remove the file"},
		{"holds null", func(f folder) { f.write("x.yaml", "null\n") }, nil, "Empty", nil, false, "remove the file"},
		{"is of another kind", func(f folder) { f.write("x.yaml", "kind: Pod\napiVersion: v1\n") }, nil, "Invalid", nil, false, "kind"},
		{"is binary", func(f folder) { f.write("x.yaml", "\x7fELF\x00\x01\x02\xff\xfe") }, nil, "Invalid", nil, true, ""},
		{"is too large", func(f folder) { f.write("x.yaml", "#"+strings.Repeat(" ", 1<<20)) }, nil, "Invalid", nil, true, "1 MiB"},
		{"is a FIFO", func(f folder) { f.must(syscall.Mkfifo(f.at("x.yaml"), 0o644)) }, nil, "Invalid", nil, true, "FIFO"},
		{"is a link to a FIFO", func(f folder) {
			f.must(syscall.Mkfifo(f.at("pipe"), 0o644))
			f.link("pipe", "x.yaml")
		}, nil, "Invalid", nil, true, "FIFO"},
		{"is a socket", func(f folder) {
			l, err := net.Listen("unix", f.at("x.yaml"))
			f.must(err)
			f.t.Cleanup(func() { l.Close() })
		}, nil, "Invalid", nil, true, "socket"},
		{"is a directory", func(f folder) { f.write("x.yaml/y.yaml", good("y")) }, nil, "Invalid", nil, false, "rename it"},
		{"is a link to a directory", func(f folder) { f.mkdir(".d"); f.link(".d", "x.yaml") }, nil, "Invalid", nil, false, "rename it"},
		{"is a link to nowhere", func(f folder) { f.link("missing", "x.yaml") }, nil, "Invalid", nil, true, "leads nowhere"},
		{"is a link to itself", func(f folder) { f.link("x.yaml", "x.yaml") }, nil, "Invalid", nil, true, "circle"},
		{"is a link through a file", func(f folder) { f.link("good.yaml/y", "x.yaml") }, nil, "Invalid", nil, true, "leads nowhere"},
		{"is a link outside", func(f folder) { f.link("/etc/passwd", "x.yaml") }, nil, "Invalid", nil, true, "outside"},
		{"is a link upwards", func(f folder) { f.link("../../../../../../../../etc/hostname", "x.yaml") }, nil, "Invalid", nil, true, "outside"},
		{"is a device", func(f folder) { f.link("/dev/zero", "x.yaml") }, nil, "Invalid", nil, true, "outside"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFolder(t)
			f.write("good.yaml", good("good"))
			test.make(f)
			snap := f.source().Scan(t.Context())
			expect(t, snap, says{
				Specs: []string{"good@good.yaml"}, Files: []string{"good.yaml Valid", "x.yaml " + test.state},
				Invalid: test.invalid, Keep: test.keep, KeepAll: test.keepAll,
			})
			if got := messages(t, snap.Files, "x.yaml"); got == "" || !strings.Contains(got, test.message) {
				t.Errorf("message %q does not contain %q", got, test.message)
			}
		})
	}
}

func TestAFileOfExactlyTheLimitIsRead(t *testing.T) {
	f := newFolder(t)
	text := good("web")
	f.write("web.yaml", text+"#"+strings.Repeat(" ", maxFile-len(text)-2)+"\n")
	expect(t, f.source().Scan(t.Context()), says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}})
}

func TestAFileWithGoodAndBadObjectsGivesTheGoodOnes(t *testing.T) {
	f := newFolder(t)
	f.write("all.yaml", good("fine")+"---\n"+wrong("broken"))
	s := f.source()
	expect(t, s.Scan(t.Context()), says{
		Specs: []string{"fine@all.yaml"}, Invalid: []string{"broken@all.yaml"},
		Files: []string{"all.yaml Invalid"}, Keep: []string{"broken"},
	})
	f.write("all.yaml", unparsable)
	expect(t, s.Scan(t.Context()), says{
		Specs: []string{"~fine@all.yaml"}, Files: []string{"all.yaml Invalid~"}, Keep: []string{"broken"}, KeepAll: true,
	})
}

func TestTheDirectoryIsMissing(t *testing.T) {
	f := newFolder(t)
	t.Run("at the start", func(t *testing.T) {
		_, err := New(Options{Root: f.at("missing")})
		if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "make the directory") {
			t.Fatalf("error %v", err)
		}
	})
	t.Run("is a file", func(t *testing.T) {
		f.write("file", "")
		_, err := New(Options{Root: f.at("file")})
		if err == nil || !strings.Contains(err.Error(), "give the directory") {
			t.Fatalf("error %v", err)
		}
	})
	t.Run("is not given", func(t *testing.T) {
		if _, err := New(Options{}); err == nil {
			t.Fatal("no error")
		}
	})
	t.Run("later", func(t *testing.T) {
		f.write("specs/web.yaml", good("web"))
		s, err := New(Options{Root: f.at("specs")})
		f.must(err)
		s.Scan(t.Context())
		f.rename("specs", "gone")
		snap := s.Scan(t.Context())
		expect(t, snap, says{Specs: []string{"~web@web.yaml"}, Files: []string{"web.yaml Invalid~"}, Incomplete: true})
		if !errors.Is(snap.Err, ErrRoot) || !strings.Contains(snap.Err.Error(), f.at("specs")+" cannot be read: make the directory") {
			t.Errorf("error %v", snap.Err)
		}
		f.rename("gone", "specs")
		expect(t, s.Scan(t.Context()), says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}})
	})
}

func TestARelativeRootOutlivesAChangeOfTheWorkingDirectory(t *testing.T) {
	f := newFolder(t)
	f.write("specs/web.yaml", good("web"))
	t.Chdir(f.path)
	s, err := New(Options{Root: "specs"})
	f.must(err)
	t.Chdir(filepath.Dir(f.path))
	expect(t, s.Scan(t.Context()), says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}})
}

func TestAScanThatIsInterruptedConcludesNothing(t *testing.T) {
	f := newFolder(t)
	f.write("web.yaml", good("web"))
	s := f.source()
	s.Scan(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	snap := s.Scan(ctx)
	expect(t, snap, says{Specs: []string{"~web@web.yaml"}, Files: []string{"web.yaml Invalid~"}, Incomplete: true})
	if !errors.Is(snap.Err, context.Canceled) {
		t.Errorf("error %v", snap.Err)
	}
}

func TestAFileSaysWhatItDeclares(t *testing.T) {
	f := newFolder(t)
	f.write("good.yaml", good("b", "a"))
	f.write("wrong.yaml", wrong("c"))
	f.write("twice.yaml", good("a"))
	f.write("unparsable.yaml", unparsable)
	f.write("turns.yaml", good("d"))
	s := f.source()
	s.Scan(t.Context())
	f.write("turns.yaml", wrong("e"))
	got := map[string]string{}
	for _, file := range s.Scan(t.Context()).Files {
		got[file.Path] = strings.Join(file.Declares, " ")
	}
	want := map[string]string{"good.yaml": "a b", "wrong.yaml": "c", "twice.yaml": "a", "unparsable.yaml": "", "turns.yaml": "d e"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
