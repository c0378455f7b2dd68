package generated

import (
	"cmp"
	"fmt"
	"strings"

	"credproxy.dev/controller/internal/promrules"
)

// alertPage is docs/alerts.md with the table of all alerts.
func alertPage(root string) (File, error) {
	alerts, err := promrules.Read(root, promrules.AlertsPath)
	if err != nil {
		return File{}, err
	}
	var b strings.Builder
	b.WriteString("| alert | severity | after |\n|---|---|---|\n")
	for _, alert := range alerts {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", alert.Alert, strings.ToLower(alert.Alert), alert.Labels["severity"], cmp.Or(alert.For, "at once"))
	}
	return fill(root, "docs/alerts.md", map[string]string{"alerts": b.String()})
}
