package docs

import (
	"regexp"
	"strings"
	"testing"
)

// Each promise names what holds it, and each family of attacks holds some.
func TestEachPromiseNamesItsTests(t *testing.T) {
	_, promises, found := strings.Cut(read(t, "SECURITY.md"), "\n## What is promised\n")
	promises, _, ends := strings.Cut(promises, "\n### How these are held\n")
	if !found || !ends {
		t.Fatal("SECURITY.md has no such section")
	}
	rows := 0
	for _, row := range regexp.MustCompile(`(?m)^\| (.+) \| (.+) \|$`).FindAllStringSubmatch(promises, -1) {
		if row[1] == "promise" {
			continue
		}
		rows++
		if !regexp.MustCompile("`(Test|Fuzz)[A-Z]\\w+[^`]*`").MatchString(row[2]) {
			t.Errorf("nothing is said to hold the promise %q", row[1])
		}
	}
	if rows < 30 {
		t.Fatalf("its tables are not understood: %d promises", rows)
	}
	families := attackFamilies(t)
	for _, m := range regexp.MustCompile("`TestAttacks/([^`]+)`").FindAllStringSubmatch(promises, -1) {
		if _, ok := families[m[1]]; !ok {
			t.Errorf("SECURITY.md names the attacks %s, which there are not", m[1])
		}
		families[m[1]] = true
	}
	for name, named := range families {
		if !named {
			t.Errorf("SECURITY.md does not say which promise the attacks of %s are about", name)
		}
	}
}

// attackFamilies are the kinds of attacks that there are.
func attackFamilies(t *testing.T) map[string]bool {
	t.Helper()
	_, table, found := strings.Cut(read(t, "test/attacks/attack_test.go"), "func families() ")
	table, _, ends := strings.Cut(table, "\n}\n")
	families := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t\t"([\w-]+)":\s`).FindAllStringSubmatch(table, -1) {
		families[m[1]] = false
	}
	if !found || !ends || len(families) < 10 {
		t.Fatalf("the families of attacks are not understood: %v", families)
	}
	return families
}
