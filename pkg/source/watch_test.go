package source

import (
	"path/filepath"
	"testing"

	"github.com/fsnotify/fsnotify"
	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/dirwatch"
)

func TestWhichEventsMatter(t *testing.T) {
	w := &watch{places: places{
		"/specs": {all: true, names: sets.New("..data")},
		"/":      {names: sets.New("specs")},
	}}
	tests := []struct {
		name string
		op   fsnotify.Op
		want bool
	}{
		{"/specs/web.yaml", fsnotify.Write, true},
		{"/specs/web.yaml", fsnotify.Remove, true},
		{"/specs/team", fsnotify.Create, true},
		{"/specs/team", fsnotify.Chmod, true},
		{"/specs/notes.txt", fsnotify.Write, false},
		{"/specs/..data", fsnotify.Create, true},
		{"/specs", fsnotify.Remove, true},
		{"/elsewhere", fsnotify.Create, false},
	}
	for _, test := range tests {
		if got := w.matters(fsnotify.Event{Name: test.name, Op: test.op}); got != test.want {
			t.Errorf("%s %s: %v", test.op, test.name, got)
		}
	}
}

// The directory above the specs is watched so that their return is noticed; not being allowed to is no loss of the
// watch.
func TestTheDirectoryAboveIsOptional(t *testing.T) {
	dir := t.TempDir()
	w := &watch{}
	defer w.Close()
	all := placesOf(listing{root: filepath.Join(dir, "missing", "specs")})
	if _, err := w.follow(all); err != nil {
		t.Fatal(err)
	}
	all = placesOf(listing{root: "", hops: []dirwatch.Hop{{Dir: filepath.Join(dir, "missing"), Name: "specs"}}})
	if _, err := w.follow(all); err == nil {
		t.Fatal("the directory of a link cannot be watched, and nothing is said")
	}
}
