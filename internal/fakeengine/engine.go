package fakeengine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// Engine is one container engine. Its methods, and those of its drivers, are safe for concurrent use.
type Engine struct {
	// latency is how long each call takes.
	latency time.Duration

	mu         sync.Mutex
	moved      chan struct{} // closed and replaced at each change
	made       int           // how many things were made, for IDs
	containers map[string]*container
	networks   map[string]*Network
	volumes    map[string]*Volume
	images     map[string]*Image // by Ref
	watches    map[*watch]bool
	drivers    []*Driver
	down       bool
	fate       EventFate // of the events that are caused now
	manners    Manners
	product    reconcile.Engine
	whenLoaded func(Container, *routetable.Loaded)
	faults     faults
}

// New makes an empty engine of which each call takes the given time. With testing/synctest a millisecond, which costs
// nothing there, lets time pass between what a controller does and what it sees next, as on any real engine.
func New(latency time.Duration) *Engine {
	return &Engine{
		latency:    latency,
		moved:      make(chan struct{}),
		containers: map[string]*container{},
		networks:   map[string]*Network{},
		volumes:    map[string]*Volume{},
		images:     map[string]*Image{},
		watches:    map[*watch]bool{},
		faults:     newFaults(),
		product:    reconcile.Engine{Product: "Docker", Version: "28.5.2"},
	}
}

// Snapshot is all that is on an engine, in order of names and then IDs. It shares nothing with the engine.
type Snapshot struct {
	Containers []Container
	Networks   []Network
	Volumes    []Volume
	Images     []Image
}

// Snapshot looks at everything at once.
func (e *Engine) Snapshot() Snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	var s Snapshot
	for _, c := range e.sorted() {
		s.Containers = append(s.Containers, c.Container.copy())
	}
	for _, n := range e.sortedNetworks() {
		s.Networks = append(s.Networks, n.copy())
	}
	for _, name := range slices.Sorted(maps.Keys(e.volumes)) {
		s.Volumes = append(s.Volumes, e.volumes[name].copy())
	}
	for _, ref := range slices.Sorted(maps.Keys(e.images)) {
		s.Images = append(s.Images, *e.images[ref])
	}
	return s
}

// Container returns one container by ID or name; false when there is none.
func (e *Engine) Container(idOrName string) (Container, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.find(idOrName); c != nil {
		return c.Container.copy(), true
	}
	return Container{}, false
}

func (e *Engine) find(idOrName string) *container {
	if c := e.containers[idOrName]; c != nil {
		return c
	}
	for _, c := range e.containers {
		if c.Name == idOrName {
			return c
		}
	}
	return nil
}

func (e *Engine) sorted() []*container {
	return slices.SortedFunc(maps.Values(e.containers), func(a, b *container) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

func (e *Engine) sortedNetworks() []*Network {
	return slices.SortedFunc(maps.Values(e.networks), func(a, b *Network) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

// newID returns an ID of Docker's form that no other thing has.
func (e *Engine) newID() string {
	e.made++
	sum := sha256.Sum256(fmt.Append(nil, e.made))
	return hex.EncodeToString(sum[:])
}

// act runs f under the lock and tells whoever waits that something may have changed. Events that f causes have the fate,
// unless all events have one. It fails when the engine is down.
func (e *Engine) act(fate EventFate, f func() error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down {
		return errDown()
	}
	defer e.wake()
	defer func(before EventFate) { e.fate = before }(e.fate)
	if fate != EventsArrive {
		e.fate = fate
	}
	return f()
}

// wake lets those who wait look again.
func (e *Engine) wake() {
	close(e.moved)
	e.moved = make(chan struct{})
}

// until runs f under the lock, again after each change, until it is done or fails, or ctx ends, and then fails with its
// cause.
func (e *Engine) until(ctx context.Context, f func() (done bool, err error)) error {
	for {
		e.mu.Lock()
		moved, down := e.moved, e.down
		done, err := false, errDown()
		if !down {
			done, err = f()
		}
		e.mu.Unlock()
		if done || err != nil {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (e *Engine) isDown() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.down
}

func errDown() error {
	return fmt.Errorf("%w: connection refused", reconcile.ErrEngineUnavailable)
}

// ended says why a call was given up: a deadline means that the engine did not answer in time, anything else that the
// caller went away.
func ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: no answer in time: %w", reconcile.ErrEngineUnavailable, ctx.Err())
	}
	return context.Cause(ctx)
}
