package fakeengine

import (
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// OnCounted has take called with what sidecars count, as they tell it: here at once, and under the engine's lock.
func (d *Driver) OnCounted(take func(reconcile.Counted)) {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	d.counted = take
}

// countAnswer counts an answer of an upstream to a request with a credential.
func (e *Engine) countAnswer(c *container, path string, status int) {
	counted := c.run.countedOf(path)
	counted.Requests[routetable.CodeClass(status)]++
	counted.Injections++
	counted.Duration.Buckets[0]++
	counted.FirstByte.Buckets[0]++
	e.tellCounters(c, *counted)
}

// Refuse has a sidecar tell that it answered a request of a route itself, with a status and for a reason of routetable's.
func (e *Engine) Refuse(containerID, path string, status int, reason string) {
	e.with(containerID, func(c *container) {
		counted := c.run.countedOf(path)
		counted.Requests[routetable.CodeClass(status)]++
		counted.Refusals[routetable.RefusalReason(reason)]++
		e.tellCounters(c, *counted)
	})
}

// InFlight has a sidecar tell that so many requests are in flight on a route.
func (e *Engine) InFlight(containerID, path string, n int64) {
	e.with(containerID, func(c *container) {
		c.run.countedOf(path).InFlight = n
		e.tellCounters(c, *c.run.countedOf(path))
	})
}

func (r *run) countedOf(path string) *routetable.RouteCounters {
	if r.counted[path] == nil {
		r.counted[path] = &routetable.RouteCounters{Route: path}
	}
	return r.counted[path]
}

// counters are those of the routes that are served, and of no route.
func (r *run) counters() []routetable.RouteCounters {
	all := []routetable.RouteCounters{*r.countedOf(routetable.NoRoute)}
	if r.loaded != nil {
		for _, route := range r.loaded.Table.Routes {
			all = append(all, *r.countedOf(route.Path))
		}
	}
	return all
}

// tellCounters tells those who listen to a sidecar what it has counted.
func (e *Engine) tellCounters(c *container, routes ...routetable.RouteCounters) {
	for _, d := range e.drivers {
		if d.hears(c) {
			d.takeCounters(c, routes)
		}
	}
}

// hearCounters is the answer to SIGUSR1.
func (d *Driver) hearCounters(c *container) { d.takeCounters(c, c.run.counters()) }

func (d *Driver) takeCounters(c *container, routes []routetable.RouteCounters) {
	if d.counted != nil {
		d.counted(reconcile.Counted{ContainerID: c.ID, SpecName: c.Labels[labelName],
			Counters: &routetable.Counters{Event: routetable.EventCounters, Run: c.run.began, Routes: routes}})
	}
}

// countNoMore tells those who listened to a sidecar that its process ends.
func (e *Engine) countNoMore(c *container) {
	for _, d := range e.drivers {
		if d.counted != nil && d.hears(c) {
			d.counted(reconcile.Counted{ContainerID: c.ID, SpecName: c.Labels[labelName]})
		}
	}
}

func (d *Driver) hears(c *container) bool {
	known, ok := d.ears[c.ID]
	return ok && c.run != nil && known.run == c.run && d.claimed(c.Labels) != ""
}
