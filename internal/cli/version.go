package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/buildinfo"
)

func newVersion(sys System) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:               "version",
		Short:             "Print version, commit, Go and the API versions that are read",
		Example:           "  controller version -o json",
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations:       exits("0"),
		Args:              cobra.NoArgs,
		RunE: verb(codeBad, func(*cobra.Command, []string) error {
			info := buildinfo.Read()
			if output == "json" {
				return printJSON(sys.Stdout, info)
			}
			_, err := fmt.Fprintf(sys.Stdout, "version  %s\ncommit   %s\ngo       %s %s\napis     %s\n", info.Version,
				info.Commit, info.GoVersion, info.Platform, strings.Join(info.APIVersions, ", "))
			return err
		}),
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	choose(cmd.Flags(), "output", "text", "json")
	return cmd
}
