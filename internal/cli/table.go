package cli

import (
	"cmp"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/pkg/spec"
)

// noSpec is said in place of a table without rows.
const noSpec = "No CredProxy is declared."

// printTable prints a line for each item. A terminal that is too narrow for all columns does without some of them, but not when the wide
// table was asked for.
func printTable(s *screen, items []spec.CredProxy, wide bool, now time.Time) error {
	if len(items) == 0 {
		_, err := io.WriteString(s, noSpec+"\n")
		return err
	}
	width := s.width()
	if wide {
		width = 0
	}
	return statusTable(s.palette, items, wide, now).Write(s, width)
}

// statusTable has a row for each item. AGE is how long it has been as READY says.
func statusTable(palette terminal.Palette, items []spec.CredProxy, wide bool, now time.Time) *terminal.Table {
	columns := []terminal.Column{{Name: "NAME"}, {Name: "READY"}, {Name: "REASON"}, {Name: "URL", Leaves: 3}, {Name: "AGE", Leaves: 2}}
	if wide {
		for _, name := range []string{"CONTAINER", "TOKENS", "NETWORKS", "ISOLATED", "ROUTES"} {
			columns = append(columns, terminal.Column{Name: name})
		}
	}
	table := terminal.NewTable(palette, append(columns, terminal.Column{Name: "MESSAGE", Leaves: 1})...)
	for _, item := range items {
		cells := row(item, wide, now)
		cells[1].Paint = paintOf(metav1.ConditionStatus(cells[1].Text))
		table.Add(cells...)
	}
	return table
}

// paintOf is the colour in which a condition's status is seen at a glance.
func paintOf(status metav1.ConditionStatus) terminal.Paint {
	switch status {
	case metav1.ConditionTrue:
		return terminal.Green
	case metav1.ConditionFalse:
		return terminal.Red
	}
	return terminal.Yellow
}

func row(item spec.CredProxy, wide bool, now time.Time) []terminal.Cell {
	status := statusOf(item)
	ready := condition(status, spec.ConditionReady)
	cells := []string{item.Name, string(ready.Status), ready.Reason, status.URL, age(ready.LastTransitionTime.Time, now)}
	if wide {
		cells = append(cells, status.ContainerName, string(condition(status, spec.ConditionTokensResolved).Status),
			string(condition(status, spec.ConditionNetworksReady).Status),
			isolated(condition(status, spec.ConditionIsolated)), short(status.RoutesDigest))
	}
	return cellsOf(append(cells, message(ready, status.LastError))...)
}

// cellsOf makes cells of texts, a dash of one that is empty.
func cellsOf(texts ...string) []terminal.Cell {
	cells := make([]terminal.Cell, len(texts))
	for i, text := range texts {
		cells[i].Text = cmp.Or(oneLine(text), "-")
	}
	return cells
}

// statusOf is an item's status, which is empty where it has none yet.
func statusOf(item spec.CredProxy) *spec.CredProxyStatus {
	if item.Status == nil {
		return &spec.CredProxyStatus{}
	}
	return item.Status
}

// age is the time since then as people say it; empty when there is no then.
func age(then, now time.Time) string {
	if then.IsZero() {
		return ""
	}
	return duration.HumanDuration(now.Sub(then))
}

// isolated is whether an environment is, and the first reason why not.
func isolated(c metav1.Condition) string {
	if c.Status == metav1.ConditionFalse {
		return oneLine(string(c.Status) + " (" + c.Reason + ")")
	}
	return string(c.Status)
}

func condition(status *spec.CredProxyStatus, kind string) metav1.Condition {
	if c := meta.FindStatusCondition(status.Conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{Status: metav1.ConditionUnknown}
}

// message is the condition's, and the last error where that says more.
func message(ready metav1.Condition, lastError string) string {
	if lastError == "" || strings.Contains(ready.Message, lastError) {
		return ready.Message
	}
	if ready.Message == "" {
		return lastError
	}
	return ready.Message + "; " + lastError
}

// short is as much of a digest, or of an ID, as people compare, and the docker command shows.
func short(digest string) string {
	_, hex, found := strings.Cut(digest, ":")
	if !found {
		hex = digest
	}
	return hex[:min(len(hex), 12)]
}

// oneLine is a text that is clean, on one line.
func oneLine(text string) string { return strings.Join(strings.Fields(clean(text)), " ") }

// clean replaces what could steer a terminal: texts may hold what a spec's author or a sidecar wrote.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && !spec.IsPrintable(r) {
			return '�'
		}
		return r
	}, text)
}
