package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/internal/doctor"
	"credproxy.dev/controller/internal/terminal"
)

// diagnosis is what doctor prints for programs.
type diagnosis struct {
	Kind   string         `json:"kind"`
	Checks []doctor.Check `json:"checks"`
}

func newDoctor(sys System) *cobra.Command {
	s := settings{optionalSpecs: true}
	var output, colour string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the engine, the directories and the machine, and say what to do",
		Long: `Looks at what run would need, with those of its flags and variables that are listed below: the engine and its version, the calls that it
allows, the networks that it has room for, its DNS, forwarding and clock, the sidecars of every instance on it, the
user, the socket, the directories, the policy, the token providers, the address of the pages and inotify's limits. It
changes nothing: calls that would are made about a container that does not exist, and no provider is called.`,
		Example: `  controller doctor
  controller doctor --specs ./specs --token-dir ./tokens -o json`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations:       exits("0 no failure, warnings or not; 1 a failure"),
		Args:              cobra.NoArgs,
		RunE: verb(codeBad, func(cmd *cobra.Command, _ []string) error {
			opts, err := s.options(cmd.Flags(), sys)
			if err != nil {
				return err
			}
			out := newScreen(sys, colour)
			return diagnose(out, app.Examine(cmd.Context(), opts, sys.Parts, sys.UID), output)
		}),
	}
	flags := cmd.Flags()
	flags.StringVarP(&output, "output", "o", "table", "table or json")
	choose(flags, "output", "table", "json")
	colourFlag(flags, &colour)
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
func diagnose(s *screen, checks []doctor.Check, output string) error {
	if output == "json" {
		if err := printJSON(s, diagnosis{"Diagnosis", checks}); err != nil {
			return err
		}
	} else if err := printChecks(s, checks); err != nil {
		return err
	}
	if doctor.Failed(checks) {
		return &exitError{codeBad, nil}
	}
	return nil
}

// printChecks prints a line for each check, and one below it for what to do; on a terminal they are wrapped where they begin.
func printChecks(s *screen, checks []doctor.Check) error {
	name, status := len("CHECK"), len("STATUS")
	for _, c := range checks {
		name, status = max(name, len(c.Name)), max(status, len(c.Status))
	}
	var b strings.Builder
	line := func(check, outcome string, paint terminal.Paint, found string) {
		heading := fmt.Sprintf("%-*s   %-*s   ", name, check, status, outcome)
		text := terminal.Hang(heading, oneLine(found), s.width())
		b.WriteString(strings.Replace(text, " "+outcome+" ", " "+s.palette.Paint(paint, outcome)+" ", 1) + "\n")
	}
	line("CHECK", "STATUS", 0, "FOUND")
	for _, c := range checks {
		line(c.Name, string(c.Status), paintOfCheck(c.Status), c.Found)
		if c.Advice != "" {
			line("", "", 0, "→ "+c.Advice)
		}
	}
	_, err := io.WriteString(s, b.String())
	return err
}

func paintOfCheck(status doctor.Status) terminal.Paint {
	switch status {
	case doctor.OK:
		return terminal.Green
	case doctor.Failure:
		return terminal.Red
	}
	return terminal.Yellow
}
