package reconcile

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/util/workqueue"

	"credproxy.dev/controller/pkg/spec"
)

// Options are what the operator decides about reconciling.
type Options struct {
	// NamePrefix begins the names of containers.
	NamePrefix string
	// Workers is how many names are reconciled at a time.
	Workers int
	// Resync is how often everything is compared; DeepResync how often everything is inspected too.
	Resync, DeepResync time.Duration
	// ReadyTimeout bounds the wait for a sidecar's word.
	ReadyTimeout time.Duration
	// Prune permits removals. `run` sets it; `apply` only with --prune.
	Prune bool
	// Deliberate means that a person asked for the removals: an empty directory is then meant.
	Deliberate bool
	// PruneCommand is what a person types who means the removals that look like a mistake.
	PruneCommand string
	// UpgradeSidecars replaces sidecars that run an image other than the controller's own.
	UpgradeSidecars bool
	// RequireIsolation keeps every sidecar off its internal network while there is a breach, whatever its spec says.
	RequireIsolation bool
	// RevokeMissing takes a token away from its sidecar when it has gone from its source; otherwise the sidecar keeps it.
	RevokeMissing bool
	// Locker is asked for a name before anything is done about it; nil when nobody else acts on the engine's sidecars.
	Locker Locker
	// Changed is called when List, Get, Events or Readyz have something else to tell, from any goroutine and perhaps often. It must not wait.
	// Nil when nobody wants to know.
	Changed func()
	// Progress is called as the steps of names are taken, from any goroutine. It must not wait for long. Nil when nobody wants to know.
	Progress func(Progress)
}

// containerName is what the sidecar of a spec is called.
func (o Options) containerName(specName string) string { return o.NamePrefix + "-" + specName }

// Controller makes an engine's sidecars match what is declared. Its methods may be called from any goroutine;
// Run is called once.
type Controller struct {
	driver     Driver
	resolver   Resolver
	opts       Options
	metrics    *metrics
	queueStats *queueMetrics
	recorder   *recorder
	statuses   *statuses
	deliveries *deliveries
	traffic    *traffic
	lookout    *lookout
	scenes     sceneKeeper
	// ownImage is the ID of the controller's own image, once known.
	ownImage atomic.Pointer[string]
	// fixedLimits is true once the engine has said that it cannot change limits in place.
	fixedLimits atomic.Bool

	mu       sync.Mutex
	declared Declared
	// redeclared is closed when there is another declaration, which has a channel of its own.
	redeclared chan struct{}
	history    history
	// looked is true once everything declared was compared with an observation.
	looked bool
	// engineErr is how the last observation failed; nil when it succeeded.
	engineErr error
	// marks are how old an observation may be, by name.
	marks map[string]time.Time
	// rests are until when a name that failed is left alone, unless its declaration changes or the engine returns.
	rests   map[string]time.Time
	blocked map[string]Blocked
	// lookAgain asks for a look at everything.
	lookAgain chan struct{}
	// noticed gathers what events were about. strangers asks for a look at what happened to containers that are not ours
	// up to strangersAt.
	noticed     gatherer
	strangers   chan struct{}
	strangersAt time.Time
	// queue is nil until Run.
	queue workqueue.TypedRateLimitingInterface[string]
}

// New makes a Controller. Metrics are registered with reg. It does nothing until Run, Once or Plan.
func New(driver Driver, resolver Resolver, opts Options, reg prometheus.Registerer, log *slog.Logger) *Controller {
	if opts.Changed == nil {
		opts.Changed = func() {}
	}
	if opts.Progress == nil {
		opts.Progress = func(Progress) {}
	}
	c := &Controller{
		driver: driver, resolver: resolver, opts: opts,
		metrics: newMetrics(reg), queueStats: newQueueMetrics(reg),
		recorder: newRecorder(log, opts.Changed), statuses: newStatuses(opts.Changed), deliveries: newDeliveries(), traffic: newTraffic(),
		marks: map[string]time.Time{}, rests: map[string]time.Time{}, blocked: map[string]Blocked{},
		lookAgain: make(chan struct{}, 1), strangers: make(chan struct{}, 1),
		declared: Declared{Err: errNotRead}, redeclared: make(chan struct{}),
		engineErr: errNotAsked,
	}
	c.noticed.deliver = c.notice
	c.lookout = newLookout(driver, c.seen)
	c.metrics.maxWorkers.Set(float64(opts.Workers))
	reg.MustRegister(newStateCollector(c.statuses,
		func() map[string]int {
			states := sidecarStates(c.lookout.latest())
			states[sidecarCrashLooping] += c.statuses.crashing()
			return states
		}, c.pruneBlocked), newTrafficCollector(c.traffic, c.statuses.routes), newLifetimeCollector(c.statuses, c.Lifetime))
	return c
}

// Declare sets the desired state. It returns at once; names whose declaration changed are reconciled.
func (c *Controller) Declare(d Declared) {
	c.mu.Lock()
	before := c.declared.Stale
	d.revision = c.declared.revision + 1
	d.users = sync.OnceValue(func() map[spec.TokenRef][]string { return usersOf(d.Specs) })
	c.history.everDeclared = c.history.everDeclared || len(d.Specs) > 0
	names := append(c.statuses.declare(d), d.withheldAnew(c.declared.Withheld)...)
	names = append(names, d.rootsAnew(c.declared.Roots)...)
	names = append(names, d.Policy.changedFrom(c.declared.Policy, d.Specs)...)
	c.declared = d
	close(c.redeclared)
	c.redeclared = make(chan struct{})
	c.traffic.declare(d.Specs)
	for _, name := range names {
		delete(c.rests, name)
	}
	// What withholds a name may lie in any other's declaration, or in how the scan went.
	names = append(names, slices.Collect(maps.Keys(c.blocked))...)
	c.mu.Unlock()
	c.tellFiles(before, d)
	c.enqueue(names...)
}

// Events returns the last events, oldest first.
func (c *Controller) Events() []Event { return c.recorder.list() }

// Blocked lists the names for which steps are withheld, and why.
func (c *Controller) Blocked() []Blocked {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Blocked, 0, len(c.blocked))
	for _, name := range slices.Sorted(maps.Keys(c.blocked)) {
		out = append(out, c.blocked[name])
	}
	return out
}

func (c *Controller) pruneBlocked() int {
	n := 0
	for _, b := range c.Blocked() {
		if b.Reason == ReasonPruneBlocked {
			n++
		}
	}
	return n
}

var (
	errNotRead  = fmt.Errorf("the directory was not read yet")
	errNotAsked = fmt.Errorf("the engine was not asked yet")
)

// Readyz returns nil once the engine answers and everything declared was looked at; otherwise why not.
func (c *Controller) Readyz() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.engineErr != nil:
		return c.engineErr
	case c.declared.revision == 0:
		return errNotRead
	case !c.looked:
		return fmt.Errorf("the first comparison with the engine is not done yet")
	}
	return nil
}

// seen notes the outcome of an observation.
func (c *Controller) seen(err error) {
	up := 1.0
	if err != nil {
		up = 0
	}
	c.metrics.dockerUp.Set(up)
	c.mu.Lock()
	defer c.mu.Unlock()
	if (err == nil) != (c.engineErr == nil) {
		c.opts.Changed()
	}
	c.engineErr = err
}

// snapshot returns the declaration in force.
func (c *Controller) snapshot() (Declared, history) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.declared, c.history
}

// touch demands that the next look at the names is newer than now, and returns that time.
func (c *Controller) touch(names ...string) time.Time {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		c.marks[name] = now
	}
	return now
}

// runs reports whether Run was called.
func (c *Controller) runs() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue != nil
}

func (c *Controller) mark(name string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.marks[name]
}

// enqueue has the names reconciled on an observation that is newer than now.
func (c *Controller) enqueue(names ...string) {
	c.touch(names...)
	c.add(names...)
}

// add has the names reconciled.
func (c *Controller) add(names ...string) {
	c.mu.Lock()
	queue := c.queue
	c.mu.Unlock()
	if queue == nil {
		return
	}
	for _, name := range names {
		queue.Add(name)
	}
}

// notice has the names reconciled that events were about. One that rests after a failure goes on resting: most of its
// events are of the attempt that failed.
func (c *Controller) notice(strangers bool, names ...string) {
	at := c.touch(names...)
	c.add(slices.DeleteFunc(names, c.resting)...)
	if !strangers {
		return
	}
	c.mu.Lock()
	c.strangersAt = at // one observation is new enough for both
	c.mu.Unlock()
	select {
	case c.strangers <- struct{}{}:
	default: // it is asked for already
	}
}

func (c *Controller) resting(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Before(c.rests[name])
}

// rest leaves a name alone for a while.
func (c *Controller) rest(name string, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rests[name] = time.Now().Add(d)
}

// block notes, or with nil clears, why a name is withheld.
func (c *Controller) block(name string, b *Blocked) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b == nil {
		delete(c.blocked, name)
	} else {
		c.blocked[name] = *b
	}
}

// scene returns the declaration in force beside a view. A directory in which nothing is missing is trusted from then on.
func (c *Controller) scene(v *view) (*scene, history) {
	d, h := c.snapshot()
	s := c.scenes.scene(d, v)
	if d.Complete && len(d.Specs) > 0 && len(s.orphans) == 0 && h.root != d.Root {
		c.mu.Lock()
		c.history.root = d.Root
		h = c.history
		c.mu.Unlock()
	}
	return s, h
}
