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
		Use:         "version",
		Short:       "Print version, commit, Go and the API versions that are read",
		Example:     "  controller version -o json",
		Annotations: exits("0"),
		Args:        cobra.NoArgs,
		RunE: verb(codeBad, func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(cmd, &output, "text", "json"); err != nil {
				return err
			}
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
	return cmd
}
