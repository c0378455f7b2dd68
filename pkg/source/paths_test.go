package source

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/spec"
)

// states are files in short: path State.
func states(files []FileStatus) []string {
	var all []string
	for _, f := range files {
		all = append(all, f.Path+" "+string(f.State))
	}
	return all
}

func TestReadPaths(t *testing.T) {
	f := newFolder(t)
	f.write("specs/web.yaml", good("web"))
	f.write("specs/team/bad.yaml", wrong("bad"))
	f.write("specs/.hidden/x.yaml", good("x"))
	f.write("specs/empty.yaml", "")
	f.write("more/copy.yml", good("web"))
	f.write("notes.txt", "")
	f.write("UPPER.YAML", good("upper"))
	f.write(".web.yaml", good("web"))
	f.must(syscall.Mkfifo(f.at("pipe.yaml"), 0o644))
	f.link("specs/web.yaml", "link.yaml")
	f.link("missing", "dangling.yaml")
	t.Chdir(f.path)
	tests := []struct {
		name  string
		paths []string
		want  []string
		words map[string]string
	}{
		{"a directory", []string{"specs"}, []string{"specs/empty.yaml Empty", "specs/team/bad.yaml Invalid", "specs/web.yaml Valid"},
			map[string]string{"specs/team/bad.yaml": "specs/team/bad.yaml:"}},
		{"the directory itself", []string{"./specs/"}, []string{"specs/empty.yaml Empty", "specs/team/bad.yaml Invalid", "specs/web.yaml Valid"}, nil},
		{"a file", []string{"specs/web.yaml"}, []string{"specs/web.yaml Valid"}, nil},
		{"a link to a file elsewhere", []string{"link.yaml"}, []string{"link.yaml Valid"}, nil},
		{"a file in two ways", []string{"specs/web.yaml", "link.yaml", "specs/web.yaml"}, []string{"specs/web.yaml Valid"}, nil},
		{"a name in two files", []string{"specs/web.yaml", "more"}, []string{"more/copy.yml Invalid", "specs/web.yaml Invalid"},
			map[string]string{"more/copy.yml": "specs/web.yaml:4", "specs/web.yaml": "more/copy.yml:4"}},
		{"nothing", []string{"none.yaml", "dangling.yaml"}, []string{"dangling.yaml Invalid", "none.yaml Invalid"},
			map[string]string{"none.yaml": "does not exist", "dangling.yaml": "leads nowhere"}},
		{"another name", []string{"notes.txt"}, []string{"notes.txt Invalid"}, map[string]string{"notes.txt": ".yaml"}},
		{"a name in capitals", []string{"UPPER.YAML"}, []string{"UPPER.YAML Invalid"}, map[string]string{"UPPER.YAML": "small letters"}},
		{"a hidden name", []string{".web.yaml"}, []string{".web.yaml Invalid"}, map[string]string{".web.yaml": "begin with a dot"}},
		{"a hidden directory", []string{"specs/.hidden"}, []string{"specs/.hidden/x.yaml Valid"}, nil},
		{"a FIFO", []string{"pipe.yaml"}, []string{"pipe.yaml Invalid"}, map[string]string{"pipe.yaml": "FIFO"}},
		{"no path", nil, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := ReadPaths(test.paths, spec.Options{}).Files
			if diff := cmp.Diff(test.want, states(got)); diff != "" {
				t.Fatal(diff)
			}
			for path, words := range test.words {
				if all := messages(t, got, path); !strings.Contains(all, words) {
					t.Errorf("%s: %q does not contain %q", path, all, words)
				}
			}
		})
	}
}

func TestReadPathsOfAnEmptyDirectory(t *testing.T) {
	if got := ReadPaths([]string{t.TempDir()}, spec.Options{}).Files; len(got) != 0 {
		t.Fatalf("got %v", got)
	}
	if got := ReadPaths([]string{os.DevNull}, spec.Options{}).Files; len(got) != 1 || got[0].State != FileInvalid {
		t.Fatalf("got %v", got)
	}
}

func TestFilesInCapitalsAreIgnoredAndNamed(t *testing.T) {
	f := newFolder(t)
	for _, name := range []string{"team/WEB.YAML", "api.Yml", "NOTES.TXT", ".HIDDEN.YAML"} {
		f.write(name, good("web"))
	}
	want := []string{"api.Yml", "team/WEB.YAML"}
	if diff := cmp.Diff(want, f.source().Scan(t.Context()).Ignored); diff != "" {
		t.Error(diff)
	}
	t.Chdir(f.path)
	snap := ReadPaths([]string{".", "team"}, spec.Options{})
	if diff := cmp.Diff(want, snap.Ignored); diff != "" || len(snap.Files) > 0 {
		t.Error(diff, snap.Files)
	}
}
