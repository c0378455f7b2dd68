package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/pkg/spec"
	"credproxy.dev/controller/pkg/wiring"
)

// envFlags are those of env alone.
type envFlags struct{ server, output, service string }

func newEnv(sys System) *cobra.Command {
	var s settings
	var e envFlags
	cmd := &cobra.Command{
		Use:   "env NAME",
		Short: "Print what an agent's container needs so that its clients ask the sidecar",
		Long: `Prints the settings of the agent's clients, by the roles of the spec's routes: base URLs, registries, git's rewriting
of URLs; the network for the container; and placeholders where a client refuses to start without a key. No token is in it. What a
person has to know besides is on stderr, and in comments where the form has them.

Asks a running controller, or with --specs reads a directory: then no controller is needed.`,
		Example: `  docker run $(controller env web -o docker) my-agent
  controller env web -o compose >wiring.yaml && docker compose -f compose.yaml -f wiring.yaml up
  controller env web -o npmrc >agent-home/.npmrc
  controller env web --specs ./specs -o dotenv      # without a controller`,
		ValidArgsFunction: first(names(sys)),
		Annotations:       exits("0; 1 NAME is not declared, or no route has the role of which the form is; 3 no controller answers"),
		Args:              takes("NAME"),
		RunE: verb(codeBad, func(cmd *cobra.Command, args []string) error {
			if err := e.check(cmd); err != nil {
				return err
			}
			if _, err := s.options(cmd.Flags(), sys); err != nil {
				return err
			}
			one, err := e.specOf(cmd.Context(), &s, args[0])
			if err != nil {
				return err
			}
			return e.print(one, sys)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&e.server, "server", defaultServer, "address of the controller")
	flags.StringVarP(&e.output, "output", "o", string(wiring.Dotenv), strings.Join(formats(), ", "))
	choose(flags, "output", formats()...)
	flags.StringVar(&e.service, "service", "agent", "name of the agent's service, for compose")
	s.specsFlags(flags)
	s.optionalSpecs, s.logFormat, s.logLevel = true, "text", "warn"
	return cmd
}

func formats() (words []string) {
	for _, f := range wiring.Formats() {
		words = append(words, string(f))
	}
	return words
}

func (e *envFlags) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed("specs") && cmd.Flags().Changed("server") {
		return usagef("--specs reads a directory, and --server asks a controller; give one of them")
	}
	if !composeService.MatchString(e.service) {
		return usagef("%s: %q is not the name of a service: letters, digits, '_', '.' and '-'", origin(cmd.Flag("service")), e.service)
	}
	return nil
}

// composeService is what the specification of compose files takes for the name of a service.
var composeService = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// specOf is the spec in force, or with --specs the one in the directory.
func (e *envFlags) specOf(ctx context.Context, s *settings, name string) (*spec.CredProxy, error) {
	if s.Specs != "" {
		return app.SpecOf(s.Specs, name, s.Spec)
	}
	client := newClient(e.server)
	defer client.close()
	one, err := client.declared(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case one.Name != name:
		return nil, &exitError{codeNoController, fmt.Errorf("what answers at %s is not a controller: it was asked for another name", client.server)}
	case len(one.Spec.Routes) == 0:
		return nil, fmt.Errorf("%s has no spec that could be used: %s", name, unready(one))
	}
	// A shell may take what is printed for a command line, and who answers may have taken the controller's place.
	if err := spec.Check(&one); err != nil {
		return nil, &exitError{codeNoController, fmt.Errorf("what answers at %s is not a controller of this version: its spec is wrong: %s",
			client.server, oneLine(err.Error()))}
	}
	return &one, nil
}

func (e *envFlags) print(one *spec.CredProxy, sys System) error {
	document, err := wiring.Of(one).Render(wiring.Format(e.output), e.service)
	if err != nil {
		return err
	}
	for _, note := range document.Notes {
		fmt.Fprintf(sys.Stderr, "note: %s\n", clean(note))
	}
	if wiring.Format(e.output) == wiring.JSON {
		document.Text = escapeUnprintable(document.Text)
	}
	_, err = io.WriteString(sys.Stdout, document.Text)
	return err
}

// declared asks for one spec. What it fails with has its exit code, and the name that was meant by one that is not declared.
func (c *client) declared(ctx context.Context, name string) (spec.CredProxy, error) {
	one, err := c.one(ctx, name)
	switch {
	case errors.Is(err, errNotDeclared):
		return one, &exitError{codeBad, c.notDeclared(ctx, name)}
	case err != nil && !isUsage(err):
		return one, &exitError{codeNoController, err}
	}
	return one, err
}
