package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"

	"credproxy.dev/controller/pkg/nearest"
	"credproxy.dev/controller/pkg/spec"
)

const defaultServer = "http://127.0.0.1:8099"

// Forms of output of status. outDescribe is how one is shown unless another form is asked for.
const (
	outTable    = "table"
	outWide     = "wide"
	outDescribe = "describe"
	outJSON     = "json"
	outYAML     = "yaml"
)

// statusFlags are those of status.
type statusFlags struct {
	server, output, colour string
	watch                  bool
}

func newStatus(sys System) *cobra.Command {
	var s statusFlags
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Ask a running controller how its sidecars are",
		Long: `Prints every CredProxy that the controller knows, a line each, or describes one: what it declares, its conditions and
their ages, what is wrong and what to do, and its last events. A name that no file declares any more is listed until nothing is left
of its sidecar. Files that cannot be used, and what else keeps the controller from reading the directory, are named on stderr.

On a terminal, columns that do not fit are left out and messages cut off; -o wide, a wider terminal or a pipe shows all. With --watch it
goes on until it is interrupted, and over a restart of the controller: on a terminal the table is kept up to date, elsewhere what changed
is printed as further lines.`,
		Example: `  controller status
  controller status web
  controller status web -o yaml
  controller status -w`,
		ValidArgsFunction: first(names(sys)),
		Annotations: exits("0 all are Ready and no file is bad but one whose last good version is in force, or a watch was interrupted; 1 not, or NAME is not declared; " +
			"3 no controller answers"),
		Args: mayTake("NAME"),
		RunE: verb(codeNoController, func(cmd *cobra.Command, args []string) error {
			out := newScreen(sys, s.colour)
			asker := &statusAsker{
				client: newClient(s.server), name: strings.Join(args, ""), output: s.output, out: out, errOut: sys.Stderr,
			}
			if !cmd.Flag("output").Changed && asker.name != "" && !s.watch && s.output == outTable {
				asker.output = outDescribe
			}
			defer asker.client.close()
			if s.watch {
				return asker.watch(cmd.Context())
			}
			return asker.once(cmd.Context())
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&s.server, "server", defaultServer, "address of the controller")
	flags.StringVarP(&s.output, "output", "o", outTable, "table, wide, describe (unless told otherwise that of one), json or yaml")
	choose(flags, "output", outTable, outWide, outDescribe, outJSON, outYAML)
	flags.BoolVarP(&s.watch, "watch", "w", false, "go on with what changes until interrupted; with json, one object a line")
	colourFlag(flags, &s.colour)
	return cmd
}

// once prints the status of all, or of one.
func (a *statusAsker) once(ctx context.Context) error {
	if a.name != "" {
		return a.statusOfOne(ctx)
	}
	list, err := a.client.list(ctx)
	if err != nil {
		return err
	}
	sources, err := a.client.sources(ctx)
	if err != nil {
		return err
	}
	err = a.print(ctx, list, list.Items)
	if wrong := tellSources(a.errOut, sources); wrong && err == nil {
		return &exitError{codeBad, nil}
	}
	return err
}

func (a *statusAsker) statusOfOne(ctx context.Context) error {
	one, err := a.client.one(ctx, a.name)
	if errors.Is(err, errNotDeclared) {
		if sources, err := a.client.sources(ctx); err == nil {
			tellSources(a.errOut, sources) // The name may be in one of those.
		}
		return &exitError{codeBad, a.client.notDeclared(ctx, a.name)}
	}
	if err != nil {
		return err
	}
	return a.print(ctx, one, []spec.CredProxy{one})
}

// notDeclared says that no file declares a name, and which is the nearest that one does.
func (c *client) notDeclared(ctx context.Context, name string) error {
	var names []string
	if list, err := c.list(ctx); err == nil {
		for _, one := range list.Items {
			names = append(names, one.Name)
		}
	}
	hint := nearest.Hint(name, names)
	return fmt.Errorf("%s: %w%s 'controller status' lists those that are declared, and 'controller validate' says whether a file is good",
		clean(name), errNotDeclared, cmp.Or(hint, ";"))
}

// print prints the document, or the items in a form for people, and ends with 1 unless all of them are Ready.
func (a *statusAsker) print(ctx context.Context, document any, items []spec.CredProxy) error {
	var exit *exitError
	if err := a.write(ctx, document, items); err != nil && !errors.As(err, &exit) {
		return &exitError{codeBad, err}
	} else if err != nil {
		return err
	}
	if !allReady(items) {
		return &exitError{codeBad, nil}
	}
	return nil
}

func (a *statusAsker) write(ctx context.Context, document any, items []spec.CredProxy) error {
	switch a.output {
	case outJSON:
		return printJSON(a.out, document)
	case outYAML:
		return printYAML(a.out, document)
	case outDescribe:
		return a.describe(ctx, items)
	}
	return printTable(a.out, items, a.output == outWide, time.Now())
}

func allReady(items []spec.CredProxy) bool {
	for _, item := range items {
		if item.Status == nil || !meta.IsStatusConditionTrue(item.Status.Conditions, spec.ConditionReady) {
			return false
		}
	}
	return true
}
