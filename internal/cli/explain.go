package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/apischema"
	"credproxy.dev/controller/internal/explain"
	"credproxy.dev/controller/internal/terminal"
)

// textWidth is how wide texts are that are not printed to a terminal, and mostText the widest that is good to read.
const (
	textWidth = 80
	mostText  = 100
)

func newExplain(sys System) *cobra.Command {
	var recursive bool
	cmd := &cobra.Command{
		Use:   "explain FIELD",
		Short: "Say what a field of a file means, and what it may hold",
		Long: `Prints what a kind of file or a field of it means, its type, what it may hold, its default, whether it has to be
there, and the fields below it, as kubectl explain does. FIELD is a kind (` + strings.Join(apischema.Kinds(), ", ") + `), with the path of a field
behind it, or a path alone, which is of a CredProxy: as in a message of validate. No controller and no engine is asked.`,
		Example: `  controller explain credproxy
  controller explain credproxy.spec.routes.auth.scheme
  controller explain 'spec.routes[0].limits'
  controller explain tokenpolicy.spec.rules --recursive`,
		ValidArgsFunction: first(fields),
		Annotations:       exits("0; 2 there is no such field"),
		Args:              takes("FIELD"),
		RunE: verb(codeBad, func(_ *cobra.Command, args []string) error {
			page, err := explain.Find(args[0])
			if err != nil {
				return &usageError{err}
			}
			return page.Write(sys.Stdout, terminal.Width(sys.Stdout, mostText, textWidth), recursive)
		}),
	}
	cmd.Flags().BoolVar(&recursive, "recursive", false, "print the fields below it, and theirs, without their descriptions")
	return cmd
}
