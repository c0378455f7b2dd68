package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// tryFlags are those of try alone.
type tryFlags struct {
	server, method, keyEnv, output string
	timeout                        time.Duration
}

func newTry(sys System) *cobra.Command {
	var s settings
	var t tryFlags
	cmd := &cobra.Command{
		Use:   "try NAME PATH",
		Short: "Make one request to a sidecar as its agent would, and say how far it got",
		Long: `Asks a running controller for the spec, and has a throw-away container on the environment's internal network make
one request without a body to its sidecar. Prints the route that matched, whether a credential was added, and the
upstream's status, or where the request stopped: on the way to the sidecar, at the sidecar, or on the way to the upstream
(dns, connect, tls, timeout). The answer's body is not printed. The credential is really used: choose a path and a method
that do no harm.`,
		Example: `  controller try web /anthropic/v1/models
  controller try web /git/info/refs -X HEAD -o json`,
		ValidArgsFunction: nameAndRoute(sys),
		Annotations:       exits("0 the upstream answered, whatever it said; 1 the request stopped before; 3 no controller answers"),
		Args:              takes("NAME", "PATH"),
		RunE: verb(codeBad, func(cmd *cobra.Command, args []string) error {
			opts, err := s.options(cmd.Flags(), sys)
			if err == nil {
				err = t.check(cmd, args[1])
			}
			if err != nil {
				return err
			}
			return t.run(cmd.Context(), opts, args[0], args[1], sys)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&t.server, "server", defaultServer, "address of the controller")
	flags.StringVarP(&t.method, "method", "X", http.MethodGet, "method of the request")
	flags.StringVar(&t.keyEnv, "key-env", "", "variable that holds the key to show to the sidecar, in the header that the spec's callerAuth names or "+routetable.FieldKey+"; never on a command line")
	flags.DurationVar(&t.timeout, "timeout", 30*time.Second, "longest time for all of it")
	flags.StringVarP(&t.output, "output", "o", "text", "text or json")
	choose(flags, "output", "text", "json")
	s.engineAddressFlags(flags)
	s.imageFlag(flags)
	s.logFlags(flags, "warn")
	return cmd
}

func (t *tryFlags) check(cmd *cobra.Command, path string) error {
	if err := checkTimeout(cmd, t.timeout); err != nil {
		return err
	}
	if !regexp.MustCompile(`^[A-Za-z]{1,32}$`).MatchString(t.method) {
		return usagef("%s: %q is not a method such as GET", origin(cmd.Flag("method")), t.method)
	}
	if _, err := url.Parse("http://sidecar" + path); err != nil || !strings.HasPrefix(path, "/") {
		return usagef("PATH begins with a route, such as /anthropic/v1/models; %q does not", path)
	}
	return nil
}

func (t *tryFlags) run(ctx context.Context, opts app.Options, name, path string, sys System) error {
	key, err := t.key(sys)
	if err != nil {
		return err
	}
	one, err := t.declared(ctx, name)
	if err != nil {
		return err
	}
	why := unready(one)
	if why != "" {
		fmt.Fprintf(sys.Stderr, "%s is not Ready: %s\n", name, why)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.timeout, fmt.Errorf("not done within --timeout %v", t.timeout))
	defer cancel()
	request := reconcile.TryRequest{Network: one.Spec.InternalNetwork, Method: t.method, URL: urlOf(one) + path, Key: key}
	if asked := one.Spec.CallerAuth; asked != nil && key != nil {
		request.KeyHeader = asked.Header
	}
	trial, err := app.Try(ctx, opts, sys.Parts, request)
	if err != nil {
		return withCause(ctx, err)
	}
	answer := trialOf(name, why, request, trial)
	if err := answer.print(sys.Stdout, t.output); err != nil {
		return err
	}
	if answer.Result != resultAnswered {
		return &exitError{codeBad, nil}
	}
	return nil
}

// key is what the variable holds; nil when none was named.
func (t *tryFlags) key(sys System) (*reconcile.Token, error) {
	if t.keyEnv == "" {
		return nil, nil //nolint:nilnil // no key is wanted
	}
	value, _ := sys.LookupEnv(t.keyEnv)
	if err := routetable.CheckToken(value); value == "" || err != nil {
		return nil, usagef("--key-env: the variable %q does not hold a key: one line, without control characters", t.keyEnv)
	}
	key := reconcile.NewToken(value)
	return &key, nil
}

// declared asks the controller for the spec.
func (t *tryFlags) declared(ctx context.Context, name string) (spec.CredProxy, error) {
	client := newClient(t.server)
	defer client.close()
	return client.declared(ctx, name)
}

// unready says why a sidecar is not Ready; empty when it is.
func unready(one spec.CredProxy) string {
	status := cmp.Or(one.Status, &spec.CredProxyStatus{})
	if meta.IsStatusConditionTrue(status.Conditions, spec.ConditionReady) {
		return ""
	}
	return because(condition(status, spec.ConditionReady), status.LastError).Error()
}

// urlOf is what the agent dials.
func urlOf(one spec.CredProxy) string {
	if one.Status != nil && one.Status.URL != "" {
		return one.Status.URL
	}
	return fmt.Sprintf("http://%s:%d", one.Spec.Hostname, one.Spec.Port)
}
