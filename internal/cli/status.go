package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/yaml"

	"credproxy.dev/controller/pkg/spec"
)

const defaultServer = "http://127.0.0.1:8099"

func newStatus(sys System) *cobra.Command {
	var server, output string
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Ask a running controller how its sidecars are",
		Long: `Prints every CredProxy that the controller knows, or one, with what is wrong with it and what to do. A name
that no file declares any more is listed until nothing is left of its sidecar. Files that cannot be used, and what else
keeps the controller from reading the directory, are named on stderr.

Exit code 0 if all are Ready and every file can be used, 1 if not, 3 if no controller answers.`,
		Example: `  controller status
  controller status web -o yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: verb(codeNoController, func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(cmd, &output, "table", "wide", "json", "yaml"); err != nil {
				return err
			}
			client := newClient(server)
			defer client.close()
			if len(args) == 1 {
				return statusOfOne(cmd, client, args[0], output, sys)
			}
			return statusOfAll(cmd, client, output, sys)
		}),
	}
	cmd.Flags().StringVar(&server, "server", defaultServer, "address of the controller")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table, wide, json or yaml")
	return cmd
}

func statusOfAll(cmd *cobra.Command, client *client, output string, sys System) error {
	list, err := client.list(cmd.Context())
	if err != nil {
		return err
	}
	sources, err := client.sources(cmd.Context())
	if err != nil {
		return err
	}
	err = printStatus(sys.Stdout, list, list.Items, output)
	if wrong := tellSources(sys.Stderr, sources); wrong && err == nil {
		return &exitError{codeBad, nil}
	}
	return err
}

func statusOfOne(cmd *cobra.Command, client *client, name, output string, sys System) error {
	one, err := client.one(cmd.Context(), name)
	if errors.Is(err, errNotDeclared) {
		if sources, err := client.sources(cmd.Context()); err == nil {
			tellSources(sys.Stderr, sources) // The name may be in one of those.
		}
		return &exitError{codeBad, fmt.Errorf("%s: %w%s; 'controller status' lists those that are", name, err, client.meant(cmd.Context(), name))}
	}
	if err != nil {
		return err
	}
	return printStatus(sys.Stdout, one, []spec.CredProxy{one}, output)
}

// printStatus prints the document, or the items as a table, and ends with 1 unless all of them are Ready.
func printStatus(w io.Writer, document any, items []spec.CredProxy, output string) error {
	var err error
	switch output {
	case "json":
		err = printJSON(w, document)
	case "yaml":
		var text []byte
		if text, err = yaml.Marshal(document); err == nil {
			_, err = w.Write(text)
		}
	default:
		err = printTable(w, items, output == "wide", time.Now())
	}
	if err != nil {
		return &exitError{codeBad, err}
	}
	if !allReady(items) {
		return &exitError{codeBad, nil}
	}
	return nil
}

func allReady(items []spec.CredProxy) bool {
	for _, item := range items {
		if item.Status == nil || !meta.IsStatusConditionTrue(item.Status.Conditions, spec.ConditionReady) {
			return false
		}
	}
	return true
}
