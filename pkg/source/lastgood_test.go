package source

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAFileThatTurnsBadKeepsItsLastGoodObjects(t *testing.T) {
	turns := map[string]func(f folder){
		"unparsable":       func(f folder) { f.write("web.yaml", unparsable) },
		"invalid":          func(f folder) { f.write("web.yaml", wrong("web")) },
		"invalid in part":  func(f folder) { f.write("web.yaml", good("web")+"---\n"+wrong("api")) },
		"empty":            func(f folder) { f.write("web.yaml", "") },
		"comments":         func(f folder) { f.write("web.yaml", "# later\n---\n") },
		"a link nowhere":   func(f folder) { f.remove("web.yaml"); f.link("missing", "web.yaml") },
		"a directory":      func(f folder) { f.remove("web.yaml"); f.mkdir("web.yaml") },
		"too large":        func(f folder) { f.write("web.yaml", strings.Repeat("\n", maxFile+1)) },
		"cut off anywhere": func(f folder) { f.must(os.Truncate(f.at("web.yaml"), 40)) },
	}
	for name, turn := range turns {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.write("web.yaml", good("web", "api"))
			s := f.source()
			s.Scan(t.Context())
			turn(f)
			for range 2 { // the second time as well
				snap := s.Scan(t.Context())
				got := saying(snap)
				if strings.Join(got.Specs, " ") != "~api@web.yaml ~web@web.yaml" || got.KeepAll || len(got.Invalid) > 0 {
					t.Fatalf("got %+v", got)
				}
				if !snap.Files[0].LastGood || len(snap.Files[0].Errors) == 0 {
					t.Fatalf("status %+v", snap.Files[0])
				}
			}
			f.remove("web.yaml")
			expect(t, s.Scan(t.Context()), says{})
		})
	}
}

func TestAMendedFileIsFollowed(t *testing.T) {
	f := newFolder(t)
	f.write("web.yaml", good("web"))
	s := f.source()
	s.Scan(t.Context())
	f.write("web.yaml", unparsable)
	s.Scan(t.Context())
	f.write("web.yaml", strings.ReplaceAll(good("web"), "/api", "/v2"))
	snap := s.Scan(t.Context())
	expect(t, snap, says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}})
	if got := snap.Specs[0].CredProxy.Spec.Routes[0].Path; got != "/v2" {
		t.Errorf("path %s", got)
	}
}

func TestRenamingAFileIsNotARemoval(t *testing.T) {
	f := newFolder(t)
	f.write("web.yaml", good("web"))
	s := f.source()
	s.Scan(t.Context())
	f.mkdir("team")
	f.rename("web.yaml", "team/site.yaml")
	expect(t, s.Scan(t.Context()), says{Specs: []string{"web@team/site.yaml"}, Files: []string{"team/site.yaml Valid"}})
}

// A name that moves into a file with a mistake is not removed either, although its old place is gone.
func TestANameThatMovesIntoABadFileIsKept(t *testing.T) {
	f := newFolder(t)
	f.write("web.yaml", good("web"))
	f.write("all.yaml", good("api"))
	s := f.source()
	s.Scan(t.Context())
	f.remove("web.yaml")
	f.write("all.yaml", wrong("api", "web"))
	expect(t, s.Scan(t.Context()), says{
		Specs: []string{"~api@all.yaml"}, Invalid: []string{"web@all.yaml"}, Files: []string{"all.yaml Invalid~"}, Keep: []string{"web"},
	})
}

// Written in place and slowly, a file passes through versions that are valid and shorter: every one of them keeps
// all names, and the last one removes what is really gone once the file has kept still.
func TestAHalfWrittenFileDeletesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFolder(t)
		whole := good("one", "two", "three")
		f.write("all.yaml", whole)
		s := f.source()
		s.Scan(t.Context())
		for n := 0; n <= len(whole); n++ {
			f.write("all.yaml", whole[:n])
			snap := s.Scan(t.Context())
			for _, name := range []string{"one", "two", "three"} {
				if !keeps(snap, name) {
					t.Fatalf("after %d of %d bytes %s is not kept: %+v", n, len(whole), name, saying(snap))
				}
			}
			<-time.After(s.settle / 2)
		}
		<-time.After(s.settle) // Halves of names were read on the way, and are held no longer.
		expect(t, s.Scan(t.Context()), says{
			Specs: []string{"one@all.yaml", "three@all.yaml", "two@all.yaml"}, Files: []string{"all.yaml Valid"},
		})
	})
}

func keeps(snap Snapshot, name string) bool {
	for _, o := range snap.Specs {
		if o.CredProxy.Name == name {
			return true
		}
	}
	return snap.KeepAll || snap.KeepNames.Has(name)
}

func TestANameThatAFileLosesIsRemovedOnceItKeepsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFolder(t)
		f.write("all.yaml", good("one", "two"))
		s := f.source()
		s.Scan(t.Context())
		f.write("all.yaml", good("one"))
		held := says{Specs: []string{"one@all.yaml"}, Files: []string{"all.yaml Valid"}, Keep: []string{"two"}}
		expect(t, s.Scan(t.Context()), held)
		<-time.After(s.settle / 2)
		expect(t, s.Scan(t.Context()), held)
		<-time.After(s.settle)
		expect(t, s.Scan(t.Context()), says{Specs: []string{"one@all.yaml"}, Files: []string{"all.yaml Valid"}})
	})
}

func TestANameThatMovesToAnotherFileIsNotHeldThere(t *testing.T) {
	f := newFolder(t)
	f.write("all.yaml", good("one", "two"))
	s := f.source()
	s.Scan(t.Context())
	f.write("all.yaml", good("one"))
	f.write("two.yaml", good("two"))
	expect(t, s.Scan(t.Context()), says{
		Specs: []string{"one@all.yaml", "two@two.yaml"}, Files: []string{"all.yaml Valid", "two.yaml Valid"},
	})
}
