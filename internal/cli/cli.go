package cli

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/app"
)

// System is what the command line gets from the operating system. Tests hand in their own.
type System struct {
	Stdout, Stderr io.Writer
	LookupEnv      func(string) (string, bool)
	// UID is the user's; 0 is root.
	UID int
	// Parts are what the verbs work with; the zero value is the real thing.
	Parts app.Parts
	// Listening, when set, is called with the address of run's pages.
	Listening func(net.Addr)
}

// Run runs one command line, without the program's name, until it is done or ctx ends, and returns its exit code.
func Run(ctx context.Context, args []string, sys System) int {
	root := newRoot(sys)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	return report(sys.Stderr, cmd, err)
}

func newRoot(sys System) *cobra.Command {
	root := &cobra.Command{
		Use:   "controller VERB",
		Short: "Keeps the credential-proxy sidecars of agent environments as declared",
		Long: `The controller keeps one credential-proxy sidecar for each CredProxy file in a directory: drop a file, and
the sidecar appears; edit it, and the sidecar follows; delete it, and the sidecar is gone. Agents dial the sidecar,
which alone holds their tokens.

Every flag can also be set by a variable, which is named in brackets behind it; a flag that is given wins.`,
		Example: `  controller validate ./specs           # is every file good?
  controller plan --specs ./specs       # what would be done?
  controller run --specs ./specs        # do it, and keep it so
  controller wait web && start-my-agent`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("there is no verb %q", args[0])
			}
			return usagef("a verb is missing: run, apply, validate, plan, status, events, wait, env, try, doctor or version")
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return fromVariables(cmd.Flags(), sys.LookupEnv) },
	}
	root.SetOut(sys.Stdout)
	root.SetErr(sys.Stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newRun(sys), newApply(sys), newValidate(sys), newPlan(sys), newStatus(sys), newEvents(sys),
		newWait(sys), newEnv(sys), newRevoke(sys), newTry(sys), newDoctor(sys), newExplain(sys), newSchema(sys),
		newVersion(sys))
	for _, verb := range root.Commands() {
		nameVariables(verb.Flags())
	}
	return root
}

// report tells people what went wrong and returns the exit code.
func report(stderr io.Writer, cmd *cobra.Command, err error) int {
	code, err := codeOf(err)
	if err != nil {
		fmt.Fprintf(stderr, "controller: %v\n", err)
	}
	if code == codeUsage && isUsage(err) {
		fmt.Fprintf(stderr, "Run '%s --help' for what can be given.\n", cmd.CommandPath())
	}
	return code
}
