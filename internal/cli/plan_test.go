package cli

import (
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/reconcile"
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
