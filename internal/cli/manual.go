package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	// exitCodes annotates a verb with what its exit codes mean: "0 it is so; 1 it is not".
	exitCodes = "exit-codes"
	// plainUsage annotates a flag with its usage as it was before the variable was added.
	plainUsage = "plain-usage"
)

func exits(meaning string) map[string]string { return map[string]string{exitCodes: meaning} }

// Command is the command with all verbs, for whoever describes it. It cannot be run.
func Command() *cobra.Command { return newRoot(System{}) }

// ExitCodes says what the exit codes of a verb mean, as "0 it is so; 1 it is not"; empty where nobody has said so.
func ExitCodes(verb *cobra.Command) string { return verb.Annotations[exitCodes] }

// Usage is what a flag means, without the name of its variable.
func Usage(f *pflag.Flag) string {
	if plain := f.Annotations[plainUsage]; plain != nil {
		return plain[0]
	}
	return f.Usage
}

// Variable is the name of a flag's variable, such as CREDPROXY_TOKEN_ENV.
func Variable(f *pflag.Flag) string { return variable(f.Name) }

// finish adds to a verb's help what all of them have: the meaning of its exit codes, and the variables of its flags.
func finish(verb *cobra.Command) {
	if codes := ExitCodes(verb); codes != "" {
		if verb.Long == "" {
			verb.Long = verb.Short + "."
		}
		verb.Long += "\n\nExit code: " + codes
		if !strings.Contains(codes, "; 2 ") {
			verb.Long += "; 2 a command line that is wrong"
		}
		verb.Long += "."
	}
	completeFlags(verb)
	nameVariables(verb.Flags())
}
