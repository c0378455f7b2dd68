package docs

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"credproxy.dev/controller/internal/cli"
)

// inline are the texts of a page that stand in backquotes within a line.
func inline(page string) (found []string) {
	page = regexp.MustCompile("(?ms)^ *```.*?^ *```$").ReplaceAllString(page, "")
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(page, -1) {
		found = append(found, m[1])
	}
	return found
}

func TestFilesThatPagesNameExist(t *testing.T) {
	name := regexp.MustCompile(`^(?:\.\./)*((?:cmd|pkg|internal|test|config|docs|hack)/[\w/.*-]+|[\w*]+\.go)$`)
	exists := func(pattern string) bool {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		return err == nil && len(found) > 0
	}
	n := 0
	for path, text := range pages(t) {
		for _, word := range inline(text) {
			m := name.FindStringSubmatch(word)
			if m == nil {
				continue
			}
			n++
			// A Go file is named without its directory, where the words around say which it is.
			if !exists(m[1]) && !exists("*/"+m[1]) && !exists("*/*/"+m[1]) {
				t.Errorf("%s names %s, which does not exist", path, word)
			}
		}
	}
	if n == 0 {
		t.Error("no page names a file")
	}
}

// What `make test` runs is what the table says: the tests above its row, and those that the row names.
func TestContributingTellsWhatMakeTestRuns(t *testing.T) {
	runs := regexp.MustCompile(`(?m)^test: ([^#\n]*)`).FindStringSubmatch(read(t, "Makefile"))
	above, rest, found := strings.Cut(read(t, "CONTRIBUTING.md"), "\n| `make test` |")
	if runs == nil || !found {
		t.Fatalf("the Makefile has %q, and the table a row of make test: %v", runs, found)
	}
	row, _, _ := strings.Cut(rest, "\n")
	var told []string
	for _, m := range regexp.MustCompile("(?m)(?:^\\| |, and )`make (test-[a-z0-9-]+)`").FindAllStringSubmatch(above+row, -1) {
		told = append(told, m[1])
	}
	if got, want := told, strings.Fields(runs[1]); !slices.Equal(got, want) {
		t.Errorf("CONTRIBUTING.md has make test run %q, and the Makefile %q", got, want)
	}
}

func TestTargetsThatPagesNameExist(t *testing.T) {
	makefile := read(t, "Makefile")
	n := 0
	for path, text := range pages(t) {
		for _, m := range regexp.MustCompile("(?m)(?:`|^)make ([a-z][a-z0-9 -]*)").FindAllStringSubmatch(text, -1) {
			for target := range strings.FieldsSeq(m[1]) {
				n++
				if !strings.Contains(makefile, "\n"+target+":") {
					t.Errorf("%s names the target %q, which the Makefile does not have", path, target)
				}
			}
		}
	}
	if n == 0 {
		t.Error("no page names a target")
	}
}

// Flags, and their variables, are the controller's, or those of a program that is known.
func TestFlagsThatPagesNameExist(t *testing.T) {
	known := map[string]bool{}
	for _, verb := range cli.Command().Commands() {
		verb.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	}
	for path, text := range pages(t) {
		if strings.HasPrefix(path, "docs/decisions/") {
			continue
		}
		for _, word := range inline(text) {
			m := regexp.MustCompile(`^--([a-z][a-z0-9-]+)`).FindStringSubmatch(word)
			if m != nil && !known[m[1]] && !slices.Contains(flagsOfOthers(), m[1]) {
				t.Errorf("%s names the flag --%s, which is neither the controller's nor one of others that is known", path, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`\bCREDPROXY_([A-Z][A-Z_]*[A-Z])\b`).FindAllStringSubmatch(text, -1) {
			flag := strings.ReplaceAll(strings.ToLower(m[1]), "_", "-")
			if !known[flag] && !slices.Contains(variablesOfOurs(), m[1]) {
				t.Errorf("%s names the variable CREDPROXY_%s, and there is no flag --%s", path, m[1], flag)
			}
		}
	}
}

// flagsOfOthers are those of docker and dockerd of which the pages speak.
func flagsOfOthers() []string {
	return []string{"cap-drop", "debug", "internal", "ipc", "ipv6", "network", "pid", "sysctl", "volumes-from"}
}

// variablesOfOurs are no flags: what a provider gets, and what an agent's settings refer to.
func variablesOfOurs() []string { return []string{"TOKEN_KEY", "CALLER_KEY"} }
