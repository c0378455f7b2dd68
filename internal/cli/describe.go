package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// shownEvents is how many events a description ends with.
const shownEvents = 10

// describe prints all that is known of items in words.
func (a *statusAsker) describe(ctx context.Context, items []spec.CredProxy) error {
	events, err := a.client.events(ctx, 0)
	if err != nil {
		return &exitError{codeNoController, err}
	}
	for i, item := range items {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		d := description{screen: a.out, now: time.Now()}
		d.item(item)
		d.events(item.Name, events.Items)
		if _, err := io.WriteString(a.out, d.b.String()); err != nil {
			return err
		}
	}
	return nil
}

// description is written in lines that fit.
type description struct {
	screen *screen
	now    time.Time
	b      strings.Builder
}

// line writes a heading and words behind it, unless there are none.
func (d *description) line(heading, format string, args ...any) {
	if words := oneLine(fmt.Sprintf(format, args...)); words != "" {
		d.b.WriteString(terminal.Hang(fmt.Sprintf("%-13s", heading+":"), words, d.screen.width()) + "\n")
	}
}

func (d *description) item(item spec.CredProxy) {
	s, status := &item.Spec, statusOf(item)
	ready := condition(status, spec.ConditionReady)
	d.line("Name", "%s", item.Name)
	d.line("Ready", "%s", strings.TrimSuffix(fmt.Sprintf("%s: %s", ready.Status, ready.Reason), ": "))
	d.line("URL", "%s", status.URL)
	if status.ContainerName != "" {
		d.line("Container", "%s (%s)", status.ContainerName, short(status.ContainerID))
	}
	if len(s.Routes) > 0 { // of a name that no file declares any more, nothing else is known
		d.line("Networks", "%s inside, %s outside", s.InternalNetwork, s.EgressNetwork)
		d.line("Image", "%s", s.Image)
		d.line("Delivery", "%s", s.TokenDelivery)
		d.line("Limits", "%s memory, %s CPUs, %d processes", s.Resources.Memory, s.Resources.CPUs, s.Resources.Pids)
		if s.CallerAuth != nil {
			d.line("Callers", "those who show the key of %s", s.CallerAuth.KeyRef)
		}
		d.routes(s.Routes, status.WithheldRoutes)
	}
	d.tokens(status.Tokens)
	d.conditions(status)
	d.planned(status.PlannedSteps)
	d.changes(status.PlannedChanges)
	if next := status.NextAttemptTime; next != nil && next.After(d.now) {
		d.line("Next try", "%s", untilThen(next.Time, d.now))
	}
	if !strings.Contains(ready.Message, status.LastError) {
		d.line("Last error", "%s", status.LastError)
	}
}

// routes says where each route leads, and of which token's reference; never a token.
func (d *description) routes(routes []spec.Route, withheld []string) {
	table := terminal.NewTable(d.screen.palette, terminal.Column{Name: "  PATH"}, terminal.Column{Name: "UPSTREAM"}, terminal.Column{Name: "CREDENTIAL"})
	for i := range routes {
		r := &routes[i]
		credential := terminal.Cell{Text: "none"}
		if r.Auth != nil {
			var refs []string
			for _, ref := range r.Refs() {
				refs = append(refs, ref.String())
			}
			credential.Text = oneLine(string(r.Auth.Scheme) + ", " + strings.Join(refs, ", "))
			if r.Auth.Header != "" { // a token is all of it
				credential.Text = oneLine(r.Auth.Header + " from " + strings.Join(refs, ", "))
			}
		}
		for _, path := range withheld {
			if path == r.Path {
				credential = terminal.Cell{Text: credential.Text + " (withheld)", Paint: terminal.Red}
			}
		}
		table.Add(terminal.Cell{Text: "  " + oneLine(r.Path)}, terminal.Cell{Text: oneLine(r.Upstream)}, credential)
	}
	d.table("Routes", table)
}

// tokens says of each reference whether there is a token, how old it is and when it ends.
func (d *description) tokens(tokens []spec.TokenStatus) {
	if len(tokens) == 0 {
		return
	}
	table := terminal.NewTable(d.screen.palette, terminal.Column{Name: "  TOKEN"}, terminal.Column{Name: "AGE"}, terminal.Column{Name: "ENDS"},
		terminal.Column{Name: "STATE"})
	for _, t := range tokens {
		state := terminal.Cell{Text: t.Reason, Paint: terminal.Green}
		if t.Reason != reconcile.ReasonResolved {
			state = terminal.Cell{Text: oneLine(strings.TrimSuffix(t.Reason+": "+t.Message, ": ")), Paint: terminal.Red}
		}
		changed, ends := "-", "-"
		if t.ChangeTime != nil {
			changed = age(t.ChangeTime.Time, d.now)
		}
		if t.ExpirationTime != nil {
			ends = untilThen(t.ExpirationTime.Time, d.now)
		}
		table.Add(terminal.Cell{Text: "  " + oneLine(t.Ref.String())}, terminal.Cell{Text: changed}, terminal.Cell{Text: ends}, state)
	}
	d.table("Tokens", table)
}

// untilThen is how far off a time is.
func untilThen(then, now time.Time) string {
	if then.Before(now) {
		return age(then, now) + " ago"
	}
	return "in " + age(now, then)
}

// planned are the steps that are still to be taken, each with its cause.
func (d *description) planned(steps []spec.PlannedStep) {
	if len(steps) == 0 {
		return
	}
	d.b.WriteString("Next steps:\n")
	for _, s := range steps {
		heading := fmt.Sprintf("  %-14s ", oneLine(s.Step))
		d.b.WriteString(terminal.Hang(heading, oneLine(fmt.Sprintf("%s (%s)", s.Target, s.Cause)), d.screen.width()) + "\n")
	}
}

// changes are what those steps make other than it is, in the colours of a plan.
func (d *description) changes(changes []spec.PlannedChange) {
	if len(changes) == 0 {
		return
	}
	d.b.WriteString("What they change:\n")
	for _, c := range changes {
		d.b.WriteString(planLine(d.screen, reconcile.PlanLine{Heading: "  " + c.Change.Sign() + " ", Text: oneLine(c.String()), Change: c.Change}))
	}
}

func (d *description) table(heading string, table *terminal.Table) {
	d.b.WriteString(heading + ":\n" + strings.Join(table.Lines(d.screen.width()), "\n") + "\n")
}

// conditions has the message of each wrapped below it.
func (d *description) conditions(status *spec.CredProxyStatus) {
	d.b.WriteString("Conditions:\n")
	if len(status.Conditions) == 0 {
		d.b.WriteString("  the controller has not looked at it yet\n")
		return
	}
	const columns = "  %-15s %s %-6s %s\n"
	fmt.Fprintf(&d.b, columns, "TYPE", "STATUS ", "AGE", "REASON")
	for _, c := range status.Conditions {
		outcome := d.screen.palette.Paint(paintOf(c.Status), fmt.Sprintf("%-7s", c.Status))
		fmt.Fprintf(&d.b, columns, c.Type, outcome, age(c.LastTransitionTime.Time, d.now), oneLine(c.Reason))
		d.below(c.Message)
	}
}

// below writes a text indented, if there is one.
func (d *description) below(text string) {
	if text = oneLine(text); text != "" {
		d.b.WriteString(terminal.Hang("    ", text, d.screen.width()) + "\n")
	}
}

// events are the last of a name, the newest last.
func (d *description) events(name string, all []reconcile.Event) {
	var own []reconcile.Event
	for _, e := range all {
		if e.Name == name {
			own = append(own, cleaned(e))
		}
	}
	if len(own) == 0 {
		d.b.WriteString("Events:      none are kept\n")
		return
	}
	d.b.WriteString("Events:\n")
	const columns = "  %-6s %s %s\n"
	fmt.Fprintf(&d.b, columns, "AGE", "TYPE   ", "REASON")
	for _, e := range own[max(0, len(own)-shownEvents):] {
		kind := d.screen.palette.Paint(paintOfEvent(e), fmt.Sprintf("%-7s", e.Type))
		fmt.Fprintf(&d.b, columns, age(e.Time, d.now), kind, e.Reason)
		d.below(messageOf(e))
	}
}
