package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// statusUntil asks for the status until it says the words on stderr.
func statusUntil(t *testing.T, server, words string, args ...string) (code int, c *console) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		c = newConsole(t, nil)
		code = c.run(t, append([]string{"status", "--server", server}, args...)...)
		if strings.Contains(c.err.String(), words) {
			return code, c
		}
		if time.Now().After(deadline) {
			t.Fatalf("exit code %d, and no %q in:\n%s%s", code, words, c.out.String(), c.err.String())
		}
	}
}

func TestStatusNamesTheFilesThatCannotBeUsed(t *testing.T) {
	dir := specs(t, "web.yaml", "kind: [")
	server := started(t, newConsole(t, &fakeController{}), dir)

	code, c := statusUntil(t, server, "1 file cannot be used: web.yaml:1: ")
	if code != 1 || !strings.Contains(c.err.String(), "; `controller validate DIR` shows all\n") {
		t.Errorf("exit code %d:\n%s", code, c.err.String())
	}
	if code, c = statusUntil(t, server, "1 file cannot be used", "web"); code != 1 || !strings.Contains(c.err.String(), "no spec file declares it") {
		t.Errorf("of one: exit code %d:\n%s", code, c.err.String())
	}

	for n := range mostFiles + 1 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("bad-%02d.yaml", n)), []byte("kind: Nothing\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, c = statusUntil(t, server, fmt.Sprintf("%d files cannot be used", mostFiles+2))
	for _, words := range []string{"\n  bad-00.yaml:1: kind: ", "\n  and 2 more\n"} {
		if !strings.Contains(c.err.String(), words) {
			t.Errorf("%q is not in:\n%s", words, c.err.String())
		}
	}
}

func TestStatusIsNotDisturbedByAFileThatKeepsItsLastGoodVersion(t *testing.T) {
	dir := specs(t, "web.yaml", goodSpec)
	server := started(t, newConsole(t, &fakeController{}), dir)
	if c := newConsole(t, nil); c.run(t, "wait", "web", "--server", server) != 0 {
		t.Fatal(c.err.String())
	}
	if err := os.WriteFile(filepath.Join(dir, "web.yaml"), []byte("kind: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	untilRefused(t, server)
}

// untilRefused asks for the status until the last good version of a file is in force; until then, all is well.
func untilRefused(t *testing.T, server string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for c := newConsole(t, nil); ; c = newConsole(t, nil) {
		code := c.run(t, "status", "--server", server)
		if code != 0 || c.err.String() != "" {
			t.Fatalf("exit code %d:\n%s", code, c.err.String())
		}
		if strings.Contains(c.out.String(), "the last good version stays in force") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the edit was not noticed:\n%s", c.out.String())
		}
	}
}

func TestStatusSaysThatTheDirectoryIsOutOfReach(t *testing.T) {
	dir := filepath.Join(specs(t), "specs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	server := started(t, newConsole(t, &fakeController{}), dir)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	code, c := statusUntil(t, server, "so nothing is removed: directory of specs "+dir+" cannot be read: make the directory")
	if code != 1 {
		t.Errorf("exit code %d:\n%s", code, c.err.String())
	}
}

func TestStatusCountsTheProblemsOfAFile(t *testing.T) {
	dir := specs(t, "web.yaml", "apiVersion: credproxy.dev/v1alpha1\nkind: CredProxy\nmetadata: {name: web}\nspec: {port: 0, routes: []}\n")
	server := started(t, newConsole(t, &fakeController{}), dir)
	_, c := statusUntil(t, server, "1 file cannot be used: web.yaml:4: ")
	var validated console
	validated.run(t, "validate", dir)
	all := strings.Count(validated.out.String()+validated.err.String(), "web.yaml:")
	if want := fmt.Sprintf(" (and %d more); `controller validate DIR` shows all\n", all-1); all < 2 || !strings.Contains(c.err.String(), want) {
		t.Errorf("no %q in:\n%s", want, c.err.String())
	}
}
