package cli

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/internal/buildinfo"
)

func newVersion(sys System) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print version, commit, Go, the API versions that are read, and the sidecar's image",
		Long: `Prints version, commit, Go, the API versions that are read, and the name of the image that this controller builds for
its sidecars, on an engine of its own architecture. -o image prints that name alone, for scripts.`,
		Example: `  controller version -o json
  docker rmi $(controller version -o image)`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Annotations:       exits("0"),
		Args:              cobra.NoArgs,
		RunE: verb(codeBad, func(*cobra.Command, []string) error {
			image, err := app.SidecarImage(runtime.GOARCH)
			if output == "image" {
				if err == nil {
					_, err = fmt.Fprintln(sys.Stdout, image)
				}
				return err
			}
			return printVersion(sys.Stdout, output, versions{buildinfo.Read(), image})
		}),
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text, json, or image for its name alone")
	choose(cmd.Flags(), "output", "text", "json", "image")
	return cmd
}

// versions is what the verb prints.
type versions struct {
	buildinfo.Info
	// Image is what this controller builds for its sidecars; empty when it was built without them.
	Image string `json:"image,omitempty"`
}

func printVersion(w io.Writer, output string, v versions) error {
	if output == "json" {
		return printJSON(w, v)
	}
	_, err := fmt.Fprintf(w, "version  %s\ncommit   %s\ngo       %s %s\napis     %s\nimage    %s\n", v.Version, v.Commit, v.GoVersion,
		v.Platform, strings.Join(v.APIVersions, ", "), cmp.Or(v.Image, "none: it carries no sidecar"))
	return err
}
