package reconcile

import (
	"context"
	"time"

	"credproxy.dev/controller/pkg/spec"
)

// Notifier is a Resolver that notices when values change. Those of any other are compared with every look at everything.
type Notifier interface {
	// Watch calls changed, from any goroutine, with each reference whose value may be another one than Resolve found
	// last. It returns nil once ctx has ended, and an error when nothing is noticed any more; what happens until it
	// is called again is told by that call.
	Watch(ctx context.Context, changed func(ref spec.TokenRef)) error
}

// tokenWatchPause is how long the watch of tokens rests after it failed.
const tokenWatchPause = time.Second

// watchTokens has specs reconciled whose tokens may have changed, as soon as the resolver notices.
func (c *Controller) watchTokens(ctx context.Context) {
	notifier, ok := c.resolver.(Notifier)
	for ok && ctx.Err() == nil {
		err := notifier.Watch(ctx, c.tokenChanged)
		if ctx.Err() != nil {
			return
		}
		c.recorder.log.Warn("changes of tokens are not noticed as they happen, but with the next look at everything; watching is tried again",
			"error", err)
		select {
		case <-ctx.Done():
		case <-time.After(tokenWatchPause):
		}
	}
}

// tokenChanged has the specs reconciled that use a reference, those that wait for it and those that rest after a failure
// too. The engine is not older for it: what was seen of it last is good enough to tell whether anything is to be done.
func (c *Controller) tokenChanged(ref spec.TokenRef) {
	if declared, _ := c.snapshot(); declared.users != nil {
		c.add(declared.users()[ref]...)
	}
}

// usersOf lists the names of the specs that use each reference.
func usersOf(specs []*spec.CredProxy) map[spec.TokenRef][]string {
	users := map[spec.TokenRef][]string{}
	for _, cp := range specs {
		for _, slot := range cp.Spec.Slots() {
			users[slot.Ref] = append(users[slot.Ref], cp.Name)
		}
	}
	return users
}
