package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// planFlags are those of plan alone.
type planFlags struct {
	output, colour             string
	exitCode, offline, resolve bool
}

func newPlan(sys System) *cobra.Command {
	var s settings
	var p planFlags
	cmd := &cobra.Command{
		Use:   "plan --specs DIR",
		Short: "Show the steps that run would take now, each with its cause, and what they change",
		Long: `Reads the files and looks at the engine, changes nothing, and prints what run would do: for each name what the steps add (+),
remove (-) and change (~), as far as the engine and the sidecar's own routing table tell what there is now, and below that the steps. The
last line counts what is made, changed and removed. Of a token its reference is shown, never its value. A reference that takes the place
of another one, where nothing else changes, is not seen, since nothing that runs tells from which reference a token came; run and apply
deliver it. Tokens are not looked for unless --resolve is given; one that --token-env, --token-dir and --token-providers do not permit is
said without it.`,
		Example: `  controller plan --specs ./specs
  controller plan --specs ./specs --resolve --token-env GITHUB_TOKEN
  controller plan --specs ./specs --offline -o json    # as if for an empty engine`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations: exits("0; 1 with --exit-code, unless the engine is as every file says: with steps to take, with anything blocked (a paused " +
			"spec excepted), with a file that has a problem; 2 the plan could not be made, or not every file could be read, as while git is " +
			"writing: it says why, and what is printed is not the whole plan"),
		Args: cobra.NoArgs,
		RunE: verb(codeUsage, func(cmd *cobra.Command, _ []string) error {
			opts, err := s.options(cmd.Flags(), sys)
			if err != nil {
				return err
			}
			opts.Prune = true
			return p.run(cmd, opts, sys)
		}),
	}
	flags := cmd.Flags()
	flags.StringVarP(&p.output, "output", "o", "text", "text or json")
	choose(flags, "output", "text", "json")
	colourFlag(flags, &p.colour)
	flags.BoolVar(&p.exitCode, "exit-code", false, "end with 1 if there are steps, if anything but a paused spec is blocked, or if a file has a problem; a token reference in another's place is not seen")
	flags.BoolVar(&p.offline, "offline", false, "ask no engine: plan as if it were empty")
	flags.BoolVar(&p.resolve, "resolve", false, "look for the tokens too, without showing them: a missing one is among the blocked; what the rules deny always is")
	s.specsFlags(flags)
	s.tokenFlags(flags)
	s.engineFlags(flags)
	s.lockFlags(flags)
	s.logFlags(flags, "warn")
	return cmd
}

func (p *planFlags) run(cmd *cobra.Command, opts app.Options, sys System) (err error) {
	pass, err := app.OpenPass(cmd.Context(), opts, sys.Parts, p.offline)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pass.Close()) }()
	tellProblems(sys.Stderr, pass)
	plan, err := pass.Plan(cmd.Context(), p.offline, p.resolve)
	if err != nil {
		return err
	}
	if err := printPlan(newScreen(sys, p.colour), plan, p.output, fmt.Sprintf("Nothing to do for instance %q.", opts.Instance)); err != nil {
		return err
	}
	if p.output == "text" && !p.resolve && needsTokens(plan) {
		fmt.Fprintln(sys.Stdout, "Tokens were not looked for; add --resolve.")
	}
	if pass.ScanErr() != nil { // which was told with the problems
		return &exitError{codeUsage, nil}
	}
	if p.exitCode && (differs(plan) || len(pass.Problems()) > 0) {
		return &exitError{codeBad, nil}
	}
	return nil
}

// differs reports whether the engine is not as it is declared. That a spec is paused is as it was asked for.
func differs(plan reconcile.Plan) bool {
	return len(plan.Items) > 0 || slices.ContainsFunc(plan.Blocked, func(b reconcile.Blocked) bool {
		return b.Reason != reconcile.ReasonPaused
	})
}

func needsTokens(plan reconcile.Plan) bool {
	return slices.ContainsFunc(plan.Items, func(i reconcile.Item) bool {
		return slices.ContainsFunc(i.Steps, func(s reconcile.Step) bool { return s.Step == reconcile.StepResolveTokens })
	})
}

// printPlan prints a plan. What idle says is printed where there is nothing to do.
func printPlan(out *screen, plan reconcile.Plan, output, idle string) error {
	if output == "json" {
		return printJSON(out, plan)
	}
	var b strings.Builder
	for _, line := range plan.Lines() {
		b.WriteString(planLine(out, line))
	}
	switch {
	case len(plan.Items) > 0:
		b.WriteString(plan.Summary() + "\n")
	case len(plan.Blocked) > 0:
		b.WriteString("No step can be taken now.\n")
	default:
		b.WriteString(idle + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// planLine is a line of a plan, in the colour of what it changes, and wrapped where its text begins.
func planLine(out *screen, line reconcile.PlanLine) string {
	text := clean(line.Text)
	if width := out.width(); width > 0 {
		text = terminal.Hang(line.Heading, text, width)
	} else {
		text = line.Heading + text
	}
	paint := paintOfChange(line.Change)
	if line.Heading == "" {
		paint = terminal.Bold
	}
	var b strings.Builder
	for part := range strings.SplitSeq(text, "\n") {
		b.WriteString(out.palette.Paint(paint, part) + "\n")
	}
	return b.String()
}

// paintOfChange is the colour in which a change is seen at a glance.
func paintOfChange(kind spec.ChangeKind) terminal.Paint {
	switch kind {
	case spec.ChangeAdd:
		return terminal.Green
	case spec.ChangeRemove:
		return terminal.Red
	case spec.ChangeModify:
		return terminal.Yellow
	}
	return 0
}

// tellProblems says what is wrong with the files; the good ones go on without them.
func tellProblems(w io.Writer, pass *app.Pass) {
	for _, problem := range pass.Problems() {
		fmt.Fprintln(w, clean(problem.String()))
	}
	if err := pass.ScanErr(); err != nil {
		fmt.Fprintln(w, clean(err.Error()))
	}
}
