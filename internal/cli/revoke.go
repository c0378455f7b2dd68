package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"credproxy.dev/controller/internal/revocation"
	"credproxy.dev/controller/pkg/nearest"
	"credproxy.dev/controller/pkg/spec"
)

// revoker takes tokens away, or lets them be used again.
type revoker struct {
	client     *client
	dir        string
	instance   string
	list       revocation.List
	undo       bool
	timeout    time.Duration
	stdout     io.Writer
	stderr     io.Writer
	showsAlone bool
}

func newRevoke(sys System) *cobra.Command {
	var s settings
	var r revoker
	var server string
	var tokens []string
	cmd := &cobra.Command{
		Use:   "revoke [NAME…] [--token REF]…",
		Short: "Take tokens away from running sidecars, now",
		Long: `Notes that specs, or tokens wherever they are used, are revoked, and waits until the running controller has taken
them out of the sidecars: their routes answer 503, what is in flight on them is cut off, and the specs stay. That lasts
until it is undone with --undo, over restarts of controller and machine. Use the --state-dir and --instance of the
controller. A reference is written env:NAME, file:PATH or provider:NAME:KEY. --undo does not wait: 'controller wait
NAME' returns once the tokens are back.

What no spec has to do with, as when it is mistyped, is noted all the same, with a warning and exit code 1.

To be safe from a token that is known to others, revoke it where it was issued as well.`,
		Example: `  controller revoke web
  controller revoke --token env:GITHUB_TOKEN
  controller revoke --undo web
  controller revoke --list`,
		ValidArgsFunction: names(sys),
		Annotations: exits("0 no sidecar has them any more, or with --undo and --list; 1 the time is over, or no spec has to do with one of them, as when it is " +
			"mistyped: it is noted; 3 no controller answers: it is noted, and " +
			"counts as soon as one runs"),
		RunE: verb(codeBad, func(cmd *cobra.Command, args []string) error {
			dir, err := stateDir(s.StateDir, sys)
			if err == nil {
				err = cmp.Or(s.check(cmd.Flags()), checkTimeout(cmd, r.timeout))
			}
			if err == nil {
				r.list, err = whatToRevoke(args, tokens)
			}
			if err != nil {
				return err
			}
			r.dir, r.instance, r.stdout, r.stderr = dir, s.Instance, sys.Stdout, sys.Stderr
			r.client = newClient(server)
			defer r.client.close()
			return r.do(cmd.Context())
		}),
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&tokens, "token", nil, "reference of a token to revoke wherever it is used: env:NAME, file:PATH or provider:NAME:KEY; several")
	if err := cmd.RegisterFlagCompletionFunc("token", references(sys)); err != nil {
		panic("cli: " + err.Error()) // there is such a flag
	}
	flags.BoolVar(&r.undo, "undo", false, "let them be used again")
	flags.BoolVar(&r.showsAlone, "list", false, "only print what is revoked")
	flags.StringVar(&server, "server", defaultServer, "address of the controller")
	flags.DurationVar(&r.timeout, "timeout", 30*time.Second, "longest wait for the controller")
	flags.StringVar(&s.Instance, "instance", "default", "name of the controller on its engine")
	s.lockFlags(flags)
	return cmd
}

// whatToRevoke reads the command line.
func whatToRevoke(names, tokens []string) (revocation.List, error) {
	list := revocation.List{Names: names}
	for _, name := range names {
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return list, usagef("%q cannot be the name of a spec: %s", name, strings.Join(problems, "; "))
		}
	}
	for _, text := range tokens {
		ref, err := revocation.ParseRef(text)
		if err != nil {
			return list, usagef("--token: %w", err)
		}
		list.Tokens = append(list.Tokens, ref)
	}
	return list, nil
}

func (r *revoker) do(ctx context.Context) error {
	switch {
	case r.showsAlone && (!r.list.Empty() || r.undo):
		return usagef("--list goes alone")
	case r.showsAlone:
		return r.show()
	case r.list.Empty():
		return usagef("say what: the names of specs, or --token REF; --list shows what is revoked")
	}
	if r.undo {
		return r.restore(ctx)
	}
	if err := revocation.Change(ctx, r.dir, r.instance, func(l *revocation.List) { l.Add(r.list) }); err != nil {
		return err
	}
	return r.confirm(ctx)
}

// restore lets what was revoked be used again, and says what of it was not revoked at all.
func (r *revoker) restore(ctx context.Context) error {
	var never []string
	err := revocation.Change(ctx, r.dir, r.instance, func(l *revocation.List) {
		never = r.list.Without(*l).Lines()
		l.Remove(r.list)
	})
	if err != nil {
		return err
	}
	for _, one := range never {
		fmt.Fprintf(r.stderr, "warning: %s was not revoked in --state-dir %s of --instance %s; --list shows what is\n", one, r.dir, r.instance)
	}
	if len(never) == len(r.list.Lines()) {
		return nil
	}
	_, err = fmt.Fprintln(r.stdout, "not revoked any more; the controller delivers the tokens again")
	return err
}

// show prints one line for each name and reference.
func (r *revoker) show() error {
	list, err := revocation.Read(r.dir, r.instance)
	if err != nil {
		return err
	}
	for _, line := range list.Lines() {
		fmt.Fprintln(r.stdout, line)
	}
	return nil
}

// confirm waits until the controller says of each sidecar that it has the tokens no more.
func (r *revoker) confirm(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	var last, warned []string
	for {
		left, unused, err := r.left(bounded)
		warned = r.warn(unused, warned)
		switch {
		case err != nil && bounded.Err() == nil:
			return &exitError{codeNoController, fmt.Errorf(
				"it is noted, and counts as soon as a controller with --state-dir %s runs; until then sidecars keep their tokens, "+
					"unless they are removed (docker rm -f): %w", r.dir, err)}
		case err == nil && len(left) == 0:
			return r.done(len(unused))
		case err == nil:
			last = left
		}
		select {
		case <-ticker.C:
		case <-bounded.Done():
			return &exitError{codeBad, fmt.Errorf(
				"it is noted, but not confirmed within %v; does the controller run with --state-dir %s and --instance %s? Not taken away yet: %s",
				r.timeout, r.dir, r.instance, strings.Join(last, "; "))}
		}
	}
}

// warn says once of each that it is used by nothing; it returns those of which that is said.
func (r *revoker) warn(unused, warned []string) []string {
	for _, one := range unused {
		if !slices.Contains(warned, one) {
			fmt.Fprintln(r.stderr, "warning: "+one)
			warned = append(warned, one)
		}
	}
	return warned
}

// done says what is confirmed, now that no sidecar has what is revoked. A mistyped word is no success: the token that was meant is
// still in use.
func (r *revoker) done(unused int) error {
	if unused == len(r.list.Names)+len(r.list.Tokens) {
		return &exitError{codeBad, errors.New("nothing was taken from any sidecar; it is noted all the same, until it is undone with --undo")}
	}
	if _, err := fmt.Fprintln(r.stdout, "revoked: no sidecar has them any more"); err != nil || unused == 0 {
		return err
	}
	return &exitError{codeBad, errors.New("that does not hold for what the warning names; it is noted all the same, until it is undone with --undo")}
}

// left says of which specs the controller has not said yet that the tokens are gone, and what of it no spec uses.
func (r *revoker) left(ctx context.Context) (left, unused []string, err error) {
	list, err := r.client.list(ctx)
	if err != nil {
		return nil, nil, err
	}
	if len(list.Items) == 0 { // it may not have read the files yet
		if why, err := r.client.notReady(ctx); why != nil || err != nil {
			return []string{fmt.Sprint(why)}, nil, err
		}
	}
	for _, one := range list.Items {
		if why := r.holds(one); why != nil {
			left = append(left, fmt.Sprintf("%s: %v", one.Name, why))
		}
	}
	return left, r.unused(list.Items), nil
}

// unused says which of what is revoked no spec has to do with, as when it is mistyped, and which one may be meant. A spec without
// routes is one of which no file can be used: it may use any token.
func (r *revoker) unused(all []spec.CredProxy) []string {
	var found, names, refs []string
	unknown := false
	for _, one := range all {
		names = append(names, one.Name)
		unknown = unknown || len(one.Spec.Routes) == 0
		for _, slot := range one.Spec.Slots() {
			refs = append(refs, slot.Ref.Typed())
		}
	}
	for _, name := range r.list.Names {
		if !slices.Contains(names, name) {
			found = append(found, "there is no spec "+name+nearest.Hint(name, names))
		}
	}
	for _, ref := range r.list.Tokens {
		if !unknown && !slices.Contains(refs, ref.Typed()) {
			found = append(found, "no spec uses "+ref.Typed()+nearest.Hint(ref.Typed(), refs))
		}
	}
	return found
}

// holds says why a spec's sidecar may still have what is revoked; nil when it has not. That something else of the spec is
// revoked says nothing: it may have been for long.
func (r *revoker) holds(one spec.CredProxy) error {
	if one.Status == nil {
		return errNotTakenUp
	}
	ready := condition(one.Status, spec.ConditionReady)
	switch {
	case one.Status.ContainerID == "" && ready.Status == "Unknown" && r.concerns(one):
		return because(ready, one.Status.LastError)
	case one.Status.ContainerID == "":
		return nil
	case len(one.Spec.Routes) == 0 && len(r.list.Tokens) > 0 && !slices.Contains(r.list.Names, one.Name):
		return fmt.Errorf("nobody knows which tokens its sidecar has, since no file declares it in a way that can be used: "+
			"mend that, or 'controller revoke %s'", one.Name)
	case !r.concerns(one), r.taken(one):
		return nil
	case ready.Status != "True":
		return because(ready, one.Status.LastError)
	}
	return errNotTakenUp
}

var errNotTakenUp = errors.New("the controller has not taken it up")

// concerns reports whether a spec is revoked, or uses a token that is.
func (r *revoker) concerns(one spec.CredProxy) bool {
	return slices.Contains(r.list.Names, one.Name) ||
		slices.ContainsFunc(r.list.Tokens, func(ref spec.TokenRef) bool { return uses(one, ref) })
}

// uses reports whether a spec uses a token.
func uses(one spec.CredProxy, ref spec.TokenRef) bool {
	return slices.ContainsFunc(one.Spec.Slots(), func(slot spec.Slot) bool { return slot.Ref == ref })
}

func (r *revoker) revokes(ref spec.TokenRef) bool { return slices.Contains(r.list.Tokens, ref) }

// taken reports whether the controller says of all routes that are revoked that the sidecar has no token for them.
func (r *revoker) taken(one spec.CredProxy) bool {
	caller := one.Spec.CallerAuth
	all := slices.Contains(r.list.Names, one.Name) || caller != nil && r.revokes(caller.KeyRef)
	for _, route := range one.Spec.Routes {
		revoked := all || slices.ContainsFunc(route.Refs(), r.revokes)
		if revoked && !slices.Contains(one.Status.WithheldRoutes, route.Path) {
			return false
		}
	}
	return len(one.Spec.Routes) > 0
}
