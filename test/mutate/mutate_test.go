package main

import (
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// TestEachProtectionIsFoundWhereItWas keeps the list from going stale: what it changes is there exactly once, and what it makes of
// it is Go.
func TestEachProtectionIsFoundWhereItWas(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range protections() {
		if seen[p.name] {
			t.Errorf("two protections are called %s", p.name)
		}
		seen[p.name] = true
		text, err := p.read(root)
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
			continue
		}
		changed, err := p.apply(text)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, name := range p.elsewhere {
			if !declares(t, filepath.Join(root, filepath.Dir(p.file)), name) {
				t.Errorf("%s: there is no %s beside %s", p.name, name, p.file)
			}
		}
		if formatted, err := format.Source([]byte(changed)); err != nil || string(formatted) != changed {
			t.Errorf("%s: what it makes of %s is not formatted Go: %v", p.name, p.file, err)
		}
	}
	if len(seen) < 30 {
		t.Errorf("there are but %d protections", len(seen))
	}
}

// declares reports whether a directory has a test.
func declares(t *testing.T, dir, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), "\nfunc "+test+"(t *testing.T) {")
	})
}

// TestWithoutItsProtectionsTheSidecarStillCompiles: what does not is caught by no attack.
func TestWithoutItsProtectionsTheSidecarStillCompiles(t *testing.T) {
	b := &bench{root: root, dir: t.TempDir()}
	overlay, err := b.overlay(protections())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay="+overlay, "./pkg/...")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestAFunctionAsksWhetherItsDoubleIsMeant(t *testing.T) {
	const text = `package p

const c = 1

func (t *T) a(_ int, more ...string) (ok bool) { return len(more) == 1 }

func b(int, string) {
	work()
}
`
	got, err := doubled(text, []numbered{
		{1, protection{old: "== 1", new: "== 2"}}, {2, protection{old: "	work()\n", new: ""}}, {3, protection{old: "len(more)", new: "0"}},
	})
	const want = `package p

const c = 1

func (t *T) a(nameless1At38 int, more ...string) (ok bool) { if switchedOff == "1" { return t.aWithout1(nameless1At38, more...) };  if switchedOff == "3" { return t.aWithout3(nameless1At38, more...) };  return len(more) == 1 }

func b(nameless1At105 int, nameless2At110 string) { if switchedOff == "2" { bWithout2(nameless1At105, nameless2At110); return }; 
	work()
}

func (t *T) aWithout1(_ int, more ...string) (ok bool) { return len(more) == 2 }

func bWithout2(int, string) {
}

func (t *T) aWithout3(_ int, more ...string) (ok bool) { return 0 == 1 }
`
	if err != nil || got != want {
		t.Errorf("%v, got\n%s", err, got)
	}
	if _, err := doubled(text, []numbered{{4, protection{old: "c = 1", new: "c = 2"}}}); err == nil {
		t.Error("what no function has is said to be switched off")
	}
}

func TestFailuresAreNamedAsInTheTable(t *testing.T) {
	out := strings.Join([]string{
		`{"Action":"run","Test":"TestAttacks"}`,
		`{"Action":"run","Test":"TestAttacks/paths"}`,
		`{"Action":"run","Test":"TestAttacks/paths/encoded_dots"}`,
		`{"Action":"output","Test":"TestAttacks/paths/encoded_dots","Output":"x"}`,
		`{"Action":"fail","Test":"TestAttacks/paths/encoded_dots"}`,
		`{"Action":"run","Test":"TestAttacks/paths/a_backslash"}`,
		`{"Action":"pass","Test":"TestAttacks/paths/a_backslash"}`,
		`{"Action":"run","Test":"TestAttacks/slow/never_ended"}`,
		`{"Action":"run","Test":"TestAttacks/slow/never_begun"}`,
		`{"Action":"pause","Test":"TestAttacks/slow/never_begun"}`,
		`{"Action":"fail","Test":"TestAttacks/paths"}`,
		`{"Action":"fail","Test":"TestAttacks"}`,
		`{"Action":"fail","Test":"TestOther"}`,
		`{"Action":"fail"}`,
	}, "\n")
	got, ran := failures([]byte(out))
	if want := "TestOther; encoded dots; never ended"; !ran || strings.Join(got, "; ") != want {
		t.Errorf("got %q, %v", got, ran)
	}
	if _, ran := failures([]byte(`{"Action":"fail"}`)); ran {
		t.Error("tests that did not compile are said to have run")
	}
}

func TestAnEmptyRowFails(t *testing.T) {
	rows := []row{{protection: protection{name: "held"}, caught: []string{"a"}}, {protection: protection{name: "loose"}}}
	if err := judge(rows); err == nil || !strings.Contains(err.Error(), "loose") || strings.Contains(err.Error(), "held") {
		t.Errorf("got %v", err)
	}
	if err := judge(rows[:1]); err != nil {
		t.Errorf("got %v", err)
	}
	if shown := table(rows); !strings.Contains(shown, "NOTHING") {
		t.Errorf("the table is %s", shown)
	}
}
