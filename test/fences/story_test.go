package fences

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// told runs a page's blocks without an engine, and returns what was wrong with them, and what the shell said.
func told(t *testing.T, page string) (wrong, said string) {
	t.Helper()
	blocks, err := Read("p.md", page)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s, _ := StoryOf("p.md", blocks, WithoutEngine)
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, "script"))
	cmd.Dir, cmd.Stderr = t.TempDir(), &stderr
	var all []string
	if err := cmd.Run(); err != nil {
		all = append(all, err.Error())
	}
	for _, err := range s.Compare(dir) {
		all = append(all, err.Error())
	}
	return strings.Join(all, "\n"), stderr.String()
}

const run = "<!-- run: without an engine -->\n"

func TestAPageIsRunInOneShell(t *testing.T) {
	wrong, said := told(t, run+"```sh\nword=hello\ncat >file <<'E'\n  $word\nE\nsleep 60 &\n```\n\n"+
		run+"```console\n$ cat file; echo $word\n  $word\nhello\n$ false\n$ echo $?\n1\n$ echo one \\\n> two\none two\n```\n"+
		run+"```sh\nkill %1\n```\n")
	if wrong != "" {
		t.Errorf("%s\n%s", wrong, said)
	}
}

func TestWhatComesAboutByItselfIsWaitedFor(t *testing.T) {
	wrong, said := told(t, run+"```sh\nmkfifo go; { cat go; echo 'it [is]   so?' >file; } &\ntouch file\n```\n"+
		"<!-- run: without an engine, until it is so -->\n```console\n$ cat file; [ -p go ] && { : >go; rm go; } 2>/dev/null\nit [is] …?\n$ echo $?\n1\n```\n")
	if wrong != "" {
		t.Errorf("%s\n%s", wrong, said)
	}
}

func TestWhatIsNotAsThePageSaysIsTold(t *testing.T) {
	for name, tt := range map[string]struct{ page, wrong, said string }{
		"a command fails":             {"Words\n" + run + "```sh\ntrue\nfalse\necho never\n```\n", "exit status 1", "p.md:4: a command ended with 1\n"},
		"a command in a pipe fails":   {run + "```sh\nfalse | cat\n```\n", "exit status 1", "p.md:3"},
		"there is no such command":    {run + "```sh\ntrue\nnonesuch\n```\n", "exit status 127", "p.md: line 4: nonesuch"},
		"it prints something else":    {run + "```console\n$ echo one\ntwo\n```\n", "p.md:3: the page says that it prints\n    two\nand it prints\n    one", ""},
		"it prints more":              {run + "```console\n$ echo one; echo two\none\n```\n", "p.md:3: the page says", ""},
		"it prints nothing":           {run + "```console\n$ true\nword\n```\n", "p.md:3: the page says", ""},
		"a shown command fails":       {run + "```console\n$ echo x; false\nx\n```\n", "p.md:3: it ended with 1; where that is meant", ""},
		"the status is another":       {run + "```console\n$ (exit 3)\n$ echo $?\n4\n```\n", "p.md:4: the page says", ""},
		"it was not reached":          {run + "```sh\nfalse\n```\n" + run + "```console\n$ true\n```\n", "p.md:7: it was not run", "p.md:3"},
		"a variable is set elsewhere": {run + "```console\n$ (word=x); echo [$word]\n[x]\n```\n", "p.md:3", ""},
	} {
		t.Run(name, func(t *testing.T) {
			wrong, said := told(t, tt.page)
			if !strings.Contains(wrong, tt.wrong) || wrong == "" {
				t.Errorf("told %q, want %q", wrong, tt.wrong)
			}
			if !strings.Contains(said, tt.said) {
				t.Errorf("the shell said %q, want %q", said, tt.said)
			}
		})
	}
}

func TestAConsoleBlockBeginsWithACommand(t *testing.T) {
	blocks, err := Read("p.md", run+"```console\nwords\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := StoryOf("p.md", blocks, WithoutEngine)
	if err := s.Write(t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "p.md:3:") {
		t.Errorf("got %v", err)
	}
}

func TestOutputs(t *testing.T) {
	for _, tt := range []struct {
		page, printed string
		same          bool
	}{
		{"", "", true},
		{"a", "a\n", true},
		{"a", "a", true},
		{"a", "", false},
		{"", "a\n", false},
		{"NAME AGE", "NAME      AGE  \n", true},
		{"web …s ago", "web 12s ago\n", true},
		{"web … ago", "web\n12s ago\n", false},
		{"a\n…", "a\n", true},
		{"a\n…", "a\nb\nc\n", true},
		{"…\nc", "a\nb\nc\n", true},
		{"…\nb", "a\nb\nc\n", false},
		{"a.c", "abc\n", false},
		{"a\n\nb", "a\n\nb\n", true},
		{"a\nb", "a\n\nb\n", false},
	} {
		err := sameOutput(strings.Split(tt.page, "\n"), tt.printed)
		if (err == nil) != tt.same {
			t.Errorf("%q and %q: %v", tt.page, tt.printed, err)
		}
	}
}
