package generated

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"credproxy.dev/controller/internal/apigen"
	"credproxy.dev/controller/internal/cli"
)

// flagGroups are the tables of flags in docs/cli.md, each in the order of its rows. What is in none of them is of one verb, or of a few.
func flagGroups() map[string][]string {
	return map[string][]string{
		"files":  {"specs", "hostname", "port", "allow-custom-images"},
		"tokens": {"policy", "token-env", "token-dir", "ca-dir", "on-missing-token", "token-providers"},
		"engine": {"docker-host", "instance", "name-prefix", "image", "require-isolation", "upgrade-sidecars", "network-pool", "workers",
			"call-timeout", "ready-timeout", "drain-timeout"},
		"loop": {"resync", "deep-resync", "state-dir", "listen", "allowed-hosts", "allow-remote-api", "log-format", "log-level"},
	}
}

// commandFiles is docs/cli.md.
func commandFiles(root string) ([]File, error) {
	parts, err := commandParts()
	if err != nil {
		return nil, err
	}
	return one(fill(root, "docs/cli.md", parts))
}

// commandParts are the tables of docs/cli.md.
func commandParts() (map[string]string, error) {
	verbs := verbsOf(cli.Command())
	parts := map[string]string{"examples": examples(verbs)}
	var err error
	if parts["verbs"], err = verbTable(verbs); err != nil {
		return nil, err
	}
	grouped := map[string]bool{}
	for group, names := range flagGroups() {
		var rows []flagRow
		for _, name := range names {
			grouped[name] = true
			found := rowsOf(verbs, func(f *pflag.Flag) bool { return f.Name == name })
			if len(found) == 0 {
				return nil, fmt.Errorf("the table of flags %q has --%s, which no verb has", group, name)
			}
			rows = append(rows, found...)
		}
		parts["flags, "+group] = flagTable(rows)
	}
	parts["flags, others"] = flagTable(rowsOf(verbs, func(f *pflag.Flag) bool { return !grouped[f.Name] }))
	return parts, nil
}

// verbsOf are the verbs that people use, by the groups of the help.
func verbsOf(root *cobra.Command) []*cobra.Command {
	verbs := slices.DeleteFunc(slices.Clone(root.Commands()), func(c *cobra.Command) bool { return !c.IsAvailableCommand() || c.Name() == "help" })
	group := func(c *cobra.Command) int {
		return slices.IndexFunc(root.Groups(), func(g *cobra.Group) bool { return g.ID == c.GroupID })
	}
	slices.SortStableFunc(verbs, func(a, b *cobra.Command) int { return group(a) - group(b) })
	return verbs
}

func verbTable(verbs []*cobra.Command) (string, error) {
	var b strings.Builder
	b.WriteString("| verb | does | exit code |\n|---|---|---|\n")
	for _, verb := range verbs {
		codes := cli.ExitCodes(verb)
		if codes == "" {
			return "", fmt.Errorf("the verb %s does not say what its exit codes mean", verb.Name())
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", verb.Use, apigen.Escape(verb.Short), apigen.Escape(codes))
	}
	return b.String(), nil
}

// examples are those of all verbs, as their help has them.
func examples(verbs []*cobra.Command) string {
	var b strings.Builder
	// The comment is for test/docs: each is an example for itself, so that they are not run one after the other.
	b.WriteString("<!-- checked by: TestEveryExampleOfTheHelpRuns -->\n```sh\n")
	for i, verb := range verbs {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "# %s\n", verb.Short)
		for line := range strings.Lines(verb.Example + "\n") {
			b.WriteString(strings.TrimPrefix(line, "  "))
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// flagRow is a flag of verbs that mean the same by it.
type flagRow struct {
	name, byDefault, usage string
	verbs                  []string
}

// rowsOf are those of the flags that are wanted, in the order of the verbs that have them.
func rowsOf(verbs []*cobra.Command, wanted func(*pflag.Flag) bool) []flagRow {
	var rows []flagRow
	for _, verb := range verbs {
		verb.Flags().VisitAll(func(f *pflag.Flag) {
			if !wanted(f) || f.Name == "help" {
				return
			}
			row := flagRow{name: f.Name, byDefault: shownDefault(f), usage: cli.Usage(f)}
			if f.Shorthand != "" {
				row.usage = "also `-" + f.Shorthand + "`: " + row.usage
			}
			i := slices.IndexFunc(rows, func(r flagRow) bool {
				return r.name == row.name && r.byDefault == row.byDefault && r.usage == row.usage
			})
			if i < 0 {
				rows, i = append(rows, row), len(rows)
			}
			rows[i].verbs = append(rows[i].verbs, "`"+verb.Name()+"`")
		})
	}
	return rows
}

func flagTable(rows []flagRow) string {
	var b strings.Builder
	b.WriteString("| flag | default | verbs | meaning |\n|---|---|---|---|\n")
	for _, row := range rows {
		byDefault := row.byDefault
		if byDefault != "–" {
			byDefault = "`" + byDefault + "`"
		}
		fmt.Fprintf(&b, "| `--%s` | %s | %s | %s |\n", row.name, byDefault, strings.Join(row.verbs, " "), apigen.Escape(row.usage))
	}
	return b.String()
}

// shownDefault writes 10m for 10m0s, and a dash for none.
func shownDefault(f *pflag.Flag) string {
	if d, err := time.ParseDuration(f.DefValue); err == nil && f.Value.Type() == "duration" {
		if d == 0 {
			return "–"
		}
		return regexp.MustCompile(`^(\d+m)0s$`).ReplaceAllString(d.String(), "$1")
	}
	if f.DefValue == "" || f.DefValue == "[]" {
		return "–"
	}
	return f.DefValue
}
