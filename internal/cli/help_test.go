package cli

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/ptytest"
	"credproxy.dev/controller/internal/terminal"
)

// narrow is what was printed to a terminal, as it was printed.
type narrow struct {
	bytes.Buffer
	terminal *os.File
}

func (n *narrow) Unwrap() io.Writer { return n.terminal }

// printedOn is what a command line prints on a terminal of 60 columns, or where there is none.
func printedOn(t *testing.T, pty *ptytest.Terminal, args ...string) string {
	t.Helper()
	sys := newConsole(t, &fakeController{}).system()
	out := &narrow{}
	sys.Stdout = &out.Buffer
	if pty != nil {
		out.terminal = pty.Out
		sys.Stdout = out
	}
	Run(t.Context(), args, sys)
	return out.String()
}

// tooWide are the lines that do not fit although they could: a word that is too long cannot, and a command to copy is left whole.
func tooWide(text string) (wide []string) {
	copied := false
	for line := range strings.SplitSeq(text, "\n") {
		switch line {
		case "Usage:", "Examples:":
			copied = true
		case "":
			copied = false
		}
		if !copied && terminal.Cells(line) > 60 && len(strings.Fields(line)) > 1 {
			wide = append(wide, line)
		}
	}
	return wide
}

func TestHelpFitsIntoATerminal(t *testing.T) {
	pty := ptytest.Open(t, 60, 24)
	lines := [][]string{{"--help"}}
	for _, verb := range verbsOf(newRoot(System{})) {
		lines = append(lines, []string{verb.Name(), "--help"})
	}
	for _, args := range lines {
		shown, piped := printedOn(t, pty, args...), printedOn(t, nil, args...)
		if wide := tooWide(shown); len(wide) > 0 {
			t.Errorf("%s: %d lines are too wide:\n%s", strings.Join(args, " "), len(wide), strings.Join(wide, "\n"))
		}
		if got, want := strings.Join(strings.Fields(shown), " "), strings.Join(strings.Fields(piped), " "); got != want {
			t.Errorf("%s: a terminal shows other words:\n%s\nthan a pipe gets:\n%s", strings.Join(args, " "), got, want)
		}
	}
	const asWritten = "Reads files, and directories with their directories, by the rules of run, and prints every problem as\nfile:line: field: message."
	if piped := printedOn(t, nil, "validate", "--help"); !strings.Contains(piped, asWritten) {
		t.Errorf("a pipe gets it otherwise than it is written:\n%s", piped)
	}
}

func TestProblemsFitIntoATerminal(t *testing.T) {
	dir := specs(t, "web.yaml", "apiVersion: credproxy.dev/v1alpha1\nkind: CredProxy\nmetadata: {name: web}\nspec: {internalNetwork: web-internal, "+
		"egressNetwork: web-internal, routes: [{path: /a, upstream: \"http://a.example\"}]}\n")
	t.Chdir(dir)
	shown, piped := printedOn(t, ptytest.Open(t, 60, 24), "validate", "."), printedOn(t, nil, "validate", ".")
	if wide := tooWide(shown); len(wide) > 0 || len(tooWide(piped)) == 0 {
		t.Errorf("lines that are too wide: %q, and in a pipe: %q", wide, tooWide(piped))
	}
	if got, want := strings.Join(strings.Fields(shown), " "), strings.Join(strings.Fields(piped), " "); got != want {
		t.Errorf("a terminal shows %s, and a pipe gets %s", got, want)
	}
}
