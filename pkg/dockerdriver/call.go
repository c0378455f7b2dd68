package dockerdriver

import (
	"context"
	"time"
)

// patience is how many times CallTimeout an operation may take that moves much data or waits for a process.
const patience = 4

// call makes one call of the engine: bounded in time, counted, and with errors of reconcile's kinds. what says in
// words what is tried, such as "start container web".
func (d *Driver) call(ctx context.Context, op operation, what string, do func(context.Context) error) error {
	return d.callFor(ctx, d.opts.CallTimeout, op, what, do)
}

func (d *Driver) callFor(ctx context.Context, limit time.Duration, op operation, what string, do func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := d.negotiate(bounded)
	if err == nil {
		err = do(withOperation(bounded, op))
	}
	return explain(ctx, what, limit, err)
}

// change is a call that changes a container: what was inspected of it before does not hold any more. The engine's
// event says so too, some time later, if anybody watches.
func (d *Driver) change(ctx context.Context, op operation, containerID, what string, do func(context.Context) error) error {
	defer d.marks.put(containerID)
	return d.call(ctx, op, what, do)
}

// negotiate agrees on the API's version with the engine before the first call. The client would do it by itself, but
// goes on with a version of its own when it fails, and reads it unguarded then.
func (d *Driver) negotiate(ctx context.Context) error {
	if d.negotiated.Load() {
		return nil
	}
	d.greeting.Lock()
	defer d.greeting.Unlock()
	if d.negotiated.Load() {
		return nil
	}
	pong, err := d.docker.Ping(withOperation(ctx, opPing))
	if err != nil {
		return err
	}
	d.docker.NegotiateAPIVersionPing(pong)
	d.negotiated.Store(true)
	return nil
}
