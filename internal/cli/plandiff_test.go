package cli

import (
	"encoding/json"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/internal/ptytest"
	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/pkg/spec"
)

func someChanges() []spec.PlannedChange {
	return []spec.PlannedChange{
		{Change: spec.ChangeAdd, Object: spec.ChangedRoute, Name: "/new", After: "https://a-rather-long-name-of-an-upstream.example, Bearer, token env GITHUB_TOKEN"},
		{Change: spec.ChangeRemove, Object: spec.ChangedRoute, Name: "/old", Before: "https://old.example"},
		{Change: spec.ChangeModify, Object: spec.ChangedSidecar, Name: "cred-proxy-web", Field: "resources.memory", Before: "64Mi", After: "128Mi\x1b[2J"},
	}
}

func TestAPlanTellsWhatChanges(t *testing.T) {
	c := newConsole(t, &fakeController{changes: someChanges()})
	if code := c.run(t, "plan", "--specs", specs(t, "web.yaml", goodSpec)); code != 0 {
		t.Fatalf("exit code %d: %s", code, c.err.String())
	}
	want := "web\n" +
		"    + route /new: https://a-rather-long-name-of-an-upstream.example, Bearer, token env GITHUB_TOKEN\n" +
		"    - route /old: https://old.example\n" +
		"    ~ resources.memory: 64Mi → 128Mi\ufffd[2J\n" +
		"  create         cred-proxy-web  (there is none)\n" +
		"1 to make\n"
	if diff := gocmp.Diff(want, c.out.String()); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

func TestAPlanAsJSONHasTheSameChanges(t *testing.T) {
	for name, changes := range map[string][]spec.PlannedChange{"some": someChanges(), "none that is known": nil} {
		c := newConsole(t, &fakeController{changes: changes})
		if code := c.run(t, "plan", "-o", "json", "--specs", specs(t, "web.yaml", goodSpec)); code != 0 {
			t.Fatalf("exit code %d: %s", code, c.err.String())
		}
		var plan struct {
			Items []struct{ Changes []map[string]string }
		}
		if err := json.Unmarshal([]byte(c.out.String()), &plan); err != nil {
			t.Fatal(err)
		}
		got := plan.Items[0].Changes
		if got == nil || len(got) != len(changes) {
			t.Fatalf("%s: %v", name, got)
		}
		if len(changes) == 0 {
			continue
		}
		want := map[string]string{"change": "remove", "object": "route", "name": "/old", "before": "https://old.example"}
		if diff := gocmp.Diff(want, got[1]); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAPlanIsColouredAndFitsIntoATerminal(t *testing.T) {
	for _, tt := range []struct {
		verb     string
		columns  int
		noColor  string
		args     []string
		coloured bool
	}{
		{"plan", 100, "", nil, true}, {"plan", 60, "", nil, true}, {"plan", 60, "1", nil, false}, {"plan", 60, "", []string{"--color", "never"}, false},
		{"plan", 60, "1", []string{"--color", "always"}, true}, {"apply", 60, "", nil, true}, {"apply", 60, "1", nil, false},
	} {
		c := newConsole(t, &fakeController{changes: someChanges()})
		c.vars["NO_COLOR"] = tt.noColor
		pty := ptytest.Open(t, tt.columns, 40)
		c.terminal = pty.Out
		if code := c.run(t, append([]string{tt.verb, "--specs", specs(t, "web.yaml", goodSpec)}, tt.args...)...); code != 0 {
			t.Fatalf("exit code %d: %s", code, c.err.String())
		}
		pty.Until(t, func(text string) bool { return strings.Contains(text, "64Mi → 128Mi\ufffd[2J\n") })
		for line := range strings.Lines(pty.Text()) {
			if terminal.Cells(strings.TrimSuffix(line, "\n")) > tt.columns {
				t.Errorf("%+v: %q is too wide", tt, line)
			}
		}
		for _, painted := range []string{"\x1b[32m    + route /new", "\x1b[31m    - route /old", "\x1b[33m    ~ resources"} {
			if got := strings.Contains(pty.Raw(), painted); got != tt.coloured {
				t.Errorf("%+v: %q is there: %v\n%q", tt, painted, got, pty.Raw())
			}
		}
	}
}
