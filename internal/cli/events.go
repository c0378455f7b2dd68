package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/web"
	"credproxy.dev/controller/pkg/reconcile"
)

// follower prints events as they come.
type follower struct {
	client      *client
	name        string // of the spec; empty for all
	json        bool
	out, errOut io.Writer
	// last is the sequence of the last event that was seen, whosever it was; 0 before the first.
	last         int64
	lost, headed bool
}

func newEvents(sys System) *cobra.Command {
	var server, output string
	var follow bool
	cmd := &cobra.Command{
		Use:   "events [NAME]",
		Short: "Ask a running controller what it did and refused, and why",
		Long: `Prints the last events of all sidecars, or of one, newest last. With --watch it goes on with new ones until it is
interrupted, and over a restart of the controller. The controller keeps the last 1,000 events in memory.

Exit code 0, or 3 if no controller answers.`,
		Example: `  controller events web
  controller events -w -o json | jq -r 'select(.type == "Warning") | .message'`,
		Args: cobra.MaximumNArgs(1),
		RunE: verb(codeNoController, func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(cmd, &output, "table", "json"); err != nil {
				return err
			}
			f := &follower{
				client: newClient(server), name: strings.Join(args, ""), json: output == "json",
				out: sys.Stdout, errOut: sys.Stderr,
			}
			defer f.client.close()
			if follow {
				return f.follow(cmd.Context())
			}
			return f.printAll(cmd.Context())
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&server, "server", defaultServer, "address of the controller")
	flags.StringVarP(&output, "output", "o", "table", "table or json; with --watch, json is one object a line")
	flags.BoolVarP(&follow, "watch", "w", false, "go on with new events until interrupted")
	return cmd
}

// printAll prints what there is.
func (f *follower) printAll(ctx context.Context) error {
	list, err := f.ask(ctx)
	switch {
	case err != nil:
		return err
	case f.json:
		return printJSON(f.out, list)
	case len(list.Items) == 0:
		_, err = io.WriteString(f.out, "No event is kept.\n")
		return err
	}
	return f.print(list.Items)
}

// follow prints what there is and what comes, until ctx ends. A controller that does not answer at the start is an
// error; one that is lost later may be restarting, and is waited for.
func (f *follower) follow(ctx context.Context) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for first := true; ; first = false {
		list, err := f.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case isUsage(err), first && err != nil:
			return err
		}
		f.tellLoss(err)
		if err := f.print(list.Items); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// ask returns the events of the name after the last one that was seen. Where some between the two are not kept any more,
// it says so.
func (f *follower) ask(ctx context.Context) (web.EventList, error) {
	list, err := f.client.events(ctx, f.last)
	if err != nil || len(list.Items) == 0 {
		return list, err
	}
	if f.last != 0 && list.Items[0].Sequence != f.last+1 {
		fmt.Fprintln(f.errOut, "controller: some events may be missing here: the controller was restarted, or did more "+
			"at once than it keeps")
	}
	f.last = list.Items[len(list.Items)-1].Sequence
	kept := list.Items[:0]
	for _, e := range list.Items {
		if f.name == "" || e.Name == f.name {
			kept = append(kept, cleaned(e))
		}
	}
	list.Items = kept
	return list, nil
}

// tellLoss says once that the controller does not answer.
func (f *follower) tellLoss(err error) {
	if err != nil && !f.lost {
		fmt.Fprintf(f.errOut, "controller: %v; it is asked again until it answers\n", err)
	}
	f.lost = err != nil
}

// print prints a line for each event, in columns that stay as they are, since nobody knows what comes next.
func (f *follower) print(events []reconcile.Event) (err error) {
	for _, e := range events {
		if f.json {
			err = json.NewEncoder(f.out).Encode(e)
		} else {
			err = f.printLine(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) printLine(e reconcile.Event) error {
	const columns = "%-19s  %-16s  %-7s  %-17s  %s\n"
	if !f.headed {
		f.headed = true
		if _, err := fmt.Fprintf(f.out, columns, "TIME", "NAME", "TYPE", "REASON", "MESSAGE (CAUSE)"); err != nil {
			return err
		}
	}
	if e.Cause != "" {
		e.Message += " (" + e.Cause + ")"
	}
	_, err := fmt.Fprintf(f.out, columns, e.Time.Local().Format(time.DateTime), e.Name, e.Type, e.Reason, e.Message)
	return err
}

// cleaned is an event of which each text is one line that steers no terminal.
func cleaned(e reconcile.Event) reconcile.Event {
	for _, text := range []*string{&e.Name, &e.Type, &e.Reason, &e.Message, &e.Cause} {
		*text = oneLine(*text)
	}
	return e
}
