package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/internal/web"
	"credproxy.dev/controller/pkg/reconcile"
)

// follower prints events as they come.
type follower struct {
	client *client
	filter eventFilter
	json   bool
	out    *screen
	errOut io.Writer
	// last is the sequence of the last event that was seen, whosever it was; 0 before the first.
	last         int64
	lost, headed bool
}

func newEvents(sys System) *cobra.Command {
	var server, output, colour string
	var follow bool
	var filter eventFilter
	cmd := &cobra.Command{
		Use:   "events [NAME]",
		Short: "Ask a running controller what it did and refused, and why",
		Long: `Prints the last events of all sidecars, or of one, newest last. With --watch it goes on with new ones until it is
interrupted, and over a restart of the controller. The controller keeps the last 1,000 events in memory.`,
		Example: `  controller events web
  controller events --type Warning --since 1h
  controller events -w -o json | jq -r 'select(.type == "Warning") | .message'`,
		ValidArgsFunction: first(names(sys)),
		Annotations:       exits("0, also when it is interrupted; 3 no controller answers"),
		Args:              mayTake("NAME"),
		RunE: verb(codeNoController, func(cmd *cobra.Command, args []string) error {
			if err := filter.check(cmd, args); err != nil {
				return err
			}
			out := newScreen(sys, colour)
			f := &follower{client: newClient(server), filter: filter, json: output == "json", out: out, errOut: sys.Stderr}
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
	choose(flags, "output", "table", "json")
	flags.BoolVarP(&follow, "watch", "w", false, "go on with new events until interrupted")
	filter.flags(flags)
	colourFlag(flags, &colour)
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
		f.tellUnknown(ctx)
		_, err = io.WriteString(f.out, "No event is kept"+f.filter.words()+".\n")
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
		if first && len(list.Items) == 0 {
			f.tellUnknown(ctx)
		}
		f.tellLoss(err)
		if err := f.print(list.Items); err != nil {
			return err
		}
		f.out.lookForReader()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// ask returns the events that are wanted after the last one that was seen. Where some between the two are not kept any more,
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
		if f.filter.takes(e) {
			kept = append(kept, cleaned(e))
		}
	}
	list.Items = kept
	return list, nil
}

// tellUnknown says that no file declares the name, where there are no events of it: it may be mistyped.
func (f *follower) tellUnknown(ctx context.Context) {
	if f.filter.name == "" {
		return
	}
	if _, err := f.client.one(ctx, f.filter.name); errors.Is(err, errNotDeclared) {
		fmt.Fprintf(f.errOut, "controller: %v\n", f.client.notDeclared(ctx, f.filter.name))
	}
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
			err = printJSONLine(f.out, e)
		} else {
			err = f.printLine(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// printLine prints an event in columns, or on a narrow terminal its message below them; wrapped where it begins.
func (f *follower) printLine(e reconcile.Event) error {
	const columns = "%-19s  %-16s  %s  %-17s  "
	title, message := "MESSAGE (CAUSE)", messageOf(e)
	width := f.out.width()
	if !f.headed {
		f.headed = true
		heading := fmt.Sprintf(columns, "TIME", "NAME", "TYPE   ", "REASON")
		if _, err := fmt.Fprintln(f.out, terminal.Cut(heading+title, cmp.Or(width, maxWidth))); err != nil {
			return err
		}
	}
	kind := fmt.Sprintf("%-7s", e.Type)
	heading := fmt.Sprintf(columns, e.Time.Local().Format(time.DateTime), e.Name, kind, e.Reason)
	text := hang(heading, message, width)
	_, err := fmt.Fprintln(f.out, strings.Replace(text, kind, f.out.palette.Paint(paintOfEvent(e), kind), 1))
	return err
}

// messageOf is what an event says, with its cause.
func messageOf(e reconcile.Event) string {
	if e.Cause == "" {
		return e.Message
	}
	return e.Message + " (" + e.Cause + ")"
}

// paintOfEvent is the colour of what deserves a look.
func paintOfEvent(e reconcile.Event) terminal.Paint {
	if e.Type == "Warning" {
		return terminal.Yellow
	}
	return 0
}

// cleaned is an event of which each text is one line that steers no terminal.
func cleaned(e reconcile.Event) reconcile.Event {
	for _, text := range []*string{&e.Name, &e.Type, &e.Reason, &e.Message, &e.Cause} {
		*text = oneLine(*text)
	}
	return e
}
