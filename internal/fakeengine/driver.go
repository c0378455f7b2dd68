package fakeengine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

// Driver is the reconcile.Driver of one instance. Each stands for one process: what it has inspected and listened to
// is its own.
type Driver struct {
	engine   *Engine
	instance string

	// The engine's lock guards the rest.
	image string // Ref of the controller's own image
	looks map[string]look
	ears  map[string]ear
	// inspected are the foreign containers of which it is known what they were made with.
	inspected map[string]bool
	// asked is what the engine said that it is; nil until it is asked.
	asked *reconcile.Engine
	// counted takes what sidecars count; nil until somebody wants to know.
	counted func(reconcile.Counted)
	// strays are found by the same rules as in the real driver.
	strays strays
}

var _ reconcile.Driver = (*Driver)(nil)

// ownImage is what controllers carry unless they are told otherwise.
const ownImage = "cred-proxy:1"

// Driver makes a driver for an instance.
func (e *Engine) Driver(instance string) *Driver {
	d := &Driver{
		engine: e, instance: instance, image: ownImage, looks: map[string]look{}, ears: map[string]ear{}, inspected: map[string]bool{},
		strays: strays{sought: true},
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drivers = append(e.drivers, d)
	return d
}

// Carry makes ref the controller's own image, as a new release does.
func (d *Driver) Carry(ref string) {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	d.image = ref
}

// Host is the engine's address.
func (d *Driver) Host() string { return "fake://engine" }

// EngineID identifies the engine.
func (d *Driver) EngineID(context.Context) (string, error) {
	return fmt.Sprintf("fake-%p", d.engine), nil
}

// Close does nothing: sidecars keep running.
func (d *Driver) Close() error { return nil }

// Ping reports whether the engine answers.
func (d *Driver) Ping(ctx context.Context) error {
	return d.act(ctx, &Call{Verb: Ping}, func() error { return nil })
}

// act makes a call whose effect is f, which runs under the engine's lock.
func (d *Driver) act(ctx context.Context, c *Call, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return d.call(ctx, c, func(context.Context) error { return d.engine.act(c.Events, f) })
}

// callTimeout bounds the calls that are not waits, as it does in the real driver.
const callTimeout = 30 * time.Second

// call makes a call: it is counted, takes its time, and meets its faults.
func (d *Driver) call(ctx context.Context, c *Call, effect func(context.Context) error) error {
	c.Instance = d.instance
	met := d.engine.begin(c.Verb)
	err := d.engine.pass(ctx)
	for _, fault := range met {
		if err == nil && fault.Before != nil {
			err = fault.Before(ctx, c)
		}
	}
	if err == nil {
		err = effect(ctx)
	}
	for _, fault := range met {
		if err == nil && fault.After != nil {
			err = fault.After(ctx, c)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", strings.TrimSpace(string(c.Verb)+" "+c.Target), err)
	}
	return nil
}

// pass lets the time of a call go by.
func (e *Engine) pass(ctx context.Context) error {
	if e.latency == 0 && ctx.Err() == nil {
		return nil
	}
	return pause(ctx, e.latency)
}

// count counts a part of a call.
func (e *Engine) count(verb Verb) { e.faults.calls[verb]++ }

// claimed returns the name of the spec for which labels claim something to be the instance's; empty when they do not.
func (d *Driver) claimed(labels map[string]string) string {
	if labels[labelInstance] != d.instance {
		return ""
	}
	return labels[labelName]
}

// otherInstance returns the other instance that a container's labels claim a sidecar for; empty for anything else.
func (d *Driver) otherInstance(c *container) string {
	instance := shown(c, labelInstance)
	if shown(c, labelName) == "" || instance == d.instance {
		return ""
	}
	return instance
}

// shown is a label as the engine shows it for a container: its own, and its image's where it has none itself.
func shown(c *container, label string) string {
	if value, ok := c.Labels[label]; ok {
		return value
	}
	return c.image.Labels[label]
}
