package cli

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
)

func TestPlanSaysWhetherTokensWereLookedFor(t *testing.T) {
	const words = "Tokens were not looked for; add --resolve.\n"
	tests := map[string]struct {
		step reconcile.StepName
		args []string
		want bool
	}{
		"a step needs some":    {reconcile.StepResolveTokens, nil, true},
		"no step needs any":    {reconcile.StepCreate, nil, false},
		"they were looked for": {reconcile.StepResolveTokens, []string{"--resolve"}, false},
		"a program reads it":   {reconcile.StepResolveTokens, []string{"-o", "json"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, &fakeController{step: tt.step})
			if code := c.run(t, append([]string{"plan", "--specs", specs(t, "web.yaml", goodSpec)}, tt.args...)...); code != 0 {
				t.Fatalf("exit code %d: %s", code, c.err.String())
			}
			if got := strings.HasSuffix(c.out.String(), words); got != tt.want {
				t.Errorf("said: %v, want %v, in:\n%s", got, tt.want, c.out.String())
			}
		})
	}
}

// unread is a directory that could not be read as a whole.
type unread struct{ files []source.FileStatus }

func (u unread) Scan(context.Context) source.Snapshot {
	return source.Snapshot{Files: u.files, Err: errors.New("git is writing in . (index.lock)")}
}

func (unread) Run(context.Context, time.Duration, func(source.Snapshot)) error { return nil }
func (unread) WatchErr() error                                                 { return nil }

func TestAPlanOfWhatCouldNotBeReadIsNoPlan(t *testing.T) {
	tests := map[string]struct {
		files   []source.FileStatus
		printed string // on stdout
	}{
		"nothing was read":  {nil, ""},
		"not all of it was": {[]source.FileStatus{{Path: "web.yaml", State: source.FileValid}}, "Nothing to do for instance \"default\".\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, &fakeController{})
			sys := c.system()
			sys.Parts.Source = func(app.Options) (app.Source, error) { return unread{tt.files}, nil }
			code := Run(t.Context(), []string{"plan", "--specs", "specs"}, sys)
			if code != 2 || c.out.String() != tt.printed || !strings.Contains(c.err.String(), "git is writing in . (index.lock)") {
				t.Errorf("exit code %d:\n%s%s", code, c.out.String(), c.err.String())
			}
			if code := Run(t.Context(), []string{"apply", "--specs", "specs"}, sys); code != 1 {
				t.Errorf("apply: exit code %d", code)
			}
		})
	}
}
