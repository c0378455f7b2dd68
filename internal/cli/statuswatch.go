package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/internal/web"
	"credproxy.dev/controller/pkg/spec"
)

// watchInterval is how often status is asked for again: the whole list is an answer of some size.
const watchInterval = time.Second

// statusAsker prints what a controller says of its sidecars.
type statusAsker struct {
	client *client
	name   string // of the one that is asked for; empty for all
	output string
	out    *screen
	errOut io.Writer
}

// fleet is what a controller answered; err says that none did.
type fleet struct {
	items []spec.CredProxy
	files web.SourceList
	err   error
}

// watch goes on with what changes until ctx ends. A controller that does not answer at the start is an error; one that is lost later may
// be restarting, and is waited for.
func (a *statusAsker) watch(ctx context.Context) error {
	if err := oneOf(a.output, outTable, outWide, outJSON); err != nil {
		return usagef("--output with --watch: %w", err)
	}
	show := a.appended()
	if _, _, ok := terminal.Size(a.out); ok && a.output != outJSON {
		show = a.table()
	}
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for first := true; ; first = false {
		now := a.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case isUsage(now.err), first && now.err != nil:
			return now.err
		}
		if err := show(now); err != nil {
			return err
		}
		a.out.lookForReader()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// ask asks for all, or for the one that is meant; there is none while no file declares that.
func (a *statusAsker) ask(ctx context.Context) (now fleet) {
	if a.name != "" {
		one, err := a.client.one(ctx, a.name)
		if !errors.Is(err, errNotDeclared) {
			now.items, now.err = []spec.CredProxy{one}, err
		}
		return now
	}
	list, err := a.client.list(ctx)
	if err != nil {
		return fleet{err: err}
	}
	now.items = list.Items
	now.files, now.err = a.client.sources(ctx)
	return now
}

// shower shows what was answered, or that nobody answers now.
type shower func(fleet) error

// table keeps a table up to date on a terminal. Where not all rows fit, those that are not Ready are shown first.
func (a *statusAsker) table() shower {
	live := terminal.NewLive(a.out)
	var last fleet
	return func(now fleet) error {
		if now.err == nil {
			last = now
		}
		width, height, _ := terminal.Size(a.out)
		lines, footer, paint := []string{noSpec}, footerOf(last), terminal.Paint(0)
		if len(last.items) > 0 {
			room := max(1, height-3) // but for the header, the footer and the cursor
			lines = statusTable(a.out.palette, worstFirst(last.items, room), a.output == outWide, time.Now()).Lines(width)
			if more := len(last.items) - room; more > 0 {
				lines, footer = lines[:room+1], fmt.Sprintf("and %d more; %s", more, footer)
			}
		}
		if now.err != nil {
			footer, paint = "the controller does not answer; it is asked again until it does", terminal.Red
		}
		return live.Draw(append(lines, a.out.palette.Paint(paint, terminal.Cut(footer, width))))
	}
}

// worstFirst are the items in their order, or those that are not Ready before the others where there is no room for all.
func worstFirst(items []spec.CredProxy, room int) []spec.CredProxy {
	if len(items) <= room {
		return items
	}
	sorted := slices.Clone(items)
	slices.SortStableFunc(sorted, func(a, b spec.CredProxy) int {
		switch {
		case isReady(a) == isReady(b):
			return 0
		case isReady(b):
			return -1
		}
		return 1
	})
	return sorted
}

func isReady(item spec.CredProxy) bool {
	return condition(statusOf(item), spec.ConditionReady).Status == metav1.ConditionTrue
}

// footerOf counts.
func footerOf(f fleet) string {
	ready := 0
	for _, item := range f.items {
		if isReady(item) {
			ready++
		}
	}
	footer := fmt.Sprintf("%d of %d Ready", ready, len(f.items))
	if n := len(unusable(f.files)); n > 0 {
		footer += fmt.Sprintf("; %s cannot be used ('controller status' says why)", count(n, "file"))
	}
	if f.files.ScanError != "" {
		footer += "; not every file could be read"
	}
	return footer
}

// appended prints a line for each item, and again for each that has changed. What is not there any more is told once.
func (a *statusAsker) appended() shower {
	told := map[string]*spec.CredProxyStatus{}
	lost, headed, files := false, false, ""
	var widths []int
	return func(now fleet) error {
		if now.err != nil {
			if !lost {
				fmt.Fprintf(a.errOut, "controller: %v; it is asked again until it answers\n", now.err)
			}
			lost = true
			return nil
		}
		lost = false
		var wrong strings.Builder
		if tellSources(&wrong, now.files); wrong.String() != files {
			files = wrong.String()
			fmt.Fprint(a.errOut, files)
		}
		all, changed := a.changed(now.items, told)
		if a.output == outJSON {
			return printLines(a.out, all, changed)
		}
		table := statusTable(a.out.palette, all, a.output == outWide, time.Now())
		widths = table.Widen(widths)
		lines := table.Lines(0)
		if !headed && len(all) > 0 {
			headed = true
			fmt.Fprintln(a.out, lines[0])
		}
		return a.printChanged(lines[1:], changed)
	}
}

func (a *statusAsker) printChanged(lines []string, changed []bool) error {
	for i, line := range lines {
		if !changed[i] {
			continue
		}
		if _, err := fmt.Fprintln(a.out, line); err != nil {
			return err
		}
	}
	return nil
}

// changed are the items, and those that were told before and are not there any more, as deleted; and which of them are not as they were
// told last.
func (a *statusAsker) changed(items []spec.CredProxy, told map[string]*spec.CredProxyStatus) (all []spec.CredProxy, changed []bool) {
	there := map[string]bool{}
	for _, item := range items {
		before, known := told[item.Name]
		now := standing(item)
		all, changed = append(all, item), append(changed, !known || !reflect.DeepEqual(before, now))
		there[item.Name], told[item.Name] = true, now
	}
	for _, name := range slices.Sorted(maps.Keys(told)) {
		if there[name] {
			continue
		}
		delete(told, name)
		gone := spec.CredProxy{}
		gone.Name = name
		gone.Status = &spec.CredProxyStatus{Conditions: []metav1.Condition{{
			Type: spec.ConditionReady, Status: metav1.ConditionFalse, Reason: forDeleted, Message: "nothing is left of it",
		}}}
		all, changed = append(all, gone), append(changed, true)
	}
	return all, changed
}

// standing is a status without what changes with each request and each attempt.
func standing(item spec.CredProxy) *spec.CredProxyStatus {
	status := *statusOf(item)
	status.Traffic, status.NextAttemptTime = nil, nil
	return &status
}

// printLines prints those that changed, one object a line.
func printLines(w io.Writer, items []spec.CredProxy, changed []bool) error {
	for i, item := range items {
		if !changed[i] {
			continue
		}
		if err := printJSONLine(w, item); err != nil {
			return err
		}
	}
	return nil
}
