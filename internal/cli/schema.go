package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/apischema"
	"credproxy.dev/controller/pkg/spec"
)

func newSchema(sys System) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [KIND]",
		Short: "Print the JSON Schema of a kind of file, for editors",
		Long: `Prints the JSON Schema (draft 7) of CredProxy, or of another kind: ` + strings.Join(apischema.Kinds(), ", ") + `. It is made from the types that the
controller reads files into. Editors with the YAML language server complete and check a file whose first line is

  # yaml-language-server: $schema=PATH-OF-THE-SCHEMA`,
		Example: `  controller schema >credproxy.schema.json
  controller schema TokenPolicy`,
		ValidArgsFunction: first(fixed(apischema.Kinds()...)),
		Annotations:       exits("0; 2 there is no such kind"),
		Args:              mayTake("KIND"),
		RunE: verb(codeBad, func(_ *cobra.Command, args []string) error {
			kind, err := apischema.KindOf(strings.Join(append(args, spec.Kind)[:1], ""))
			if err != nil {
				return &usageError{err}
			}
			text, err := apischema.Text(kind)
			if err != nil {
				return err
			}
			_, err = sys.Stdout.Write(text)
			return err
		}),
	}
}
