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

// TestWithoutItsProtectionsTheSidecarStillCompiles switches as many off at a time as leave each other alone: what does not compile is
// caught by no attack.
func TestWithoutItsProtectionsTheSidecarStillCompiles(t *testing.T) {
	b := &bench{root: root, dir: t.TempDir()}
	for n, some := range compatible(t, protections()) {
		overlay, err := b.overlay(string(rune('a'+n)), some...)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay="+overlay, "./pkg/...")
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// compatible parts protections into sets of which none changes what another one looks for.
func compatible(t *testing.T, left []protection) (sets [][]protection) {
	t.Helper()
	for len(left) > 0 {
		texts := map[string]string{}
		var some, others []protection
		for _, p := range left {
			text, ok := texts[p.file]
			if !ok {
				var err error
				if text, err = p.read(root); err != nil {
					t.Fatal(err)
				}
			}
			changed, err := p.apply(text)
			if err != nil {
				others = append(others, p)
				continue
			}
			texts[p.file] = changed
			some = append(some, p)
		}
		if len(some) == 0 {
			t.Fatalf("%s does not apply", left[0].name)
		}
		sets, left = append(sets, some), others
	}
	return sets
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
