package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/ptytest"
	"credproxy.dev/controller/pkg/spec"
)

// watching runs a verb until the test ends, or stop is called, which returns the exit code.
func watching(t *testing.T, c *console, args ...string) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- Run(ctx, args, c.system()) }()
	return func() int { cancel(); return <-ended }
}

func specNamed(name string) string {
	return strings.ReplaceAll(goodSpec, "web", name)
}

func TestStatusThatIsWatchedAppendsWhatChanges(t *testing.T) {
	fake := &fakeController{}
	dir := specs(t, "web.yaml", goodSpec, "api.yaml", specNamed("api"))
	server := started(t, newConsole(t, fake), dir, "--resync", "100ms")
	for _, name := range []string{"api", "web"} { // or what they were before might be told as well
		if c := newConsole(t, nil); c.run(t, "wait", name, "--server", server) != 0 {
			t.Fatal(c.err.String())
		}
	}
	c := newConsole(t, nil)
	stop := watching(t, c, "status", "-w", "--server", server)
	until(t, c.out.String, "web    True")
	fake.breaks("api", "TokenMissing")
	until(t, c.out.String, "api    False   TokenMissing")
	if err := os.Remove(filepath.Join(dir, "api.yaml")); err != nil {
		t.Fatal(err)
	}
	until(t, c.out.String, "api    False   Deleted")
	if err := os.WriteFile(filepath.Join(dir, "bad.yaml"), []byte("kind: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, c.err.String, "1 file cannot be used: bad.yaml:1: ")
	if code := stop(); code != 0 {
		t.Errorf("interrupted, it ends with %d", code)
	}
	text := c.out.String()
	for words, times := range map[string]int{"NAME": 1, "api    True": 1, "web    True": 1, "\nweb ": 1, "\x1b": 0} {
		if strings.Count(text, words) > times {
			t.Errorf("%q is there more than %d times:\n%s", words, times, text)
		}
	}
}

func TestLinesThatAreAppendedStayAligned(t *testing.T) {
	var b lockedBuffer
	show := (&statusAsker{output: outTable, out: &screen{Writer: &b}, errOut: &b}).appended()
	for _, names := range [][]string{{"a-rather-long-name", "api"}, {"api", "web"}} { // the long one goes
		var items []spec.CredProxy
		for _, name := range names {
			one := spec.CredProxy{}
			one.Name = name
			items = append(items, one)
		}
		for range 2 {
			if err := show(fleet{items: items}); err != nil {
				t.Fatal(err)
			}
		}
	}
	at := strings.Index(b.String(), "READY")
	for line := range strings.Lines(b.String()) {
		if len(line) <= at || line[at-1] != ' ' || line[at] == ' ' {
			t.Errorf("READY begins elsewhere than at %d:\n%s", at, b.String())
		}
	}
}

func TestStatusThatIsWatchedAsJSONIsAnObjectALine(t *testing.T) {
	fake := &fakeController{}
	server := started(t, newConsole(t, fake), specs(t, "web.yaml", goodSpec))
	c := newConsole(t, nil)
	stop := watching(t, c, "status", "web", "-w", "-o", "json", "--server", server)
	until(t, c.out.String, `"status":"True"`)
	fake.breaks("web", "TokenMissing")
	until(t, c.out.String, `"reason":"TokenMissing"`)
	stop()
	for line := range strings.Lines(c.out.String()) {
		var one spec.CredProxy
		if err := json.Unmarshal([]byte(line), &one); err != nil || one.Name != "web" {
			t.Errorf("%v: %q", err, line)
		}
	}
}

func TestATableOnATerminalIsKeptUpToDate(t *testing.T) {
	fake := &fakeController{}
	dir := specs(t, "web.yaml", goodSpec, "api.yaml", specNamed("api"))
	running := newConsole(t, fake)
	server := started(t, running, dir, "--resync", "100ms")
	c, pty := newConsole(t, nil), ptytest.Open(t, 60, 24)
	c.terminal = pty.Out
	stop := watching(t, c, "status", "-w", "--server", server)
	lines := func(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }
	pty.Until(t, func(text string) bool {
		l := lines(text)
		return len(l) == 4 && strings.HasPrefix(l[1], "api    True") && strings.HasPrefix(l[2], "web    True") && l[3] == "2 of 2 Ready"
	})
	fake.breaks("api", "TokenMissing")
	pty.Until(t, func(text string) bool {
		l := lines(text)
		return len(l) == 4 && strings.HasPrefix(l[1], "api    False   TokenMissing") && l[3] == "1 of 2 Ready"
	})
	if !strings.Contains(pty.Raw(), "\x1b[31mFalse\x1b[0m") {
		t.Errorf("what is not Ready is not red:\n%q", pty.Raw())
	}
	if err := os.Remove(filepath.Join(dir, "api.yaml")); err != nil {
		t.Fatal(err)
	}
	pty.Until(t, func(text string) bool { return len(lines(text)) == 3 && lines(text)[2] == "1 of 1 Ready" })
	if code := stop(); code != 0 {
		t.Errorf("interrupted, it ends with %d", code)
	}
}

func TestATableThatDoesNotFitShowsWhatIsNotReadyFirst(t *testing.T) {
	fake := &fakeController{}
	files := []string{}
	for n := range 30 {
		name := fmt.Sprintf("env-%02d", n)
		files = append(files, name+".yaml", specNamed(name))
	}
	fake.breaks("env-27", "TokenMissing")
	server := started(t, newConsole(t, fake), specs(t, files...))
	c, pty := newConsole(t, nil), ptytest.Open(t, 60, 10)
	c.terminal = pty.Out
	stop := watching(t, c, "status", "-w", "--server", server)
	pty.Until(t, func(text string) bool {
		l := strings.Split(strings.TrimSpace(text), "\n")
		return len(l) == 9 && strings.HasPrefix(l[1], "env-27   False") && strings.HasPrefix(l[2], "env-00   True") && l[8] == "and 23 more; 29 of 30 Ready"
	})
	stop()
}

func TestNoLineOfATableIsWiderThanTheTerminal(t *testing.T) {
	fake := &fakeController{broken: map[string]string{"a-rather-long-name-of-an-environment": "TokenMissing"}}
	server := started(t, newConsole(t, fake), specs(t, "web.yaml", goodSpec, "long.yaml", specNamed("a-rather-long-name-of-an-environment")))
	for _, args := range [][]string{{"status"}, {"status", "web"}, {"events"}} {
		c, pty := newConsole(t, nil), ptytest.Open(t, 60, 24)
		c.terminal = pty.Out
		c.vars["CREDPROXY_SERVER"] = server
		fake.happens("web", "a message that is so long that it does not fit into a line of sixty columns", "and the cause of it")
		c.run(t, args...)
		pty.Until(t, func(text string) bool { return strings.Contains(text, "\n") })
		for line := range strings.Lines(withoutColours(pty.Raw())) {
			if n := len([]rune(strings.TrimRight(line, "\r\n"))); n > 60 {
				t.Errorf("%v: %d columns: %q", args, n, line)
			}
		}
	}
}
