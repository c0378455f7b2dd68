//go:build prometheus

package prometheus

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/promrules"
	"credproxy.dev/controller/test/fences"
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

func TestPromtoolRunsWhatThePagesSay(t *testing.T) {
	for _, page := range []string{"config/prometheus/README.md", "docs/alerts.md"} {
		blocks, err := fences.Read(page, read(t, page))
		if err != nil {
			t.Fatal(err)
		}
		mine := slices.DeleteFunc(blocks, func(b fences.Block) bool { return b.Why != t.Name() })
		if len(mine) == 0 {
			t.Errorf("%s has no block for this test", page)
		}
		for _, b := range mine {
			cmd := exec.CommandContext(t.Context(), "bash", "-euc", b.Text)
			cmd.Dir = root
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", b.Where(), err, out)
			}
		}
	}
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
