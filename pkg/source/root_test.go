package source

import "testing"

func TestTheRootIsRecognised(t *testing.T) {
	f := newFolder(t)
	f.write("specs/team/web.yaml", good("web"))
	f.mkdir("other/team")
	f.link("specs", "current")
	f.link("specs/team", "team")
	scan := func(path string) RootID {
		t.Helper()
		s, err := New(Options{Root: f.at(path)})
		f.must(err)
		return s.Scan(t.Context()).Root
	}
	plain := scan("specs/team")
	if plain == (RootID{}) || plain.Linked || scan("specs/team") != plain {
		t.Errorf("without links: %+v, then %+v", plain, scan("specs/team"))
	}
	for _, path := range []string{"team", "current/team"} {
		want := plain
		if want.Linked = true; scan(path) != want {
			t.Errorf("%s: %+v, want %+v", path, scan(path), want)
		}
	}

	s, err := New(Options{Root: f.at("specs/team")})
	f.must(err)
	f.rename("specs", "away")
	if snap := s.Scan(t.Context()); snap.Complete || snap.Root != (RootID{}) {
		t.Errorf("without a directory: %+v, %v", snap.Root, snap.Err)
	}
	f.rename("other", "specs")
	if again := s.Scan(t.Context()).Root; again == plain || again.Linked {
		t.Errorf("another directory under the same path: %+v after %+v", again, plain)
	}
}
