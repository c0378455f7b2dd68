package prometheus

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/promrules"
)

func TestRulesReadWhatThereIs(t *testing.T) {
	k := knownSeries(t)
	for _, rule := range rules(t) {
		for _, problem := range k.problems(rule.Expr) {
			t.Errorf("%s: %s", rule.Name(), problem)
		}
	}
}

func TestEachAlertSaysWhatItIsAndWhatToDo(t *testing.T) {
	page := read(t, "docs/alerts.md")
	for _, alert := range alerts(t) {
		if s := alert.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", alert.Alert, s)
		}
		for _, annotation := range []string{"summary", "description"} {
			if text := alert.Annotations[annotation]; !strings.HasSuffix(text, ".") {
				t.Errorf("%s: its %s is no sentence: %q", alert.Alert, annotation, text)
			}
		}
		if want := "docs/alerts.md#" + strings.ToLower(alert.Alert); alert.Annotations["runbook"] != want {
			t.Errorf("%s: runbook %q, want %q", alert.Alert, alert.Annotations["runbook"], want)
		}
		entry := section(page, "### "+alert.Alert+"\n")
		if !strings.Contains(entry, "**Means:** ") || !strings.Contains(entry, "**Do:** ") {
			t.Errorf("docs/alerts.md has no entry of %s with what it means and what to do", alert.Alert)
		}
	}
	for line := range strings.Lines(page) {
		name, isEntry := strings.CutPrefix(strings.TrimSpace(line), "### ")
		isIt := func(r promrules.Rule) bool { return r.Alert == name }
		if isEntry && !slices.ContainsFunc(alerts(t), isIt) {
			t.Errorf("docs/alerts.md has an entry of %s, which does not exist", name)
		}
	}
}

// section is what stands between a heading and the next.
func section(page, heading string) string {
	_, after, _ := strings.Cut(page, heading)
	entry, _, _ := strings.Cut(after, "\n#")
	return entry
}

func TestEachAlertHasACaseInWhichItFiresAndOneInWhichItDoesNot(t *testing.T) {
	cases, err := promrules.Cases(root)
	if err != nil {
		t.Fatal(err)
	}
	fires, stays := map[string]bool{}, map[string]bool{}
	for _, c := range cases {
		for _, check := range c.Checks {
			if !strings.HasPrefix(c.Name, check.Alert+" ") {
				t.Errorf("the case %q is about %s: name it so", c.Name, check.Alert)
			}
			if len(check.Expected) == 0 {
				stays[check.Alert] = true
				continue
			}
			fires[check.Alert] = true
			for _, expected := range check.Expected {
				checkExpected(t, c.Name, expected)
			}
		}
		checkInput(t, c)
	}
	for _, alert := range alerts(t) {
		if !fires[alert.Alert] || !stays[alert.Alert] {
			t.Errorf("%s: a case in which it fires: %v, one in which it does not: %v", alert.Alert, fires[alert.Alert], stays[alert.Alert])
		}
	}
}

// checkExpected wants everything compared that people see.
func checkExpected(t *testing.T, name string, e promrules.Expected) {
	t.Helper()
	for _, annotation := range []string{"summary", "description", "runbook"} {
		if e.Annotations[annotation] == "" {
			t.Errorf("%q does not check the %s", name, annotation)
		}
	}
	if e.Labels["severity"] == "" {
		t.Errorf("%q does not check the severity", name)
	}
}

// checkInput wants series of all that the alert reads, since without them it would not fire whatever it compares.
func checkInput(t *testing.T, c promrules.Case) {
	t.Helper()
	given := map[string]bool{}
	for _, series := range c.Input {
		selectors, err := promrules.Selectors(series.Series)
		if err != nil {
			t.Fatalf("%q: %v", c.Name, err)
		}
		for _, s := range selectors {
			given[s.Metric] = true
		}
	}
	alert, _, _ := strings.Cut(c.Name, " ")
	for _, needed := range reads(t, alert) {
		if !given[needed] {
			t.Errorf("the case %q has no series of %s, which the alert reads", c.Name, needed)
		}
	}
}

// reads are the metrics that an alert reads, or that what it reads is recorded of.
func reads(t *testing.T, alert string) []string {
	t.Helper()
	exprs := map[string]string{}
	for _, rule := range rules(t) {
		exprs[rule.Name()] = rule.Expr
	}
	found := map[string]bool{}
	for left := []string{alert}; len(left) > 0; left = left[1:] {
		selectors, err := promrules.Selectors(exprs[left[0]])
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range selectors {
			if _, recorded := exprs[s.Metric]; recorded {
				left = append(left, s.Metric)
			} else {
				found[s.Metric] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func rules(t *testing.T) []promrules.Rule {
	t.Helper()
	recorded, err := promrules.Read(root, promrules.RecordingPath)
	if err != nil {
		t.Fatal(err)
	}
	return append(recorded, alerts(t)...)
}

func alerts(t *testing.T) []promrules.Rule {
	t.Helper()
	found, err := promrules.Read(root, promrules.AlertsPath)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
