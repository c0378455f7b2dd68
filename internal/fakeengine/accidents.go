package fakeengine

import (
	"context"
	"errors"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

// The faults of this file have a name that says what happened to the engine; those of faults.go say what becomes of a call.

// Conflicts makes a call find the name taken, by something that is gone again right after.
func Conflicts() Fault { return named("name conflict", FailsBefore(reconcile.ErrNameConflict)) }

// Slow makes a call take longer.
func Slow(d time.Duration) Fault {
	return Fault{Name: "slow", Before: func(ctx context.Context, _ *Call) error { return pause(ctx, d) }}
}

// Hangs makes a call wait for its deadline, and have no effect.
func Hangs() Fault { return named("hung", NewGate().Fault()) }

// HangsAfter makes a call that took effect wait for its deadline.
func HangsAfter() Fault {
	return Fault{Name: "hung after", After: func(ctx context.Context, _ *Call) error {
		<-ctx.Done()
		return ended(ctx)
	}}
}

// DiskFull makes a call fail for want of space. CopyRoutes gets as far as its first n files.
func DiskFull(n int) Fault {
	full := errors.New("no space left on device")
	return Fault{
		Name: "disk full",
		Before: func(_ context.Context, c *Call) error {
			if c.Files == nil {
				return full
			}
			c.Files = c.Files[:min(n, len(c.Files))]
			return nil
		},
		After: func(context.Context, *Call) error { return full },
	}
}

// PoolExhausted makes a call fail for want of addresses.
func PoolExhausted() Fault {
	return named("pool exhausted", FailsBefore(errors.New("could not find an available, non-overlapping IPv4 address pool")))
}

// ImagesVanish removes all images just before a call.
func (e *Engine) ImagesVanish() Fault {
	return e.accident("image vanishes", nil, func() { clear(e.images) })
}

// RemovalStalls makes a container that is to be removed stay in the state "removing" until FinishRemovals.
func (e *Engine) RemovalStalls() Fault {
	return Fault{Name: "removal stalls", Before: func(_ context.Context, call *Call) error {
		e.do(func() {
			if c := e.find(call.Target); c != nil {
				e.stall(c)
			}
		})
		return nil
	}}
}

// GoesAway takes the engine down just before a call, until SetDown brings it back.
func (e *Engine) GoesAway() Fault {
	return e.accident("engine goes away", errDown(), func() { e.down = true })
}

// Restarts restarts the engine just before a call, as Restart does.
func (e *Engine) Restarts() Fault { return e.accident("engine restarts", broken(), e.restartAll) }

// CutsStream breaks the streams of events just before a call.
func (e *Engine) CutsStream() Fault { return e.accident("stream cut", nil, e.cutWatches) }

// accident does something to the engine just before a call, which then fails with err, or goes on if that is nil.
func (e *Engine) accident(name string, err error, what func()) Fault {
	return Fault{Name: name, Before: func(context.Context, *Call) error {
		e.do(what)
		return err
	}}
}

// EventFate is what becomes of events.
type EventFate string

// The fates. Late events come after lateness.
const (
	EventsArrive  EventFate = ""
	EventsLost    EventFate = "event lost"
	EventsLate    EventFate = "event late"
	EventsDoubled EventFate = "event doubled"
)

const lateness = 3 * time.Second

// Events gives the events of one call a fate.
func Events(fate EventFate) Fault {
	return Fault{Name: string(fate), Before: func(_ context.Context, c *Call) error {
		c.Events = fate
		return nil
	}}
}

func named(name string, f Fault) Fault {
	f.Name = name
	return f
}

// pause lets time go by.
func pause(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
