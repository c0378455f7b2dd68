package cli

import (
	"cmp"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"credproxy.dev/controller/pkg/spec"
)

// printTable prints a line for each item. AGE is how long it has been as READY says.
func printTable(w io.Writer, items []spec.CredProxy, wide bool, now time.Time) error {
	if len(items) == 0 {
		_, err := io.WriteString(w, "No CredProxy is declared.\n")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	header := []string{"NAME", "READY", "REASON", "URL", "AGE"}
	if wide {
		header = append(header, "CONTAINER", "TOKENS", "NETWORKS", "ISOLATED", "ROUTES")
	}
	printRow(table, append(header, "MESSAGE"))
	for _, item := range items {
		printRow(table, row(item, wide, now))
	}
	return table.Flush()
}

func row(item spec.CredProxy, wide bool, now time.Time) []string {
	status := item.Status
	if status == nil {
		status = &spec.CredProxyStatus{}
	}
	ready := condition(status, spec.ConditionReady)
	age := ""
	if !ready.LastTransitionTime.IsZero() {
		age = duration.HumanDuration(now.Sub(ready.LastTransitionTime.Time))
	}
	cells := []string{item.Name, string(ready.Status), ready.Reason, status.URL, age}
	if wide {
		cells = append(cells, status.ContainerName, string(condition(status, spec.ConditionTokensResolved).Status),
			string(condition(status, spec.ConditionNetworksReady).Status),
			isolated(condition(status, spec.ConditionIsolated)), short(status.RoutesDigest))
	}
	return append(cells, message(ready, status.LastError))
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

// short is as much of a digest as people compare.
func short(digest string) string {
	_, hex, found := strings.Cut(digest, ":")
	if !found {
		hex = digest
	}
	return hex[:min(len(hex), 12)]
}

func printRow(w io.Writer, cells []string) {
	for i, cell := range cells {
		cells[i] = cmp.Or(oneLine(cell), "-")
	}
	_, _ = io.WriteString(w, strings.Join(cells, "\t")+"\n")
}

// oneLine is a text that is clean, on one line.
func oneLine(text string) string { return strings.Join(strings.Fields(clean(text)), " ") }

// clean replaces what could steer a terminal: texts may hold what a spec's author or a sidecar wrote.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, text)
}
