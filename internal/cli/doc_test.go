package cli

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagRow is a line of a table of flags: name, default, verbs, meaning.
var flagRow = regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| (\\S+) \\| ([^|]+) \\|")

// docs/cli.md lists every flag of every verb with its default, and no other.
func TestThePageOfTheCommandIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, row := range flagRow.FindAllStringSubmatch(string(page), -1) {
		for verb := range strings.FieldsSeq(row[3]) {
			told = append(told, strings.Trim(verb, "`")+" --"+row[1]+" "+strings.Trim(row[2], "`"))
		}
	}
	var real []string
	for _, verb := range verbsOf(newRoot(System{})) {
		if !strings.Contains(string(page), "| `"+verb.Name()+" ") && !strings.Contains(string(page), "| `"+verb.Name()+"` ") {
			t.Errorf("the verb %s is not described", verb.Name())
		}
		verb.Flags().VisitAll(func(f *pflag.Flag) {
			real = append(real, verb.Name()+" --"+f.Name+" "+shownDefault(f))
		})
	}
	slices.Sort(told)
	slices.Sort(real)
	if diff := gocmp.Diff(real, told); diff != "" {
		t.Errorf("flags (-in the command, +in docs/cli.md):\n%s", diff)
	}
}

func verbsOf(root *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == "help" || c.Name() == "completion" })
}

// shownDefault is how the page writes a default: 10m for 10m0s, and a dash for none.
func shownDefault(f *pflag.Flag) string {
	if d, err := time.ParseDuration(f.DefValue); err == nil && d > 0 && f.Value.Type() == "duration" {
		return regexp.MustCompile(`^(\d+m)0s$`).ReplaceAllString(d.String(), "$1")
	}
	if f.DefValue == "" || f.DefValue == "[]" || f.DefValue == "0s" {
		return "–"
	}
	return f.DefValue
}
