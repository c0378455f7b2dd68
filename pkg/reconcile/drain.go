package reconcile

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"credproxy.dev/controller/pkg/spec"
)

// errWithheld ends a drain.
var errWithheld = errors.New("tokens of the spec are withheld by now")

// drain lets the requests in flight of a sidecar finish. That may last, and what holds the name's worker meanwhile holds back
// that tokens are taken away: once something is withheld that was not when the plan was made, the drain counts as done, and the
// step after it removes the sidecar with its streams.
func (a *attempt) drain(ctx context.Context, id string) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		if a.awaitWithheld(ctx) {
			stop(errWithheld)
		}
	}()
	err := a.driver.Drain(ctx, id)
	if errors.Is(context.Cause(ctx), errWithheld) {
		return nil
	}
	return err
}

// awaitWithheld waits until the declaration withholds something of the name that it did not when the plan was made, and
// reports false when ctx ended before.
func (a *attempt) awaitWithheld(ctx context.Context) bool {
	for {
		declared, changed := a.declaration()
		now := declared.withholdingOf(a.item.Name)
		if (now.All != nil || len(now.Routes) > 0) && !reflect.DeepEqual(now, a.withholding) {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// declaration is the one in force, and a channel that is closed when there is another.
func (c *Controller) declaration() (Declared, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.declared, c.redeclared
}

// withholdingOf is all that is withheld of a name.
func (d *Declared) withholdingOf(name string) Withholding {
	if i := slices.IndexFunc(d.Specs, func(cp *spec.CredProxy) bool { return cp.Name == name }); i >= 0 {
		return d.withholding(d.Specs[i])
	}
	return d.Withheld[name]
}
