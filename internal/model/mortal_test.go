package model

import (
	"context"
	"errors"
	"sync"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// mortal is a driver whose process can die at a call. From then on no call has any effect: what a dead process would have
// done is not done.
type mortal struct {
	driver *fakeengine.Driver
	world  *world
	// deliberate is true for a person's own pass, which may remove whatever no file declares.
	deliberate bool

	mu    sync.Mutex
	calls int // so far, watches not counted
	open  int // calls in hand
	// done counts the calls that succeeded, by verb.
	done  map[fakeengine.Verb]int
	death death
	dead  bool
	die   func() // called once, at death
}

// death is when a process dies.
type death struct {
	// call is the number of the call at which it dies; 0 for never.
	call int
	// after is true when that call still takes effect.
	after bool
}

func (d death) String() string {
	if d.after {
		return "controller dies after"
	}
	return "controller dies before"
}

var errDead = errors.New("the process is dead")

// doom makes the process die at its nth call from now.
func (m *mortal) doom(n int, after bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.death = death{call: m.calls + n, after: after}
}

// doomed is how many calls are left to the death; 0 when there is none ahead.
func (m *mortal) doomed() (n int, after bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(0, m.death.call-m.calls), m.death.after
}

// spare takes a doom back.
func (m *mortal) spare() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.death = death{}
}

// idle reports whether no call is in hand. As the steps of a plan follow each other without a pause, then no plan is, once
// everybody waits.
func (m *mortal) idle() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open == 0
}

// succeeded is how many calls of a verb have.
func (m *mortal) succeeded(verb fakeengine.Verb) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done[verb]
}

func (m *mortal) isDead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

// call makes a call of the driver, unless the process is or falls dead.
func (m *mortal) call(verb fakeengine.Verb, target string, f func() error) error {
	m.mu.Lock()
	m.calls++
	n := m.calls
	last := !m.dead && n == m.death.call
	if last && !m.death.after {
		m.fall(verb)
	}
	dead := m.dead
	if !dead {
		m.open++
	}
	m.mu.Unlock()
	if dead {
		return errDead
	}
	m.world.guard(verb, target, m.deliberate)
	err := f()
	m.mu.Lock()
	m.open--
	if last && n == m.death.call { // it was not spared meanwhile
		m.fall(verb)
	}
	dead = m.dead
	if err == nil && !dead {
		m.done[verb]++
	}
	m.mu.Unlock()
	m.world.called(verb, target, err)
	if dead {
		return errDead
	}
	return err
}

func (m *mortal) fall(verb fakeengine.Verb) {
	m.dead = true
	m.world.note(fakeengine.Hit{Fault: m.death.String(), Verb: verb})
	m.die()
}

// told is call for calls that return something.
func told[T any](m *mortal, verb fakeengine.Verb, target string, f func() (T, error)) (out T, err error) {
	err = m.call(verb, target, func() (err error) {
		out, err = f()
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}

func (m *mortal) Observe(ctx context.Context) (*reconcile.Observation, error) {
	return told(m, fakeengine.Observe, "", func() (*reconcile.Observation, error) { return m.driver.Observe(ctx) })
}

func (m *mortal) Forget() { m.driver.Forget() }

func (m *mortal) Watch(ctx context.Context, notify func(reconcile.Change)) error {
	return m.driver.Watch(ctx, notify)
}

func (m *mortal) OnCounted(take func(reconcile.Counted)) { m.driver.OnCounted(take) }

func (m *mortal) Ping(ctx context.Context) error { return m.driver.Ping(ctx) }

func (m *mortal) EnsureNetwork(ctx context.Context, req reconcile.NetworkRequest) (string, error) {
	return told(m, fakeengine.EnsureNetwork, req.Name, func() (string, error) { return m.driver.EnsureNetwork(ctx, req) })
}

func (m *mortal) RemoveNetwork(ctx context.Context, id string) error {
	return m.call(fakeengine.RemoveNetwork, id, func() error { return m.driver.RemoveNetwork(ctx, id) })
}

func (m *mortal) Connect(ctx context.Context, id, network string, aliases ...string) error {
	return m.call(fakeengine.Connect, id, func() error { return m.driver.Connect(ctx, id, network, aliases...) })
}

func (m *mortal) Disconnect(ctx context.Context, id, network string) error {
	return m.call(fakeengine.Disconnect, id, func() error { return m.driver.Disconnect(ctx, id, network) })
}

func (m *mortal) EnsureImage(ctx context.Context, ref string) (string, error) {
	return told(m, fakeengine.EnsureImage, ref, func() (string, error) { return m.driver.EnsureImage(ctx, ref) })
}

func (m *mortal) Create(ctx context.Context, req reconcile.CreateRequest) (string, error) {
	return told(m, fakeengine.Create, req.ContainerName, func() (string, error) { return m.driver.Create(ctx, req) })
}

func (m *mortal) Start(ctx context.Context, id string) error {
	return m.call(fakeengine.Start, id, func() error { return m.driver.Start(ctx, id) })
}

func (m *mortal) Update(ctx context.Context, id string, resources spec.Resources) error {
	return m.call(fakeengine.Update, id, func() error { return m.driver.Update(ctx, id, resources) })
}

func (m *mortal) Rename(ctx context.Context, id, name string) error {
	return m.call(fakeengine.Rename, id, func() error { return m.driver.Rename(ctx, id, name) })
}

func (m *mortal) Drain(ctx context.Context, id string) error {
	return m.call(fakeengine.Drain, id, func() error { return m.driver.Drain(ctx, id) })
}

func (m *mortal) Remove(ctx context.Context, id string) error {
	return m.call(fakeengine.Remove, id, func() error { return m.driver.Remove(ctx, id) })
}

func (m *mortal) RemoveVolume(ctx context.Context, name string) error {
	return m.call(fakeengine.RemoveVolume, name, func() error { return m.driver.RemoveVolume(ctx, name) })
}

func (m *mortal) CopyRoutes(ctx context.Context, id string, files []routetable.File) error {
	return m.call(fakeengine.CopyRoutes, id, func() error { return m.driver.CopyRoutes(ctx, id, files) })
}

// ReadRoutes is asked for by plans alone, which change nothing.
func (m *mortal) ReadRoutes(ctx context.Context, id string) (routetable.Table, error) {
	return m.driver.ReadRoutes(ctx, id)
}

func (m *mortal) WaitLoaded(ctx context.Context, id string, generation int64) (routetable.Report, error) {
	return told(m, fakeengine.WaitLoaded, id, func() (routetable.Report, error) { return m.driver.WaitLoaded(ctx, id, generation) })
}

func (m *mortal) WaitReady(ctx context.Context, id string, generation int64) (routetable.Report, error) {
	return told(m, fakeengine.WaitReady, id, func() (routetable.Report, error) { return m.driver.WaitReady(ctx, id, generation) })
}

func (m *mortal) Reload(ctx context.Context, id string, generation int64) (routetable.Report, error) {
	return told(m, fakeengine.Reload, id, func() (routetable.Report, error) { return m.driver.Reload(ctx, id, generation) })
}

func (m *mortal) LastLines(id string) []string { return m.driver.LastLines(id) }

func (m *mortal) Load(ctx context.Context, id string, generation int64) (routetable.Report, error) {
	return told(m, fakeengine.Reload, id, func() (routetable.Report, error) { return m.driver.Load(ctx, id, generation) })
}
