package cli

import (
	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/app"
)

func newRun(sys System) *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "run --specs DIR",
		Short: "Keep sidecars as the files declare them, until told to stop",
		Long: `Watches a directory of CredProxy files and an engine, and keeps one sidecar for each file's object. Ends on
SIGTERM or SIGINT after the step in hand; sidecars are left running. A second signal ends it at once.

A specs directory that is missing is an error. An engine that does not answer is not: it is waited for, and
/readyz says so.`,
		Example: `  controller run --specs ./specs --token-env CLAUDE_CODE_OAUTH_TOKEN
  controller run --specs ./specs --token-dir ./tokens --log-format json
  CREDPROXY_SPECS=./specs CREDPROXY_TOKEN_ENV='GITHUB_TOKEN,AGENT_*' controller run`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations:       exits("0 ended by a signal; 1 it cannot go on"),
		Args:              cobra.NoArgs,
		RunE: verb(codeBad, func(cmd *cobra.Command, _ []string) error {
			opts, err := s.options(cmd.Flags(), sys)
			if err != nil {
				return err
			}
			return app.Run(cmd.Context(), opts, sys.Parts)
		}),
	}
	flags := cmd.Flags()
	s.specsFlags(flags)
	s.tokenFlags(flags)
	s.missingFlag(flags)
	s.engineFlags(flags)
	s.loopFlags(flags)
	s.webFlags(flags)
	s.logFlags(flags, "info")
	return cmd
}
