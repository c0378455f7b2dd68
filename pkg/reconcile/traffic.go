package reconcile

import (
	"maps"
	"slices"
	"sync"
	"time"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// traffic adds up what sidecars count, by spec and route. Their counts begin anew with each run of a process, and the sums go on,
// over restarts and replacements. What is counted never leads to a look at anything.
type traffic struct {
	// began is when this process did.
	began time.Time

	mu   sync.Mutex
	runs map[string]*countedRun // by container
	sums map[string]sums        // by spec name
}

// sums are those of a spec's routes, by path. Which of them are routes is for others to know.
type sums map[string]*counted

type counted struct {
	routetable.RouteCounters
	// last is when a request was last heard to have ended; zero when none was.
	last time.Time
}

// countedRun is what a run of a container has said.
type countedRun struct {
	name  string
	began int64
	said  sums
	// ended is when it was last heard to end; zero while it is heard.
	ended time.Time
}

func newTraffic() *traffic {
	return &traffic{began: time.Now(), runs: map[string]*countedRun{}, sums: map[string]sums{}}
}

// take adds what a sidecar has counted since it last told.
func (t *traffic) take(c Counted) {
	t.mu.Lock()
	defer t.mu.Unlock()
	run := t.runs[c.ContainerID]
	if c.Counters == nil {
		if run != nil {
			run.end()
		}
		return
	}
	heard := run != nil && run.began == c.Counters.Run
	if !heard {
		run = &countedRun{name: c.SpecName, began: c.Counters.Run, said: sums{}}
		t.runs[c.ContainerID] = run
	}
	// What a run says first it may have counted long ago, unless it is younger than this process.
	lately := heard || run.began > t.began.UnixNano()
	run.ended = time.Time{}
	if t.sums[run.name] == nil {
		t.sums[run.name] = sums{}
	}
	for i := range c.Counters.Routes {
		now := &c.Counters.Routes[i]
		sum, before := t.sums[run.name].of(now.Route), run.said.of(now.Route)
		if sum != nil && before != nil {
			sum.grow(before, now, lately)
		}
	}
}

// grow adds what a run has counted since before; lately is true when that was since the run was last heard.
func (c *counted) grow(before *counted, now *routetable.RouteCounters, lately bool) {
	ended := c.ended()
	c.Grow(&before.RouteCounters, now)
	if lately && c.ended() > ended {
		c.last = time.Now()
	}
}

// ended is how many requests have.
func (c *counted) ended() (n int64) {
	for _, of := range c.Requests {
		n += of
	}
	return n
}

// of returns the counters of a route; nil for one too many, as there are of a sidecar that says what it likes.
func (s sums) of(route string) *counted {
	if known, ok := s[route]; ok {
		return known
	}
	if len(s) > routetable.MaxCounted {
		return nil
	}
	made := &counted{RouteCounters: routetable.RouteCounters{Route: route}}
	s[route] = made
	return made
}

// end leaves nothing in flight.
func (r *countedRun) end() {
	r.ended = time.Now()
	for _, said := range r.said {
		said.InFlight = 0
	}
}

// declare forgets the routes that specs do not have any more.
func (t *traffic) declare(specs []*spec.CredProxy) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, cp := range specs {
		maps.DeleteFunc(t.sums[cp.Name], func(path string, _ *counted) bool {
			return path != routetable.NoRoute && !slices.ContainsFunc(cp.Spec.Routes, func(r spec.Route) bool { return r.Path == path })
		})
	}
}

// keep forgets the runs that a view shows to be over for good, and the sums of names that neither a file nor a sidecar has.
func (t *traffic) keep(v *view, known map[string]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.runs, func(id string, r *countedRun) bool {
		return !r.ended.IsZero() && r.ended.Before(v.at) && !v.own[id] && v.unclear[r.name] == nil
	})
	live := map[string]bool{}
	for _, r := range t.runs {
		live[r.name] = true
	}
	maps.DeleteFunc(t.sums, func(name string, _ sums) bool { return !live[name] && !known[name] })
}

// of returns what was counted of the routes of specs, by their names, in no order. A route of which nothing was told yet is not
// among them: it may have counted before this process began.
func (t *traffic) of(routes map[string][]string) map[string][]counted {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := make(map[string][]counted, len(routes))
	inFlight := t.inFlight(routes)
	for name, paths := range routes {
		for _, path := range paths {
			if sum, ok := t.sums[name][path]; ok {
				now := *sum
				now.InFlight = inFlight[routeOf{name, path}]
				found[name] = append(found[name], now)
			}
		}
	}
	return found
}

type routeOf struct{ name, path string }

// inFlight is what all runs of these names have in flight.
func (t *traffic) inFlight(names map[string][]string) map[routeOf]int64 {
	now := map[routeOf]int64{}
	for _, run := range t.runs {
		if _, wanted := names[run.name]; !wanted {
			continue
		}
		for path, said := range run.said {
			now[routeOf{run.name, path}] += said.InFlight
		}
	}
	return now
}

// routes are the paths that each declared spec has, and that of no route, by its name.
func (s *statuses) routes() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]string, len(s.entries))
	for name, e := range s.entries {
		if e.held || len(e.object.Spec.Routes) == 0 {
			continue
		}
		all[name] = pathsOfRoutes(&e.object)
	}
	return all
}
