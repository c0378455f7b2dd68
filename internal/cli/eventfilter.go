package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"credproxy.dev/controller/pkg/reconcile"
)

// eventFilter is which events are wanted.
type eventFilter struct {
	name    string // of the spec; empty for all
	reasons []string
	kind    string
	since   time.Duration
	// after is since as a time; zero for all.
	after time.Time
}

func (e *eventFilter) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&e.reasons, "reason", nil, "only events with this reason; repeat it, or separate by commas")
	choose(f, "reason", reconcile.EventReasons()...)
	f.StringVar(&e.kind, "type", "", "only events of this type: Normal or Warning; all if empty")
	choose(f, "type", "Normal", "Warning")
	f.DurationVar(&e.since, "since", 0, "only events that are not older than this, such as 10m; all if 0")
}

// check reads the command line.
func (e *eventFilter) check(cmd *cobra.Command, args []string) error {
	e.name = strings.Join(args, "")
	if e.since < 0 {
		return usagef("%s: %v is not a time in the past; give one such as 10m", origin(cmd.Flag("since")), e.since)
	}
	if e.since > 0 {
		e.after = time.Now().Add(-e.since)
	}
	return nil
}

func (e *eventFilter) takes(event reconcile.Event) bool {
	return (e.name == "" || event.Name == e.name) && (len(e.reasons) == 0 || slices.Contains(e.reasons, event.Reason)) &&
		(e.kind == "" || event.Type == e.kind) && !event.Time.Before(e.after)
}

// words says of what no event is kept; empty where all were wanted.
func (e *eventFilter) words() string {
	if e.name == "" && len(e.reasons) == 0 && e.kind == "" && e.since == 0 {
		return ""
	}
	return " that is asked for"
}
