package cli

import (
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/internal/doctor"
)

// diagnosis is what doctor prints for programs.
type diagnosis struct {
	Kind   string         `json:"kind"`
	Checks []doctor.Check `json:"checks"`
}

func newDoctor(sys System) *cobra.Command {
	s := settings{optionalSpecs: true}
	var output string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the engine, the directories and the machine, and say what to do",
		Long: `Looks at what run would need, with those of its flags and variables that are listed below: the engine and its version, the calls that it
allows, the networks that it has room for, its DNS, forwarding and clock, the sidecars of every instance on it, the
user, the socket, the directories, the policy, the token providers, the address of the pages and inotify's limits. It
changes nothing: calls that would are made about a container that does not exist, and no provider is called.

Exit code 0 without a failure, warnings or not; 1 with one.`,
		Example: `  controller doctor
  controller doctor --specs ./specs --token-dir ./tokens -o json`,
		Args: cobra.NoArgs,
		RunE: verb(codeBad, func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(cmd, &output, "table", "json"); err != nil {
				return err
			}
			opts, err := s.options(cmd.Flags(), sys)
			if err != nil {
				return err
			}
			return diagnose(sys.Stdout, app.Examine(cmd.Context(), opts, sys.Parts, sys.UID), output)
		}),
	}
	flags := cmd.Flags()
	flags.StringVarP(&output, "output", "o", "table", "table or json")
	s.specsFlags(flags)
	s.tokenDirFlag(flags)
	s.providersFlag(flags)
	s.policyFlag(flags)
	s.engineAddressFlags(flags)
	s.poolsFlag(flags)
	s.lockFlags(flags)
	s.listenFlags(flags)
	s.logFlags(flags, "warn")
	return cmd
}

// diagnose prints the checks, and ends with 1 if one of them failed.
func diagnose(w io.Writer, checks []doctor.Check, output string) error {
	if output == "json" {
		if err := printJSON(w, diagnosis{"Diagnosis", checks}); err != nil {
			return err
		}
	} else if err := printChecks(w, checks); err != nil {
		return err
	}
	if doctor.Failed(checks) {
		return &exitError{codeBad, nil}
	}
	return nil
}

// printChecks prints a line for each check, and one below it for what to do.
func printChecks(w io.Writer, checks []doctor.Check) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	printRow(table, []string{"CHECK", "STATUS", "FOUND"})
	for _, c := range checks {
		printRow(table, []string{c.Name, string(c.Status), c.Found})
		if c.Advice != "" {
			_, _ = io.WriteString(table, "\t\t→ "+oneLine(c.Advice)+"\n")
		}
	}
	return table.Flush()
}
