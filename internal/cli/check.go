package cli

import (
	"errors"
	"fmt"
	"net"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"credproxy.dev/controller/pkg/nearest"
)

// check refuses values that cannot work, naming the flag, or the variable, that holds them.
func (s *settings) check(flags *pflag.FlagSet) error {
	for _, c := range []struct {
		flag string
		err  error
	}{
		{"specs", s.givenSpecs()},
		{"hostname", words(validation.IsDNS1123Label(s.Spec.Hostname))},
		{"port", words(validation.IsValidPortNum(int(s.Spec.Port)))},
		{"instance", instance(s.Instance)},
		{"name-prefix", prefix(s.NamePrefix)},
		{"workers", atLeastOne(s.Workers)},
		{"resync", positive(s.Resync)},
		{"deep-resync", positive(s.DeepResync)},
		{"call-timeout", positive(s.CallTimeout)},
		{"ready-timeout", positive(s.ReadyTimeout)},
		{"drain-timeout", positive(s.DrainTimeout)},
		{"token-env", patterns(s.TokenEnv)},
		{"listen", address(s.Listen)},
	} {
		if f := flags.Lookup(c.flag); f != nil && c.err != nil {
			return usagef("%s: %w", origin(f), c.err)
		}
	}
	return nil
}

func (s *settings) givenSpecs() error {
	if s.Specs == "" && !s.optionalSpecs {
		return errors.New("say which directory holds the CredProxy files")
	}
	return nil
}

func words(problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(problems, "; "))
}

func instance(name string) error {
	if name == "" {
		return errors.New("an instance needs a name; leave the flag out for \"default\"")
	}
	return words(validation.IsValidLabelValue(name))
}

// legalPrefix is what the engine accepts as the beginning of a container's name.
var legalPrefix = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$`)

func prefix(p string) error {
	if !legalPrefix.MatchString(p) {
		return fmt.Errorf("%q cannot begin a container's name: use 1 to 63 letters, digits, '_', '.' and '-', "+
			"a letter or digit first", p)
	}
	return nil
}

func atLeastOne(n int) error {
	if n < 1 {
		return fmt.Errorf("%d is too few; at least 1 is needed", n)
	}
	return nil
}

func positive(d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%v is not a time to wait; give one such as 30s", d)
	}
	return nil
}

func patterns(globs []string) error {
	for _, glob := range globs {
		// The value is not repeated: someone may have given the token in place of its variable's name.
		if _, err := path.Match(glob, ""); err != nil || glob == "" || strings.ContainsAny(glob, "/=") {
			return errors.New("each value is the name of a variable, such as GITHUB_TOKEN, or a pattern, such as 'AGENT_*'")
		}
	}
	return nil
}

func address(listen string) error {
	if _, _, err := net.SplitHostPort(listen); err != nil {
		return fmt.Errorf("%q is not an address such as 127.0.0.1:8099", listen)
	}
	return nil
}

func oneOf(value string, known ...string) error {
	if slices.Contains(known, value) {
		return nil
	}
	if len(known) > mostListed {
		return fmt.Errorf("%q is none of those that there are%s", value, nearest.Hint(value, known))
	}
	return fmt.Errorf("%q is not one of %s%s", value, strings.Join(known, ", "), nearest.Hint(value, known))
}

// mostListed is how many values a message lists.
const mostListed = 12

// takes wants these arguments, and names the one that is missing.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usagef("%s is missing: %s %s", names[len(args)], cmd.CommandPath(), strings.Join(names, " "))
		case len(args) > len(names):
			return usagef("%q is one argument too many: %s %s", args[len(names)], cmd.CommandPath(), strings.Join(names, " "))
		}
		return nil
	}
}

// mayTake wants at most one argument.
func mayTake(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usagef("%q is one argument too many: %s [%s]", args[1], cmd.CommandPath(), name)
		}
		return nil
	}
}

func checkTimeout(cmd *cobra.Command, timeout time.Duration) error {
	if err := positive(timeout); err != nil {
		return usagef("%s: %w", origin(cmd.Flag("timeout")), err)
	}
	return nil
}
