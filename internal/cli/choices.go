package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// choices annotates a flag with the values that it takes, for whoever checks and completes them.
const choices = "choices"

// choose says which values a flag takes.
func choose(flags *pflag.FlagSet, name string, values ...string) {
	annotate(flags.Lookup(name), choices, values...)
}

// choicesOf are the values that a flag takes; none where they are not counted.
func choicesOf(f *pflag.Flag) []string { return f.Annotations[choices] }

// checkChoices refuses values that the flags do not take. One variable may be for several verbs, which take different ones:
// where CREDPROXY_OUTPUT names a form that only others have, it counts as none.
func checkChoices(cmd *cobra.Command) (err error) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		known := choicesOf(f)
		if known == nil || err != nil {
			return
		}
		for _, value := range valuesOf(f) {
			switch {
			case slices.Contains(known, value), value == "" && f.DefValue == "":
			case f.Name == "output" && fromItsVariable(f) && slices.Contains(allForms(cmd.Root()), value):
				err = f.Value.Set(f.DefValue)
			default:
				err = usagef("%s: %w", origin(f), oneOf(value, known...))
			}
		}
	})
	return err
}

// valuesOf are those that a flag holds.
func valuesOf(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}

// allForms are the forms of output of all verbs.
func allForms(root *cobra.Command) (forms []string) {
	for _, verb := range root.Commands() {
		if f := verb.Flag("output"); f != nil {
			forms = append(forms, choicesOf(f)...)
		}
	}
	return forms
}

// directory and file say that a flag is completed with the names of directories, or of files.
func directory(flags *pflag.FlagSet, name string) {
	annotate(flags.Lookup(name), cobra.BashCompSubdirsInDir)
}

func file(flags *pflag.FlagSet, name string) {
	annotate(flags.Lookup(name), cobra.BashCompFilenameExt, "yaml", "yml", "json")
}

// completeFlags has the shell complete each flag: those of choices by these, directories and files by their names, and others by
// nothing, rather than by the names of files.
func completeFlags(verb *cobra.Command) {
	verb.Flags().VisitAll(func(f *pflag.Flag) {
		_, isDirectory := f.Annotations[cobra.BashCompSubdirsInDir]
		_, isFile := f.Annotations[cobra.BashCompFilenameExt]
		_, registered := verb.GetFlagCompletionFunc(f.Name)
		if isDirectory || isFile || registered {
			return
		}
		complete := cobra.NoFileCompletions
		if known := choicesOf(f); known != nil {
			complete = cobra.FixedCompletions(known, cobra.ShellCompDirectiveNoFileComp)
		}
		if err := verb.RegisterFlagCompletionFunc(f.Name, complete); err != nil {
			panic("cli: " + strings.TrimSpace(err.Error())) // of a flag that is not the verb's
		}
	})
}
