package proxy

import (
	"sync/atomic"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// tally counts the requests of one route, or those of none, since the process began. It is written by every request and locks nothing.
type tally struct {
	route string

	inFlight, warnings, injections atomic.Int64
	requestBytes, responseBytes    atomic.Int64
	requests                       [len(routetable.RouteCounters{}.Requests)]atomic.Int64
	refusals                       [len(routetable.RouteCounters{}.Refusals)]refusals
	duration, firstByte            histogram
}

// refusals counts those for one reason.
type refusals struct {
	count atomic.Int64
	flood flood
}

// histogram counts times.
type histogram struct {
	micros  atomic.Int64
	buckets [len(routetable.Histogram{}.Buckets)]atomic.Int64
}

func (h *histogram) observe(d time.Duration) {
	h.micros.Add(d.Microseconds())
	h.buckets[routetable.LatencyBucket(d)].Add(1)
}

// count takes in an exchange that has ended.
func (t *tally) count(e *exchange, took time.Duration) {
	t.requests[routetable.CodeClass(e.status)].Add(1)
	if e.code != "" {
		t.refusals[routetable.RefusalReason(e.code)].count.Add(1)
	}
	if e.warned != "" {
		t.warnings.Add(1)
	}
	if e.credential {
		t.injections.Add(1)
	}
	if n := e.received(); n > 0 {
		t.requestBytes.Add(n)
	}
	t.responseBytes.Add(e.sent())
	if e.upstream != 0 {
		t.duration.observe(took)
		t.firstByte.observe(e.firstByte)
	}
}

// counters is what it has counted up to now. Requests that end meanwhile may be in some of the numbers and not yet in others.
func (t *tally) counters() routetable.RouteCounters {
	c := routetable.RouteCounters{
		Route: t.route, InFlight: t.inFlight.Load(), Warnings: t.warnings.Load(), Injections: t.injections.Load(),
		RequestBytes: t.requestBytes.Load(), ResponseBytes: t.responseBytes.Load(),
		Duration: t.duration.load(), FirstByte: t.firstByte.load(),
	}
	for i := range t.requests {
		c.Requests[i] = t.requests[i].Load()
	}
	for i := range t.refusals {
		c.Refusals[i] = t.refusals[i].count.Load()
	}
	return c
}

func (h *histogram) load() (out routetable.Histogram) {
	out.Micros = h.micros.Load()
	for i := range h.buckets {
		out.Buckets[i] = h.buckets[i].Load()
	}
	return out
}

// tallies are those of the routes that the process has had, which go on when a route comes back. They are used by whoever swaps
// tables, and by nobody else.
type tallies struct {
	byPath map[string]*tally
	// none is that of requests that no route took.
	none *tally
}

func newTallies() *tallies {
	return &tallies{byPath: map[string]*tally{}, none: &tally{route: routetable.NoRoute}}
}

// adopt gives each route of a table the tally of its path. Past routetable.MaxCounted, routes share that of none.
func (c *tallies) adopt(t *table) {
	for _, rt := range t.routes {
		rt.tally = c.of(rt.path, t)
	}
}

func (c *tallies) of(path string, t *table) *tally {
	if known, ok := c.byPath[path]; ok {
		return known
	}
	if len(c.byPath) >= routetable.MaxCounted {
		c.forget(t)
	}
	if len(c.byPath) >= routetable.MaxCounted {
		return c.none
	}
	made := &tally{route: path}
	c.byPath[path] = made
	return made
}

// forget leaves the tallies that a table can still use.
func (c *tallies) forget(t *table) {
	kept := make(map[string]*tally, len(t.routes))
	for _, rt := range t.routes {
		if known, ok := c.byPath[rt.path]; ok {
			kept[rt.path] = known
		}
	}
	c.byPath = kept
}
