package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// example is a line of a verb's help.
type example struct{ verb, line string }

// examples are those of all verbs, and of the command itself.
func examples(t *testing.T) (all []example) {
	t.Helper()
	root := newRoot(System{})
	for _, cmd := range append(root.Commands(), root) {
		if !cmd.IsAvailableCommand() && cmd != root || cmd.Name() == "help" {
			continue
		}
		found := 0
		for line := range strings.Lines(cmd.Example) {
			if line = strings.TrimSpace(line); line != "" {
				all = append(all, example{cmd.Name(), line})
				found++
			}
		}
		if found == 0 {
			t.Errorf("%s has no example", cmd.Name())
		}
	}
	return all
}

// stage is a directory with all that the examples name, and controllers that run.
type stage struct {
	dir string
	env []string
	// nobody is the address of a controller without specs.
	nobody string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	dir := t.TempDir()
	web := goodSpec + "    auth: {scheme: Bearer, tokenRef: {env: GITHUB_TOKEN}}\n    roles: [anthropic-base-url]\n" +
		"  - {path: /npm, upstream: \"https://registry.npmjs.org\", roles: [npm-registry]}\n"
	for name, text := range map[string]string{
		"specs/web.yaml": web, "web.yaml": web, "api.yaml": specNamed("api"), "tokens/token": "x", "agent-home/.keep": "",
		"compose.yaml": "services: {agent: {image: my-agent}}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fake := &fakeController{}
	fake.happens("web", "something happened", "")
	server := started(t, newConsole(t, fake), filepath.Join(dir, "specs"))
	if c := newConsole(t, nil); c.run(t, "wait", "web", "--server", server) != 0 {
		t.Fatal(c.err.String())
	}
	bin := asController(t)
	for name, does := range map[string]string{
		"docker": `[ $# -gt 1 ]`, "start-my-agent": "exit 0", "jq": "read -r line && [ -n \"$line\" ]",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+does+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return &stage{
		dir: dir, nobody: started(t, newConsole(t, &fakeController{}), specs(t)),
		env: append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "CREDPROXY_SERVER="+server, "CREDPROXY_LISTEN=127.0.0.1:0",
			"XDG_STATE_HOME="+t.TempDir()),
	}
}

// run has bash run a line as it stands in the help. What goes on until it is interrupted is interrupted once it has printed something.
func (s *stage) run(t *testing.T, line string) (said string, code int) {
	t.Helper()
	cmd := exec.Command("bash", "-c", "set -o pipefail\n"+line)
	cmd.Dir, cmd.Env = s.dir, s.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if strings.Contains(line, "--for Deleted") {
		cmd.Env = append(slices.Clone(s.env), "CREDPROXY_SERVER="+s.nobody)
	}
	var b lockedBuffer
	cmd.Stdout, cmd.Stderr = &b, &b
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if goesOn(line) {
		until(t, b.String, "\n")
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
			t.Error(err)
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return b.String(), cmd.ProcessState.ExitCode()
}

func goesOn(line string) bool {
	words := strings.Fields(line)
	return !slices.Contains(words, "|") && !slices.Contains(words, "&&") && (slices.Contains(words, "-w") || slices.Contains(words, "-f"))
}

// Every example of every verb does what it says it does, as it stands there.
func TestEveryExampleOfTheHelpRuns(t *testing.T) {
	s := newStage(t)
	all := examples(t)
	for _, e := range all {
		said, code := s.run(t, e.line)
		if closed := code == codeClosedPipe && strings.Contains(e.line, " | "); code != 0 && !closed {
			t.Errorf("%s: %q ends with %d:\n%s", e.verb, e.line, code, said)
		}
	}
	if len(all) < 30 {
		t.Errorf("only %d examples were run", len(all))
	}
}

// A test that could not fail would be no test.
func TestAnExampleThatFailsIsSeen(t *testing.T) {
	s := newStage(t)
	for _, line := range []string{"controller stauts", "controller plan --specs ./nowhere", "controller status --frob | cat", "controller events -w -o jsno | jq ."} {
		if said, code := s.run(t, line); code == 0 || code == codeClosedPipe {
			t.Errorf("%q ends with %d:\n%s", line, code, said)
		}
	}
}

// The help of every verb says the same things in the same order.
func TestEveryVerbHasAWholeHelp(t *testing.T) {
	for _, verb := range verbsOf(newRoot(System{})) {
		c := newConsole(t, nil)
		if code := c.run(t, verb.Name(), "--help"); code != 0 {
			t.Errorf("%s --help ends with %d", verb.Name(), code)
		}
		text := []byte(c.out.String())
		at := 0
		for _, part := range []string{verb.Long[:20], "\nExit code: 0", "\nUsage:\n", "\nExamples:\n", "\nFlags:\n"} {
			i := bytes.Index(text[at:], []byte(part))
			if i < 0 {
				t.Errorf("%s --help has no %q in its place:\n%s", verb.Name(), part, text)
				break
			}
			at += i
		}
		if verb.Short == "" || strings.HasSuffix(verb.Short, ".") {
			t.Errorf("%s: %q", verb.Name(), verb.Short)
		}
	}
}
