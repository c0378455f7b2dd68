package docs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/cli"
	"credproxy.dev/controller/test/fences"
)

// blocks are the fenced blocks of all pages.
func blocks(t *testing.T) map[string][]fences.Block {
	t.Helper()
	all := map[string][]fences.Block{}
	for path, text := range pages(t) {
		found, err := fences.Read(path, text)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = found
	}
	return all
}

// Every block of every page is run, read as what it is, or says why not. test/e2e runs those that need an engine.
func TestEveryBlockIsTested(t *testing.T) {
	tally := map[string]int{}
	for _, found := range blocks(t) {
		for _, b := range found {
			way := b.Way
			if way == fences.ByLanguage {
				way = "read as " + fences.Way(b.Language)
			}
			tally[string(way)]++
			if err := tested(t, b); err != nil {
				t.Errorf("%s: %v", b.Where(), err)
			}
		}
	}
	for _, way := range slices.Sorted(maps.Keys(tally)) {
		t.Logf("%3d %s", tally[way], way)
	}
	for _, way := range []fences.Way{fences.OnEngine, fences.WithoutEngine, fences.NotRun} {
		if tally[string(way)] == 0 {
			t.Errorf("no block has the way %q", way)
		}
	}
}

// tested says what is wrong with a block, or with the way in which it is tested.
func tested(t *testing.T, b fences.Block) error {
	t.Helper()
	switch {
	case b.Way == fences.CheckedBy:
		if !regexp.MustCompile(`^Test\w+$`).MatchString(b.Why) {
			return fmt.Errorf("it is checked by %q, which is no name of a test", b.Why)
		}
		return nil
	case b.IsShell() && b.Way == fences.ByLanguage:
		return fmt.Errorf("nobody says how its commands are tested: write one of <!-- %s -->, <!-- %s --> and <!-- %s: REASON --> above it",
			fences.OnEngine, fences.WithoutEngine, fences.NotRun)
	case b.IsShell():
		return nil // run, and parsed by TestCommandLinesOfThePagesAreUnderstood
	case b.Way != fences.ByLanguage:
		return fmt.Errorf("a block of %q cannot be %q", b.Language, b.Way)
	}
	switch b.Language {
	case "yaml":
		return readYAML(t, b)
	case "json":
		if !json.Valid([]byte(b.Text)) {
			return fmt.Errorf("it is not JSON")
		}
		return nil
	case "text":
		if fences.Commands(b.Text) != nil || strings.Contains("\n"+b.Text, "\n$ ") {
			return fmt.Errorf("it has a command in it: make it a block of sh or console")
		}
		return nil
	}
	return fmt.Errorf("nothing reads blocks of %q: call it sh, console, yaml, json or text, or name the test that does: <!-- %s: TestName -->",
		b.Language, fences.CheckedBy)
}

// What is not run is at least a command line: for the shell, and where it is the controller's, for that.
func TestCommandLinesOfThePagesAreUnderstood(t *testing.T) {
	n := 0
	for _, found := range blocks(t) {
		for _, b := range found {
			if !b.IsShell() {
				continue
			}
			for _, script := range scripts(t, b) {
				if out, err := bash(script, "-n"); err != nil {
					t.Errorf("%s: the shell does not understand it: %v: %s", b.Where(), err, out)
				}
			}
			for _, c := range fences.Commands(b.Text) {
				n++
				if err := understood(c); err != nil {
					t.Errorf("%s:%d: %v", b.Page, b.Line+c.Line-1, err)
				}
			}
		}
	}
	inline := regexp.MustCompile("`(?:[\\w/.-]*/)?(controller [^`]+)`")
	for path, text := range pages(t) {
		for _, m := range inline.FindAllStringSubmatchIndex(text, -1) {
			for _, c := range fences.Commands(strings.ReplaceAll(text[m[2]:m[3]], "\n", " ")) {
				n++
				// Words may name a flag and leave its value out.
				if err := understood(c); err != nil && !strings.Contains(err.Error(), "flag needs an argument") {
					t.Errorf("%s:%d: %v", path, 1+strings.Count(text[:m[0]], "\n"), err)
				}
			}
		}
	}
	t.Logf("%d command lines of the controller", n)
}

// scripts are what of a block the shell has to understand: all of sh, and the commands of a console.
func scripts(t *testing.T, b fences.Block) []string {
	t.Helper()
	if b.Language == "sh" {
		return []string{b.Text}
	}
	commands, err := b.Commands()
	if err != nil {
		t.Fatal(err)
	}
	return commands
}

func bash(script string, args ...string) (string, error) {
	cmd := exec.Command("bash", args...)
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// understood has the command itself read a line; with --help behind the verb it does nothing else.
func understood(c fences.Command) error {
	var said bytes.Buffer
	args := append([]string{c.Args[0], "--help"}, c.Args[1:]...)
	code := cli.Run(context.Background(), args, cli.System{Stdout: io.Discard, Stderr: &said, LookupEnv: noVariables})
	if code != 0 {
		return fmt.Errorf("controller %s: %s", strings.Join(c.Args, " "), said.String())
	}
	return nil
}

func noVariables(string) (string, bool) { return "", false }
