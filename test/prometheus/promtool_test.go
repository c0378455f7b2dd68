//go:build prometheus

package prometheus

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/promrules"
)

func TestPromtoolTakesTheConfiguration(t *testing.T) {
	promtool(t, "", "check", "config", "config/prometheus/prometheus.yml")
}

func TestPromtoolTakesTheRules(t *testing.T) {
	promtool(t, "", "check", "rules", "--lint=all", "--lint-fatal", promrules.RecordingPath, promrules.AlertsPath)
}

func TestAlertsFireWhenTheyShouldAndOnlyThen(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(promrules.CasesPath)))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for i, path := range paths {
		paths[i] = strings.TrimPrefix(path, root+"/")
	}
	promtool(t, "", append([]string{"test", "rules"}, paths...)...)
}

// promtool runs it in the root of the repository, on an input, and wants it to find nothing wrong.
func promtool(t *testing.T, input string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "promtool", args...)
	cmd.Dir = root
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
