package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// fromVariable marks a flag whose value came from its variable.
const fromVariable = "from-variable"

// variable is the name of a flag's variable, such as CREDPROXY_TOKEN_ENV.
func variable(flag string) string {
	return "CREDPROXY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// nameVariables adds the variable's name to each flag's help.
func nameVariables(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		annotate(f, plainUsage, f.Usage)
		f.Usage += " [" + variable(f.Name) + "]"
	})
}

// fromVariables sets each flag that was not given from its variable, if that is set and not empty.
func fromVariables(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		value, ok := lookup(variable(f.Name))
		if f.Changed || !ok || value == "" || f.Name == "help" || failed != nil {
			return
		}
		if err := f.Value.Set(value); err != nil {
			failed = usagef("%s: %w", variable(f.Name), unfit(f, value, err))
		}
		annotate(f, fromVariable, "true")
	})
	return failed
}

// unfit says of a value why its flag cannot take it.
func unfit(f *pflag.Flag, value string, err error) error {
	if f.Value.Type() == "duration" {
		return fmt.Errorf("%q is not a length of time; give one such as 30s, 10m or 1h30m", value)
	}
	return fmt.Errorf("%q is not a value for --%s: %w", value, f.Name, err)
}

// annotate notes something about a flag.
func annotate(f *pflag.Flag, key string, values ...string) {
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[key] = append([]string{}, values...)
}

func fromItsVariable(f *pflag.Flag) bool { return f.Annotations[fromVariable] != nil }

// origin is how people know the flag that holds a value: by its name, or by the variable that set it.
func origin(f *pflag.Flag) string {
	if fromItsVariable(f) {
		return variable(f.Name)
	}
	return "--" + f.Name
}
