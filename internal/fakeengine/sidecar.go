package fakeengine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// run is one run of a container's process. That of a Sidecar follows pkg/proxy.
type run struct {
	program Program
	// reports are all it has said.
	reports []routetable.Report
	// loaded is the table that is served; nil until the first whole one.
	loaded *routetable.Loaded
	// announced is true once ready was reported, waiting once loaded was.
	announced, waiting bool
	// problem says why nothing is served; empty while the listener is open.
	problem string
	// standings are what upstreams made of the tokens of routes, by path.
	standings map[string]*standing
	// began tells one run from the next, and counted is what it has counted, by the path of a route.
	began   int64
	counted map[string]*routetable.RouteCounters
}

// proceed lets a sidecar take its next step towards serving: a table if there is none yet, then its interface. It does so
// whenever something has changed for it.
func (e *Engine) proceed(c *container) { //nolint:gocyclo // the life of a sidecar, told in one place
	r := c.run
	if r == nil || r.program != Sidecar || c.Volume == "" || c.State != reconcile.StateRunning {
		return
	}
	if r.loaded == nil && e.inMemory(c) {
		if r.problem == "" {
			r.problem = "the controller has not delivered the tokens yet"
			e.report(c, routetable.EventState)
		}
		return // it looks when it is told
	}
	if r.loaded == nil {
		if generation, err := e.load(c, e.lastServed(c)); err != nil {
			if err.Error() != r.problem {
				r.problem = err.Error()
				// A set that is not whole may still be on its way.
				if !errors.Is(err, routetable.ErrIncomplete) {
					e.refuse(c, generation, err)
				}
			}
			return
		}
	}
	before := r.problem
	r.problem = ""
	if !e.inside(c) {
		r.problem = "no interface is inside internalSubnets"
	}
	switch {
	case r.problem == "" && !r.announced:
		r.announced = true
		e.report(c, routetable.EventReady)
	case !r.announced && !r.waiting:
		r.waiting = true
		e.report(c, routetable.EventLoaded)
	case r.announced && r.problem != before:
		e.report(c, routetable.EventState)
	}
}

// hup is SIGHUP.
func (e *Engine) hup(c *container) {
	r := c.run
	if r.program != Sidecar || c.State != reconcile.StateRunning {
		return
	}
	if r.loaded != nil && e.inMemory(c) && e.volumes[c.Volume].Files[routetable.FileName] == nil {
		e.report(c, routetable.EventReloaded) // what it serves was taken out
		return
	}
	if generation, err := e.load(c, 0); err != nil { // whoever signals has just delivered
		if r.loaded == nil {
			r.problem = err.Error()
		}
		e.refuse(c, generation, err)
		return
	}
	before := r.announced
	e.proceed(c)
	if before || !r.announced {
		e.report(c, routetable.EventReloaded)
	}
}

// lastServed is the generation that was served last out of a container's volume.
func (e *Engine) lastServed(c *container) int64 {
	if volume := e.volumes[c.Volume]; volume != nil {
		return volume.Served
	}
	return 0
}

// load serves the generation in the volume unless it is older than another one, or leaves everything as it is.
func (e *Engine) load(c *container, oldest int64) (generation int64, err error) {
	volume := e.volumes[c.Volume]
	if volume == nil {
		return 0, routetable.ErrIncomplete
	}
	found, err := routetable.Load(volume.Files, func(name string) string { return c.Env[name] })
	if err == nil && found.Table.Generation < oldest {
		err = fmt.Errorf("generation %d is older than %d, which was served before", found.Table.Generation, oldest)
	}
	if err != nil {
		return found.Table.Generation, err
	}
	c.run.loaded = &found
	c.run.keepStandings()
	e.tellCounters(c, c.run.counters()...)
	if e.whenLoaded != nil {
		e.whenLoaded(c.Container.copy(), &found)
	}
	upTo := found.Table.Generation - 1
	if volume.Memory {
		upTo++
		delete(volume.Files, routetable.FileName)
	} else {
		volume.Served = found.Table.Generation
	}
	for name := range volume.Files {
		dir, _, _ := strings.Cut(name, "/")
		if old, ok := routetable.DirGeneration(dir); ok && old <= upTo {
			delete(volume.Files, name)
		}
	}
	return found.Table.Generation, nil
}

// inMemory reports whether a container's volume is in memory.
func (e *Engine) inMemory(c *container) bool {
	volume := e.volumes[c.Volume]
	return volume != nil && volume.Memory
}

// inside reports whether a sidecar has an interface in the subnets that its table names.
func (e *Engine) inside(c *container) bool {
	return slices.ContainsFunc(c.Endpoints, func(p reconcile.Endpoint) bool {
		n := e.networks[p.NetworkID]
		return n != nil && slices.ContainsFunc(n.Subnets, func(s string) bool {
			return slices.Contains(c.run.loaded.Table.InternalSubnets, s)
		})
	})
}

func (e *Engine) report(c *container, event routetable.ReportEvent) { e.say(c, c.run.state(event)) }

func (e *Engine) refuse(c *container, generation int64, err error) {
	r := c.run.state(routetable.EventRefused)
	r.Refused, r.Error = generation, err.Error()
	e.say(c, r)
}

func (r *run) state(event routetable.ReportEvent) routetable.Report {
	out := routetable.Report{Event: event, Error: r.problem}
	if r.loaded != nil {
		t := r.loaded.Table
		out.Serving = r.problem == ""
		out.Generation, out.Digest, out.RoutesDigest = t.Generation, t.Digest, t.RoutesDigest
		out.Rejected = r.rejected()
	}
	return out
}

// say adds to what a sidecar has said, and tells those who listen when it is something new.
func (e *Engine) say(c *container, report routetable.Report) {
	r := c.run
	news := len(r.reports) == 0 || !report.SaysNoMore(r.reports[len(r.reports)-1])
	r.reports = append(r.reports, report)
	e.write(c, string(report.Event))
	if news {
		e.spread(c, "report")
	}
	e.wake()
}
