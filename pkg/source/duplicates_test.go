package source

import (
	"strings"
	"testing"
)

func TestANameInTwoFilesIsAnErrorInBoth(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", good("fine", "web"))
	f.write("team/b.yaml", good("web"))
	s := f.source()
	snap := s.Scan(t.Context())
	expect(t, snap, says{
		Specs: []string{"fine@a.yaml"}, Duplicates: []string{"web@a.yaml:15,team/b.yaml:4"},
		Files: []string{"a.yaml Invalid", "team/b.yaml Invalid"}, Keep: []string{"web"},
	})
	for file, other := range map[string]string{"a.yaml": "team/b.yaml:4", "team/b.yaml": "a.yaml:15"} {
		if got := messages(t, snap.Files, file); !strings.Contains(got, other) || !strings.Contains(got, "metadata.name") {
			t.Errorf("%s does not name %s: %s", file, other, got)
		}
	}
	f.remove("team/b.yaml")
	expect(t, s.Scan(t.Context()), says{Specs: []string{"fine@a.yaml", "web@a.yaml"}, Files: []string{"a.yaml Valid"}})
}

func TestANameTwiceInOneFile(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", good("web", "web"))
	snap := f.source().Scan(t.Context())
	expect(t, snap, says{
		Duplicates: []string{"web@a.yaml:4,a.yaml:15"}, Files: []string{"a.yaml Invalid"}, Keep: []string{"web"},
	})
	if got := messages(t, snap.Files, "a.yaml"); !strings.Contains(got, "declared at a.yaml:15 ") || !strings.Contains(got, "declared at a.yaml:4 ") {
		t.Errorf("message %s", got)
	}
}

func TestLastGoodObjectsCountForDuplicates(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", good("web"))
	s := f.source()
	s.Scan(t.Context())
	f.write("a.yaml", unparsable)
	f.write("b.yaml", good("web"))
	expect(t, s.Scan(t.Context()), says{
		Duplicates: []string{"web@a.yaml:4,b.yaml:4"}, Files: []string{"a.yaml Invalid~", "b.yaml Invalid"}, Keep: []string{"web"},
	})
}

// A broken copy of a file does not take the good one out of force.
func TestABadFileDoesNotClaimANameThatAGoodOneHas(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", good("web"))
	f.write("b.yaml", wrong("web"))
	expect(t, f.source().Scan(t.Context()), says{
		Specs: []string{"web@a.yaml"}, Files: []string{"a.yaml Valid", "b.yaml Invalid"},
	})
}

// The problems of a duplicate are said in one scan and do not stay in the memory of the file.
func TestDuplicatesLeaveNoTrace(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", good("web")+"---\n"+wrong("other"))
	f.write("b.yaml", good("web"))
	s := f.source()
	s.Scan(t.Context())
	f.remove("b.yaml")
	snap := s.Scan(t.Context())
	if got := messages(t, snap.Files, "a.yaml"); strings.Contains(got, "declared at") {
		t.Error(got)
	}
}
