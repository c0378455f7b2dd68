package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

func newApply(sys System) *cobra.Command {
	var s settings
	var colour string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "apply --specs DIR",
		Short: "Make sidecars as the files declare them, once",
		Long: `One pass of what run does: prints the plan, takes its steps, prints every sidecar's status, and ends. On a terminal it shows
meanwhile how far each name has got, elsewhere it prints a line for each step. Tokens are delivered anew, since no plan can tell whether
they have changed: these steps are shown as they are taken. Sidecars that no file declares are removed only
with --prune, which also says that an empty directory, or many removals at once, are meant. It may be used beside a run with the
same --state-dir: the two take turns at each name.`,
		Example: `  controller apply --specs ./specs --token-env 'AGENT_*'
  controller apply --specs ./specs --prune --timeout 5m`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations:       exits("0 every sidecar is Ready and every file good; 1 not"),
		Args:              cobra.NoArgs,
		RunE: verb(codeBad, func(cmd *cobra.Command, _ []string) error {
			out := newScreen(sys, colour)
			shown := newProgress(out)
			sys.Stderr = shown.beside(sys.Stderr)
			opts, err := s.options(cmd.Flags(), sys)
			if err == nil {
				err = checkTimeout(cmd, timeout)
			}
			if err != nil {
				return err
			}
			opts.Deliberate, opts.Progress = opts.Prune, shown.take
			ctx, cancel := context.WithTimeoutCause(cmd.Context(), timeout,
				fmt.Errorf("not done within --timeout %v", timeout))
			defer cancel()
			return apply(ctx, opts, sys, out, shown)
		}),
	}
	flags := cmd.Flags()
	flags.BoolVar(&s.Prune, "prune", false, "remove sidecars that no file declares")
	flags.DurationVar(&timeout, "timeout", 2*time.Minute, "longest time for the whole pass")
	colourFlag(flags, &colour)
	s.specsFlags(flags)
	s.tokenFlags(flags)
	s.missingFlag(flags)
	s.engineFlags(flags)
	s.lockFlags(flags)
	s.logFlags(flags, "warn")
	return cmd
}

func apply(ctx context.Context, opts app.Options, sys System, out *screen, shown *progress) (err error) {
	pass, err := app.OpenPass(ctx, opts, sys.Parts, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pass.Close()) }()
	tellProblems(sys.Stderr, pass)
	plan, err := pass.Plan(ctx, false, false)
	if err != nil {
		return withCause(ctx, err)
	}
	if err := printPlan(out, plan, "text", idleWords(opts.Instance, pass.Snapshot)); err != nil {
		return err
	}
	shown.begin(plan)
	passErr := withCause(ctx, pass.Once(ctx))
	shown.end()
	list := pass.List()
	fmt.Fprintln(out)
	if err := printTable(out, list, false, time.Now()); err != nil {
		return err
	}
	if passErr != nil {
		return passErr
	}
	if !allReady(list) || len(pass.Problems()) > 0 || pass.ScanErr() != nil {
		return &exitError{codeBad, nil}
	}
	return nil
}

// idleWords are those of a pass whose plan has no steps. It delivers tokens even so: they may have changed, and no plan knows of that.
func idleWords(instance string, files source.Snapshot) string {
	words := fmt.Sprintf("Nothing to do for instance %q", instance)
	for _, object := range files.Specs {
		if s := &object.CredProxy.Spec; s.TokenDelivery != spec.DeliverEnv && len(s.Slots()) > 0 {
			return words + " but to deliver tokens anew, which may have changed."
		}
	}
	return words + "."
}

// withCause says that the time was over, if that is why err happened.
func withCause(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("%w: %w", context.Cause(ctx), err)
}
