package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

const (
	pollInterval = 100 * time.Millisecond
	// startGrace is how long a controller that was started just before may take until it answers.
	startGrace = time.Second
	// forDeleted waits until nothing is left of the name.
	forDeleted = "Deleted"
)

// waiter waits for one spec.
type waiter struct {
	client    *client
	name      string
	condition string
	timeout   time.Duration
	// older says that what serves is not what the file says now; empty when it is, or nobody knows.
	older string
}

func newWait(sys System) *cobra.Command {
	var server string
	var w waiter
	cmd := &cobra.Command{
		Use:   "wait NAME",
		Short: "Return when a sidecar is Ready: the gate before an agent starts",
		Long: `Asks a running controller until the CredProxy has the condition. A name that no file declares yet is waited
for too. --for takes Ready, Current, TokensResolved, NetworksReady, Isolated, Permitted or
Deleted.

Ready is so while a sidecar serves, on the last good version of a file that has turned bad too: that is told on stderr.
Current is so once what serves is what the file says now: use it after an edit. Deleted is so once no file declares the
name and nothing is left of its sidecar, nor of networks that were made for it: take the agent off them first.`,
		Example: `  controller wait web && docker run --network web-internal my-agent
  controller wait web --for Current      # the edit just made is in force
  controller wait web --for Deleted --timeout 30s`,
		ValidArgsFunction: first(names(sys)),
		Annotations:       exits("0 it is so; 1 the time is over, and why it is not so is said; 3 no controller answers"),
		Args:              takes("NAME"),
		RunE: verb(codeNoController, func(cmd *cobra.Command, args []string) error {
			if err := checkTimeout(cmd, w.timeout); err != nil {
				return err
			}
			w.name, w.client = args[0], newClient(server)
			defer w.client.close()
			if err := w.wait(cmd.Context()); err != nil {
				return err
			}
			if w.older != "" {
				fmt.Fprintf(sys.Stderr, "warning: what serves is not what the file says now: %s\n", w.older)
			}
			_, err := fmt.Fprintf(sys.Stdout, "%s is %s\n", w.name, w.condition)
			return err
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&server, "server", defaultServer, "address of the controller")
	flags.StringVar(&w.condition, "for", spec.ConditionReady, "what to wait for: Ready, Current, TokensResolved, NetworksReady, Isolated, Permitted or Deleted")
	choose(flags, "for", spec.ConditionReady, spec.ConditionCurrent, spec.ConditionTokensResolved, spec.ConditionNetworksReady,
		spec.ConditionIsolated, spec.ConditionPermitted, forDeleted)
	flags.DurationVar(&w.timeout, "timeout", time.Minute, "longest wait")
	return cmd
}

// wait asks until it is so. What is so at the first question is asked once more, since an edit just before it may not
// have been seen yet. A controller that does not answer at the start ends the wait after startGrace; one that is lost
// later may be restarting, and is waited for.
func (w *waiter) wait(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	var why, lost error
	began, answered, so := time.Now(), false, false
	for first := true; ; first = false {
		done, reason, err := w.ask(bounded)
		answered = answered || err == nil
		switch {
		case done && !first:
			return nil
		case err != nil && bounded.Err() != nil:
			// The time was over in the middle of the question; what was heard before is the reason.
		case isUsage(err), err != nil && !answered && time.Since(began) > startGrace:
			return err
		default:
			so, why, lost = done, reason, err
		}
		select {
		case <-ticker.C:
		case <-bounded.Done():
			if so {
				return nil
			}
			return w.over(ctx, why, lost)
		}
	}
}

// ask reports whether it is so, and if not, why not; err means that no controller answered.
func (w *waiter) ask(ctx context.Context) (done bool, why, err error) {
	one, err := w.client.one(ctx, w.name)
	missing := errors.Is(err, errNotDeclared)
	switch {
	case missing && w.condition == forDeleted:
		why, err = w.client.notReady(ctx)
		return why == nil && err == nil, why, err
	case missing:
		return false, fmt.Errorf("%w; 'controller validate' says whether its file is good", err), nil
	case err != nil:
		return false, nil, err
	}
	status := one.Status
	if status == nil {
		status = &spec.CredProxyStatus{}
	}
	if w.condition == forDeleted {
		return false, left(condition(status, spec.ConditionReady), status.LastError), nil
	}
	w.older = ""
	if current := condition(status, spec.ConditionCurrent); current.Reason == reconcile.ReasonLastGood {
		w.older = oneLine(current.Message)
	}
	c := condition(status, w.condition)
	if c.Status == metav1.ConditionTrue {
		return true, nil, nil
	}
	return false, because(c, status.LastError), nil
}

// left says what there still is of a name. Only what a file declares is Ready.
func left(ready metav1.Condition, lastError string) error {
	if ready.Status == metav1.ConditionTrue {
		return errors.New("a spec file still declares it")
	}
	return because(ready, lastError)
}

func because(c metav1.Condition, lastError string) error {
	var parts []string
	for _, part := range []string{c.Reason, message(c, lastError)} {
		if part != "" {
			parts = append(parts, clean(part))
		}
	}
	if len(parts) == 0 {
		return errors.New("the controller has not looked at it yet")
	}
	return errors.New(strings.Join(parts, ": "))
}

func (w *waiter) over(ctx context.Context, why, lost error) error {
	switch {
	case lost != nil:
		return lost
	case ctx.Err() != nil:
		return &exitError{codeBad, errors.New("interrupted")}
	case why == nil:
		why = errors.New("the controller did not answer in time")
	}
	if errors.Is(why, errNotDeclared) {
		why = w.client.notDeclared(ctx, w.name)
	}
	return &exitError{codeBad, fmt.Errorf("%s is not %s after %v: %w", w.name, w.condition, w.timeout, why)}
}
