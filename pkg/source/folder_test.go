package source

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// foldersOf are the folders of the specs of a snapshot, by name.
func foldersOf(s Snapshot) map[string]string {
	folders := map[string]string{}
	for _, object := range s.Specs {
		folders[object.CredProxy.Name] = object.Folder
	}
	return folders
}

func TestAFolderIsWhereTheFileReallyIs(t *testing.T) {
	f := newFolder(t)
	f.write("root.yaml", good("root"))
	f.write("team-a/web.yaml", good("web"))
	f.write("team-b/.store/api.yaml", good("api"))
	f.write("team-b/.more/db.yaml", good("db"))
	f.link("../team-b/.store/api.yaml", "team-a/api.yaml") // a link in one team's folder to another's file
	f.link("../team-b/.more", "team-a/more")
	f.link("team-a", "alias")
	want := map[string]string{"root": ".", "web": "team-a", "api": "team-b/.store", "db": "team-b/.more"}
	if diff := cmp.Diff(want, foldersOf(f.source().Scan(t.Context()))); diff != "" {
		t.Errorf("folders of a scan (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, foldersOf(ReadPaths([]string{f.path}, Options{}.Spec))); diff != "" {
		t.Errorf("folders below a path (-want +got):\n%s", diff)
	}
}

func TestALastGoodVersionStaysInTheFolderInWhichItWasGood(t *testing.T) {
	f := newFolder(t)
	f.write("team-b/.store/web.yaml", good("web"))
	f.write("team-a/.store/web.yaml", "kind: [")
	f.link("team-b/.store/web.yaml", "web.yaml")
	s := f.source()
	if got := foldersOf(s.Scan(t.Context()))["web"]; got != "team-b/.store" {
		t.Fatalf("at first in %s", got)
	}
	f.swap("team-a/.store/web.yaml", "web.yaml")
	if got := foldersOf(s.Scan(t.Context()))["web"]; got != "team-b/.store" {
		t.Errorf("the version that was good in team-b counts for %s", got)
	}
	f.write("team-a/.store/web.yaml", good("web"))
	if got := foldersOf(s.Scan(t.Context()))["web"]; got != "team-a/.store" {
		t.Errorf("the good version of team-a counts for %s", got)
	}
}
