package model

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// world is an engine with all that lives on it, the files and tokens, and the controller that runs now. Its own methods
// are called by the one goroutine that plays a script.
type world struct {
	ctx     context.Context
	engine  *fakeengine.Engine
	files   *files
	tokens  *purse
	locks   *locks
	workers int
	now     *process
	past    []*process
	// foreign is what everything that is not ours has to look like.
	foreign map[string]string
	taken   int // names that hands gave, so that each is new

	mu       sync.Mutex
	problems []string
	trace    []string
	hits     map[fakeengine.Hit]int
	// loaded is what each container took over last, by ID.
	loaded map[string]routetable.Table
	counts tally
	// sample, if set, is called after each call of a controller.
	sample func()
}

// process is one run of a controller.
type process struct {
	*reconcile.Controller
	driver *mortal
	cancel context.CancelFunc
	ended  chan struct{}
	// hadSpecs is true once a usable spec was declared to it.
	hadSpecs bool
}

const instance = "default"

// deepResync is how often controllers look at everything anew.
const deepResync = 2 * time.Minute

// play has a world in a bubble, and returns what went wrong.
func play(t *testing.T, workers int, story func(*world)) (w *world, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t.Context(), workers)
		story(w)
		w.end()
		err = w.verdict()
	})
	return w, err
}

func newWorld(ctx context.Context, workers int) *world {
	w := &world{
		ctx: ctx, engine: fakeengine.New(time.Millisecond), files: newFiles(), locks: newLocks(), workers: workers,
		hits: map[fakeengine.Hit]int{}, loaded: map[string]routetable.Table{},
	}
	w.tokens = newPurse(w)
	w.engine.WhenLoaded(w.checkLoaded)
	w.furnish()
	w.start()
	return w
}

// start begins a new process.
func (w *world) start() {
	ctx, cancel := context.WithCancel(w.ctx)
	p := w.launch(cancel, false)
	go func() {
		defer close(p.ended)
		if err := p.Run(ctx); err != nil {
			w.fail("Run: %v", err)
		}
	}()
	w.mu.Lock()
	w.now = p
	w.mu.Unlock()
	w.log("a controller starts")
}

// launch makes a process to which the files are declared. A deliberate one is a person's single pass.
func (w *world) launch(cancel context.CancelFunc, deliberate bool) *process {
	p := &process{cancel: cancel, ended: make(chan struct{})}
	p.driver = &mortal{driver: w.engine.Driver(instance), world: w, die: cancel, deliberate: deliberate, done: map[fakeengine.Verb]int{}}
	p.Controller = reconcile.New(p.driver, w.tokens, reconcile.Options{
		NamePrefix: prefix, Workers: w.workers, Prune: true, Deliberate: deliberate, Resync: 30 * time.Second,
		DeepResync: deepResync, ReadyTimeout: 10 * time.Second, Locker: key{w.locks, p.driver},
	}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	p.hadSpecs = len(w.files.declared().Specs) > 0
	p.Declare(w.files.declared())
	return p
}

// prune is a person's `controller apply --prune`, beside the controller that runs.
func (w *world) prune() {
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	w.log("a person prunes")
	if err := w.launch(cancel, true).Once(ctx); err != nil {
		w.log("the person's pass failed: %v", err)
	}
}

// declare hands the files to the controller.
func (w *world) declare() {
	w.mu.Lock()
	d := w.files.declare()
	w.now.hadSpecs = w.now.hadSpecs || len(d.Specs) > 0
	w.mu.Unlock()
	w.now.Declare(d)
}

// revive starts a new process if the last one is dead.
func (w *world) revive() {
	if w.now.driver.isDead() {
		w.log("the controller is dead")
		w.past = append(w.past, w.now)
		w.start()
	}
}

// restart ends the process in an orderly way and starts a new one, which inherits its doom.
func (w *world) restart() {
	w.now.cancel()
	<-w.now.ended
	if n, after := w.now.driver.doomed(); n > 0 {
		defer func() { w.now.driver.doom(n, after) }()
	}
	w.start()
}

// end waits for all processes.
func (w *world) end() {
	w.engine.SetDown(false)
	w.now.cancel()
	for _, p := range append(w.past, w.now) {
		<-p.ended
	}
	for hit, n := range w.engine.Hits() {
		w.hits[hit] += n
	}
}

// rest lets time pass, and then waits until nobody has anything to do.
func (w *world) rest(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
	synctest.Wait()
	if w.now.driver.idle() {
		w.mu.Lock()
		w.files.base = len(w.files.past) - 1
		w.mu.Unlock()
	}
}

// hand does something to the engine behind the controller's back.
func (w *world) hand(f func()) {
	w.checkForeign()
	f()
	w.foreign = foreign(w.engine.Snapshot())
}

func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	problem := fmt.Sprintf(format, args...)
	w.problems = append(w.problems, problem)
	w.trace = append(w.trace, stamp()+"PROBLEM: "+problem)
}

func (w *world) log(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, stamp()+fmt.Sprintf(format, args...))
}

// stamp is the time in the bubble, which begins with the year 2000.
func stamp() string {
	return fmt.Sprintf("%9.3fs ", time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).Seconds())
}

// tally counts the calls of all controllers so far. acts is its count when the last was made that was more than a look.
type tally struct{ calls, acts int }

func (w *world) tally() tally {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts
}

// called notes a call of a controller.
func (w *world) called(verb fakeengine.Verb, target string, err error) {
	w.mu.Lock()
	sample := w.sample
	w.counts.calls++
	if verb != fakeengine.Observe {
		w.counts.acts = w.counts.calls
	}
	if verb != fakeengine.Observe || err != nil {
		w.trace = append(w.trace, fmt.Sprintf("%s  %s %.20s %v", stamp(), verb, target, err))
	}
	w.mu.Unlock()
	if sample != nil {
		sample()
	}
}

// note counts a fault that the engine does not count.
func (w *world) note(hit fakeengine.Hit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hits[hit]++
}

// verdict is nil when nothing went wrong.
func (w *world) verdict() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(w.problems, "\n"))
}

// story is what happened, for the reader of a failure.
func (w *world) story() string { return strings.Join(w.trace, "\n") }

// checkLoaded holds that no token is ever paired with another reference's upstream or asked of callers, and that the
// generations of a sidecar never go back.
func (w *world) checkLoaded(c fakeengine.Container, l *routetable.Loaded) {
	w.mu.Lock()
	last, known := w.loaded[c.ID]
	w.loaded[c.ID] = l.Table
	w.mu.Unlock()
	if now := l.Table; known && (now.Generation < last.Generation || now.Generation == last.Generation && now.Digest != last.Digest) {
		w.fail("%s went from generation %d to another %d", c.Name, last.Generation, now.Generation)
	}
	if asked := l.Table.CallerAuth; asked != nil {
		key, ok := l.CallerKey(asked)
		if ref, _, _ := strings.Cut(key.Reveal(), "-"); !ok || ref != keyRef {
			w.fail("%s asks its callers for the token of %s", c.Name, ref)
		}
	}
	for _, r := range l.Table.Routes {
		if r.Auth == nil {
			continue
		}
		tokens, ok := l.Tokens(r.Auth)
		if ref, _, _ := strings.Cut(tokens[routetable.OnlyToken].Reveal(), "-"); ok && r.Upstream != upstream(ref) {
			w.fail("%s sends the token of %s to %s", c.Name, ref, r.Upstream)
		}
	}
}

// network returns the IDs of the networks of a name.
func networkIDs(s fakeengine.Snapshot, name string) (ids []string) {
	for _, n := range s.Networks {
		if n.Name == name {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// sidecars are the instance's containers of a spec, in order of their names.
func sidecars(s fakeengine.Snapshot, name string) (found []fakeengine.Container) {
	for _, c := range s.Containers {
		if c.Instance() == instance && c.SpecName() == name {
			found = append(found, c)
		}
	}
	return found
}

// foreign describes all that is not ours, by ID.
func foreign(s fakeengine.Snapshot) map[string]string {
	all := map[string]string{}
	for _, c := range s.Containers {
		if c.Instance() == instance {
			continue
		}
		for i := range c.Endpoints {
			c.Endpoints[i].IPv4 = "" // a restart of the engine gives another
		}
		all[c.ID] = fmt.Sprint("container ", c.Name, c.Labels, c.State, c.Endpoints, c.Env, c.Limits, c.Volume)
	}
	for _, n := range s.Networks {
		if n.Labels[labelInstance] != instance {
			all[n.ID] = fmt.Sprint("network ", n.Name, n.Internal, n.Subnets, n.Labels)
		}
	}
	for _, v := range s.Volumes {
		if v.Labels[labelInstance] != instance {
			all[v.Name] = fmt.Sprint("volume ", v.Labels, slices.Sorted(maps.Keys(v.Files)))
		}
	}
	return all
}

const labelInstance = spec.Group + "/instance"

// checkForeign holds that nothing that is not ours has changed since a hand last touched anything.
func (w *world) checkForeign() {
	now := foreign(w.engine.Snapshot())
	for id, was := range w.foreign {
		if now[id] != was {
			w.fail("what is not ours was changed: %s, now %q", was, now[id])
		}
	}
	for id, is := range now {
		if w.foreign[id] == "" {
			w.fail("something that nobody owns was made: %s", is)
		}
	}
	w.foreign = now
}
