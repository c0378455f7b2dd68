package fakeengine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"sync"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// Verb names one kind of call of a driver, for counting and for faults.
type Verb string

// The verbs. Inspect, Attach, Ask and ListVolumes are parts of others: an inspection of one container, listening to its
// output, asking a sidecar for its state, looking for strays. All but Inspect are only counted, and Inspect is no call that
// AnyVerb counts.
const (
	AnyVerb       Verb = ""
	Observe       Verb = "observe"
	Inspect       Verb = "inspect"
	Attach        Verb = "attach"
	Ask           Verb = "ask"
	ListVolumes   Verb = "list_volumes"
	Watch         Verb = "watch"
	Ping          Verb = "ping"
	EnsureNetwork Verb = "ensure_network"
	RemoveNetwork Verb = "remove_network"
	Connect       Verb = "connect"
	Disconnect    Verb = "disconnect"
	EnsureImage   Verb = "ensure_image"
	Create        Verb = "create"
	Start         Verb = "start"
	Update        Verb = "update"
	Rename        Verb = "rename"
	Drain         Verb = "drain"
	Remove        Verb = "remove"
	RemoveVolume  Verb = "remove_volume"
	CopyRoutes    Verb = "copy_routes"
	ReadRoutes    Verb = "read_routes"
	WaitLoaded    Verb = "wait_loaded"
	WaitReady     Verb = "wait_ready"
	Reload        Verb = "reload"
	ListLogs      Verb = "list_logs"
	ReadLog       Verb = "read_log"
)

// Call is one call of a driver.
type Call struct {
	Instance string
	Verb     Verb
	// Target is the ID or the name of what the call is about; empty for the engine as a whole.
	Target string
	// Files are what CopyRoutes brings. A fault may take some away before they arrive.
	Files []routetable.File
	// Events is what becomes of the events that the call causes.
	Events EventFate
}

// Fault is something that goes wrong with a call. Either hook may be nil.
type Fault struct {
	// Name says what goes wrong, for the tables of Hits.
	Name string
	// Before runs before the call takes effect. If it fails, the call fails so and has none.
	Before func(context.Context, *Call) error
	// After runs after a call that took effect. If it fails, the call fails so, and nobody hears that it worked.
	After func(context.Context, *Call) error
}

// FailsBefore makes a call fail without any effect. A nil err is an engine that does not answer.
func FailsBefore(err error) Fault {
	return Fault{Name: "fails before", Before: func(context.Context, *Call) error { return cmp.Or(err, broken()) }}
}

// FailsAfter makes a call fail that has taken effect. A nil err is an engine that does not answer.
func FailsAfter(err error) Fault {
	return Fault{Name: "fails after", After: func(context.Context, *Call) error { return cmp.Or(err, broken()) }}
}

// Tears makes CopyRoutes bring only the first n files before it fails.
func Tears(n int) Fault {
	return Fault{
		Name:   "tears",
		Before: func(_ context.Context, c *Call) error { c.Files = c.Files[:min(n, len(c.Files))]; return nil },
		After:  func(context.Context, *Call) error { return broken() },
	}
}

func broken() error {
	return fmt.Errorf("%w: connection reset by peer", reconcile.ErrEngineUnavailable)
}

// Gate is a fault that holds a call before it takes effect.
type Gate struct {
	reached, released chan struct{}
	reach, release    sync.Once
}

// NewGate makes a closed gate.
func NewGate() *Gate { return &Gate{reached: make(chan struct{}), released: make(chan struct{})} }

// Fault makes calls wait at the gate until it is released or their context ends.
func (g *Gate) Fault() Fault {
	return Fault{Name: "hangs", Before: func(ctx context.Context, _ *Call) error {
		g.reach.Do(func() { close(g.reached) })
		select {
		case <-g.released:
			return nil
		case <-ctx.Done():
			return ended(ctx)
		}
	}}
}

// Reached is closed when the first call waits at the gate.
func (g *Gate) Reached() <-chan struct{} { return g.reached }

// Release lets all calls pass, from now on.
func (g *Gate) Release() { g.release.Do(func() { close(g.released) }) }

// Hit is a fault that met a verb.
type Hit struct {
	Fault string
	Verb  Verb
}

// faults counts calls and knows which are to go wrong.
type faults struct {
	rules []*rule
	calls map[Verb]int
	hits  map[Hit]int
}

// rule is a fault that waits for its call.
type rule struct {
	verb Verb
	// left is how many calls are still to come up to the one that is hit; the fault hits each call when every is set.
	left  int
	every bool
	fault Fault
}

func newFaults() faults { return faults{calls: map[Verb]int{}, hits: map[Hit]int{}} }

// Inject makes the nth call of a verb from now on, by any driver, go wrong, and each one when nth is 0. AnyVerb counts
// calls of all verbs. Several faults can meet in one call.
func (e *Engine) Inject(verb Verb, nth int, fault Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults.rules = append(e.faults.rules, &rule{verb: verb, left: nth, every: nth == 0, fault: fault})
}

// Heal takes back all faults that have not hit yet. Calls that hang go on hanging.
func (e *Engine) Heal() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults.rules = nil
}

// Calls returns how often each verb was called.
func (e *Engine) Calls() map[Verb]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.faults.calls)
}

// ResetCalls begins to count anew.
func (e *Engine) ResetCalls() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.faults.calls)
}

// Hits returns how often each fault met each verb.
func (e *Engine) Hits() map[Hit]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.faults.hits)
}

// begin counts a call and returns the faults that hit it.
func (e *Engine) begin(verb Verb) []Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.meet(verb)
}

// meet is begin for whoever holds the lock.
func (e *Engine) meet(verb Verb) []Fault {
	e.faults.calls[verb]++
	var met []Fault
	kept := e.faults.rules[:0:0]
	for _, r := range e.faults.rules {
		if r.verb == verb || r.verb == AnyVerb && verb != Inspect {
			r.left--
			if r.every || r.left == 0 {
				met = append(met, r.fault)
				e.faults.hits[Hit{r.fault.Name, verb}]++
			}
		}
		if r.every || r.left > 0 {
			kept = append(kept, r)
		}
	}
	e.faults.rules = kept
	return met
}
