package cli

import (
	"cmp"
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/apischema"
	"credproxy.dev/controller/internal/explain"
	"credproxy.dev/controller/pkg/spec"
)

// completionPatience is how long a shell waits for a controller before it completes without names.
const completionPatience = 500 * time.Millisecond

// completer is a function that completes an argument.
type completer func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective)

func newCompletion(sys System) *cobra.Command {
	scripts := map[string]func(*cobra.Command, io.Writer) error{
		"bash": func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"zsh":  func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) },
		"fish": func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	}
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the script by which a shell completes command lines",
		Long: `Prints the script for bash, zsh or fish. With it the shell completes verbs, flags and their values, fields to explain, files,
and the names of the specs that a running controller has: the one of --server or CREDPROXY_SERVER. One that does not answer within half a
second is left out.

  bash   needs the package bash-completion; write the script to /etc/bash_completion.d/controller,
         or to ~/.local/share/bash-completion/completions/controller
  zsh    write it to a file _controller in a directory of $fpath, such as /usr/local/share/zsh/site-functions
  fish   write it to ~/.config/fish/completions/controller.fish`,
		Example: `  source <(controller completion bash)
  controller completion zsh >_controller
  controller completion fish >controller.fish`,
		Annotations:       exits("0"),
		Args:              takes("SHELL"),
		ValidArgsFunction: first(fixed(shells...)),
		RunE: verb(codeBad, func(cmd *cobra.Command, args []string) error {
			if err := oneOf(args[0], shells...); err != nil {
				return usagef("SHELL: %w", err)
			}
			return scripts[args[0]](cmd.Root(), sys.Stdout)
		}),
	}
}

// first completes the first argument, and no other.
func first(complete completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, typed)
	}
}

// fixed completes with the same words always.
func fixed(words ...string) completer {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// specFiles completes with the names of files of specs, and of directories.
func specFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []string{"yaml", "yml", "json"}, cobra.ShellCompDirectiveFilterFileExt
}

// declared are the specs that the running controller has; none when it does not answer soon.
func declared(cmd *cobra.Command, sys System) []spec.CredProxy {
	if fromVariables(cmd.Flags(), sys.LookupEnv) != nil {
		return nil
	}
	client := newClient(cmd.Flag("server").Value.String())
	defer client.close()
	ctx, cancel := context.WithTimeout(cmd.Context(), cmp.Or(sys.Patience, completionPatience))
	defer cancel()
	list, err := client.list(ctx)
	if err != nil {
		return nil
	}
	return list.Items
}

// harmless is what no shell takes for anything but itself, quoted or not. What is offered comes from whoever answers at the address of the
// controller, and shells are not careful with it.
var harmless = regexp.MustCompile(`^[A-Za-z0-9._/@:+=,-]*$`)

// offer adds a completion, with a description if there is one.
func offer(all []cobra.Completion, text, description string) []cobra.Completion {
	switch {
	case !harmless.MatchString(text):
		return all
	case description == "" || !harmless.MatchString(description):
		return append(all, text)
	}
	return append(all, cobra.CompletionWithDesc(text, description))
}

// names completes with the names of specs that are not among the arguments yet, each with how it is.
func names(sys System) completer {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var found []cobra.Completion
		for _, one := range declared(cmd, sys) {
			ready := condition(statusOf(one), spec.ConditionReady)
			if !slices.Contains(args, one.Name) {
				found = offer(found, one.Name, ready.Reason)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// nameAndRoute completes a name, then the path of one of its routes, behind which more may follow.
func nameAndRoute(sys System) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) != 1 {
			return first(names(sys))(cmd, args, typed)
		}
		var paths []cobra.Completion
		for _, one := range declared(cmd, sys) {
			if one.Name != args[0] {
				continue
			}
			for _, route := range one.Spec.Routes {
				paths = offer(paths, strings.TrimSuffix(route.Path, "/")+"/", route.Upstream)
			}
		}
		return paths, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// references completes with the token references that specs use, as revoke takes them.
func references(sys System) completer {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var found []cobra.Completion
		for _, one := range declared(cmd, sys) {
			for _, slot := range one.Spec.Slots() {
				found = offer(found, slot.Ref.Typed(), "")
			}
		}
		slices.Sort(found)
		return slices.Compact(found), cobra.ShellCompDirectiveNoFileComp
	}
}

// fields completes the path of a field, part by part.
func fields(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	at, _, nested := cutLast(typed, ".")
	if !nested {
		var kinds []cobra.Completion
		for _, kind := range apischema.Kinds() {
			kinds = append(kinds, strings.ToLower(kind))
		}
		return kinds, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	var found []cobra.Completion
	for _, f := range explain.Below(at) {
		found = append(found, cobra.CompletionWithDesc(at+"."+f.Name, f.Schema.TypeName()))
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return "", text, false
	}
	return text[:i], text[i+len(separator):], true
}
