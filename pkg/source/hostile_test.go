package source

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"

	"credproxy.dev/controller/pkg/spec"
)

func TestANameIsToldItsOwnProblemsAlone(t *testing.T) {
	f := newFolder(t)
	f.write("all.yaml", wrong("one")+"---\n"+wrong("Two")+"---\n"+wrong("three"))
	snap := f.source().Scan(t.Context())
	expect(t, snap, says{
		Invalid: []string{"one@all.yaml", "three@all.yaml"}, Files: []string{"all.yaml Invalid"},
		Keep: []string{"Two", "one", "three"}, // what stays is another matter: Two cannot be declared, but might stand there
	})
	for i, line := range []string{"all.yaml:10: spec.routes[0].upstream: ", "all.yaml:32: spec.routes[0].upstream: "} {
		if got := snap.Invalid[i].Problems; len(got) != 1 || !strings.HasPrefix(got[0].String(), line) {
			t.Errorf("%s: %v", snap.Invalid[i].Name, got)
		}
	}
}

func TestWhatIsNewInABadFileIsToldWhatItWaitsFor(t *testing.T) {
	f := newFolder(t)
	f.write("all.yaml", good("old"))
	s := f.source()
	s.Scan(t.Context())
	f.write("all.yaml", good("old", "new")+"---\n"+wrong("bad"))
	snap := s.Scan(t.Context())
	expect(t, snap, says{
		Specs: []string{"~old@all.yaml"}, Invalid: []string{"bad@all.yaml", "new@all.yaml"},
		Files: []string{"all.yaml Invalid~"}, Keep: []string{"bad", "new"},
	})
	if got := snap.Invalid[1].Problems; len(got) != 1 || !strings.Contains(got[0].String(), "all.yaml:32: ") ||
		!strings.HasSuffix(got[0].Message, "what is new in this file waits") {
		t.Errorf("new: %v", got)
	}
}

// A hundred kilobytes once led to hundreds of megabytes of messages.
func TestManyBadDocumentsAreSaidOnce(t *testing.T) {
	f := newFolder(t)
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "---\nkind: CredProxy\nmetadata: {name: n%d}\n", i)
	}
	f.write("all.yaml", b.String())
	snap := f.source().Scan(t.Context())
	if !snap.KeepAll || len(snap.Invalid) > 256 || len(snap.KeepNames) > 256 {
		t.Errorf("keep all %v, %d invalid, %d names kept", snap.KeepAll, len(snap.Invalid), len(snap.KeepNames))
	}
	said := 0
	for _, object := range snap.Invalid {
		for _, p := range object.Problems {
			said += len(p.String())
		}
	}
	if said > 3*b.Len() {
		t.Errorf("%d bytes are said of %d", said, b.Len())
	}
}

func TestADuplicateIsToldAFewOfManyPlaces(t *testing.T) {
	f := newFolder(t)
	names := strings.Fields(strings.Repeat("web ", 200))
	f.write("a.yaml", good(names...))
	f.write("b.yaml", good("web"))
	snap := f.source().Scan(t.Context())
	if len(snap.Duplicates) != 1 || len(snap.Duplicates[0].Places) != 201 {
		t.Fatalf("%d duplicates", len(snap.Duplicates))
	}
	got := messages(t, snap.Files, "b.yaml")
	if !strings.Contains(got, "a.yaml:4, a.yaml:15, a.yaml:26, a.yaml:37, a.yaml:48 and 195 more too") {
		t.Error(got)
	}
}

func TestPathsAreShownSoThatTheyCannotForgeALine(t *testing.T) {
	const ugly = "x\ny\x1b[2J\u009b\u202e\u2028\xff"
	f := newFolder(t)
	f.write(ugly+"/good.yaml", good("web", "twice"))
	f.write(ugly+"/bad.yaml", wrong("bad")+"---\n"+good("twice"))
	f.write(ugly+"/IGNORED.YAML", "")
	f.mkdir(ugly + "/dir.yaml")
	snap := f.source().Scan(t.Context())
	other := ReadPaths([]string{f.path, f.at(ugly + "/missing.yaml")}, spec.Options{})
	for _, s := range []Snapshot{snap, other} {
		if len(s.Files) < 3 || len(s.Specs) != 1 || len(s.Invalid) != 1 || len(s.Duplicates) != 1 || len(s.Ignored) != 1 {
			t.Fatalf("not all was found: %+v", s)
		}
		told := []string{s.Specs[0].File, s.Invalid[0].File, s.Invalid[0].Problems[0].String(), s.Ignored[0]}
		told = append(told, s.Duplicates[0].Places...)
		for _, file := range s.Files {
			text, err := json.Marshal(file)
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, file.Path, string(text))
			for _, p := range file.Errors {
				told = append(told, p.String())
			}
		}
		for _, words := range told {
			if i := strings.IndexFunc(words, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 || strings.Contains(words, "\xff") {
				t.Errorf("shown as %q", words)
			}
		}
	}
}

func TestAFaultOfTheDiskCannotForgeALine(t *testing.T) {
	got := incomplete([]found{{entry: entry{path: "a\nb.yaml", unread: true, fault: unreadable(&os.PathError{
		Op: "open", Path: "a\nb.yaml", Err: os.ErrInvalid,
	})}}})
	if want := `"a\nb.yaml" cannot be read (invalid argument): mend the file system, or move it out of the directory of specs`; got.Error() != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
