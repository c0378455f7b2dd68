package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/pkg/nearest"
)

// System is what the command line gets from the operating system. Tests hand in their own.
type System struct {
	Stdout, Stderr io.Writer
	LookupEnv      func(string) (string, bool)
	// UID is the user's; 0 is root.
	UID int
	// Parts are what the verbs work with; the zero value is the real thing.
	Parts app.Parts
	// Patience is how long a shell that completes a line waits for a controller; half a second when zero.
	Patience time.Duration
	// Listening, when set, is called with the address of run's pages.
	Listening func(net.Addr)
}

// Run runs one command line, without the program's name, until it is done or ctx ends, and returns its exit code. When nobody reads
// any more what it prints, it ends as if it were interrupted, and says nothing of it.
func Run(ctx context.Context, args []string, sys System) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pipe := terminal.NewPipe(sys.Stdout, func() { cancel(terminal.ErrClosed) })
	sys.Stdout = pipe
	root := newRoot(sys)
	root.SetArgs(append([]string{}, args...)) // cobra takes nil for the arguments of the program
	cmd, err := root.ExecuteContextC(ctx)
	if pipe.Closed() {
		return codeClosedPipe
	}
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
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noVerb(cmd, args[0])
			}
			return usagef("a verb is missing: %s", strings.Join(verbs(cmd), ", "))
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromVariables(cmd.Flags(), sys.LookupEnv); err != nil {
				return err
			}
			return checkChoices(cmd)
		},
	}
	root.SetOut(sys.Stdout)
	root.SetErr(sys.Stderr)
	root.SetFlagErrorFunc(nearestFlag)
	root.CompletionOptions.DisableDefaultCmd = true
	addGroup(root, "sidecars", "Sidecars as files declare them:", newRun(sys), newApply(sys), newPlan(sys), newValidate(sys))
	addGroup(root, "running", "A running controller:", newStatus(sys), newEvents(sys), newLogs(sys), newWait(sys), newEnv(sys),
		newTry(sys), newRevoke(sys))
	addGroup(root, "help", "Help:", newDoctor(sys), newExplain(sys), newSchema(sys), newCompletion(sys),
		newVersion(sys))
	root.SetHelpCommandGroupID("help")
	for _, verb := range root.Commands() {
		finish(verb)
	}
	askedForHelp(root)
	fitHelp(root, sys.Stdout)
	return root
}

// addGroup adds verbs that are listed together.
func addGroup(root *cobra.Command, id, title string, verbs ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: id, Title: title})
	for _, verb := range verbs {
		verb.GroupID = id
	}
	root.AddCommand(verbs...)
}

// askedForHelp has the verb help refuse what is no verb, and the help name the form of a command line once.
func askedForHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	help, _, err := root.Find([]string{"help"})
	if err != nil {
		panic("cli: " + err.Error()) // cobra has just made it
	}
	help.Run, help.RunE = nil, func(_ *cobra.Command, args []string) error {
		topic, _, err := root.Find(args)
		if err != nil || len(args) > 0 && topic == root {
			return noVerb(root, args[0])
		}
		topic.InitDefaultHelpFlag()
		return topic.Help()
	}
	root.DisableFlagsInUseLine = true
	root.SetUsageTemplate(strings.NewReplacer(
		"{{if .HasAvailableSubCommands}}\n  {{.CommandPath}} [command]{{end}}", "",
		`[command] --help" for more information about a command.`, `VERB --help" for more about a verb.`,
	).Replace(root.UsageTemplate()))
}

func noVerb(root *cobra.Command, name string) error {
	return usagef("there is no verb %q%s", name, nearest.Hint(name, verbs(root)))
}

// verbs are the names of what can be done.
func verbs(root *cobra.Command) []string {
	var names []string
	for _, verb := range root.Commands() {
		if verb.IsAvailableCommand() {
			names = append(names, verb.Name())
		}
	}
	return names
}

// nearestFlag adds to an error about a flag that does not exist which one is nearest, and puts into words what is no length of time.
func nearestFlag(cmd *cobra.Command, err error) error {
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) && bad.GetFlag().Value.Type() == "duration" {
		return fmt.Errorf("--%s: %w", bad.GetFlag().Name, unfit(bad.GetFlag(), bad.GetValue(), err))
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if name := nearest.Name(unknown.GetSpecifiedName(), names); name != "" {
		return fmt.Errorf("%w; do you mean --%s?", err, name)
	}
	return err
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
