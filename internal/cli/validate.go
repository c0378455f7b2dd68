package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/pkg/source"
)

func newValidate(sys System) *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "validate PATH...",
		Short: "Say everything that is wrong with files and directories of specs",
		Long: `Reads files, and directories with their directories, by the rules of run, and prints every problem as
file:line: field: message. It needs no engine and looks for no token, so that it can be the check in CI. Give the
paths of one controller together: a name that two files declare is a problem of both, and so are two specs that cannot
be in force together. With --policy give the directory that is --specs: what the policy does not permit is a problem too.`,
		Example: `  controller validate ./specs
  controller validate web.yaml api.yaml`,
		ValidArgsFunction: specFiles,
		Annotations:       exits("0 all are good; 1 one is bad or cannot be read"),
		Args:              cobra.MinimumNArgs(1),
		RunE: verb(codeBad, func(cmd *cobra.Command, paths []string) error {
			opts, err := s.options(cmd.Flags(), sys)
			if err != nil {
				return err
			}
			snap, err := app.Validate(paths, opts)
			if err != nil {
				return err
			}
			return validate(&screen{Writer: sys.Stdout}, snap)
		}),
	}
	s.fileFlags(cmd.Flags())
	s.policyFlag(cmd.Flags())
	s.logFormat, s.logLevel = "text", "warn"
	return cmd
}

func validate(out *screen, snap source.Snapshot) error {
	var bad, problems int
	for _, file := range snap.Files {
		for _, problem := range file.Errors {
			problem.File = file.Path
			fmt.Fprintln(out, out.wrapped(clean(problem.String())))
		}
		problems += len(file.Errors)
		if len(file.Errors) > 0 {
			bad++
		} else {
			fmt.Fprintln(out, out.wrapped(clean(file.Path)+": good"))
		}
	}
	for _, path := range snap.Ignored {
		fmt.Fprintln(out, out.wrapped(clean(path)+": is not read: write the end of its name in small letters if it should be"))
	}
	if len(snap.Files) == 0 {
		fmt.Fprintln(out, "no file that ends in .yaml, .yml or .json there, so none that is bad")
		return nil
	}
	if bad > 0 {
		return fmt.Errorf("%s in %d of %s", count(problems, "problem"), bad, count(len(snap.Files), "file"))
	}
	fmt.Fprintf(out, "%s, all good\n", count(len(snap.Files), "file"))
	return nil
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
