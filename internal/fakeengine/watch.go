package fakeengine

import (
	"context"
	"fmt"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

// watch is one open stream of events.
type watch struct {
	driver *Driver
	queue  []notice
	cut    bool
}

// notice is an event on its way.
type notice struct {
	due    time.Time
	change reconcile.Change
	// container is the ID of what it is about; empty for none. Who hears of a container inspects it at the next look.
	container string
}

// Watch reports changes until ctx ends or the stream is cut.
func (d *Driver) Watch(ctx context.Context, notify func(reconcile.Change)) error {
	w := &watch{driver: d}
	defer w.close()
	err := d.act(ctx, &Call{Verb: Watch}, func() error {
		d.engine.watches[w] = true
		return nil
	})
	if err != nil {
		return err
	}
	notify(reconcile.Change{})
	for {
		changes, err := w.next(ctx)
		for _, change := range changes {
			notify(change)
		}
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
}

// next waits for changes.
func (w *watch) next(ctx context.Context) ([]reconcile.Change, error) {
	e := w.driver.engine
	for {
		e.mu.Lock()
		moved, down := e.moved, e.down
		changes, later := w.arrived()
		cut := w.cut
		e.mu.Unlock()
		switch {
		case down:
			return nil, errDown()
		case len(changes) > 0:
			return changes, nil
		case cut:
			return nil, broken()
		}
		if err := w.sleep(ctx, moved, later); err != nil {
			return nil, err
		}
	}
}

// arrived takes out of the queue what has come by now, and says when the next is to come; zero when nothing is on its way.
func (w *watch) arrived() (changes []reconcile.Change, later time.Time) {
	now, kept := time.Now(), w.queue[:0:0]
	for _, n := range w.queue {
		if n.due.After(now) {
			kept = append(kept, n)
			if later.IsZero() || n.due.Before(later) {
				later = n.due
			}
			continue
		}
		delete(w.driver.looks, n.container)
		if n.change.Kind == "destroy" && n.change.SpecName != "" {
			w.driver.strays.sought = true
		}
		changes = append(changes, n.change)
	}
	w.queue = kept
	return changes, later
}

// sleep returns when the engine has moved or the time has come; it fails when ctx ends.
func (w *watch) sleep(ctx context.Context, moved <-chan struct{}, until time.Time) error {
	var come <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		come = timer.C
	}
	select {
	case <-moved:
	case <-come:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

func (w *watch) close() {
	w.driver.engine.mu.Lock()
	defer w.driver.engine.mu.Unlock()
	delete(w.driver.engine.watches, w)
}

// tell sends an event to all who watch. c is the container that it is about; nil for none.
func (e *Engine) tell(c *container, change reconcile.Change) {
	times, due := 1, time.Now()
	switch e.fate {
	case EventsLost:
		return
	case EventsLate:
		due = due.Add(lateness)
	case EventsDoubled:
		times = 2
	}
	for w := range e.watches {
		n := notice{due: due, change: change}
		if c != nil {
			n.container = c.ID
			if shown(c, labelInstance) == w.driver.instance {
				n.change.SpecName = shown(c, labelName)
			}
			n.change.Stranger = w.driver.claimed(c.Labels) == ""
		}
		for range times {
			w.queue = append(w.queue, n)
		}
	}
}

// told is a network's name as an event about one of its containers tells it.
func (e *Engine) told(network string) string {
	if e.manners == Podman {
		return ""
	}
	return network
}

// tellOfNetwork sends an event about a network as a whole.
func (e *Engine) tellOfNetwork(n *Network, kind string) {
	if e.manners != Podman {
		e.tell(nil, reconcile.Change{Network: n.Name, Kind: kind})
	}
}

// spread tells the drivers that listen to a sidecar that it has said something new.
func (e *Engine) spread(c *container, kind string) {
	for w := range e.watches {
		if known, ok := w.driver.ears[c.ID]; ok && known.run == c.run && w.driver.claimed(c.Labels) != "" {
			w.queue = append(w.queue, notice{change: reconcile.Change{SpecName: c.Labels[labelName], Kind: kind}})
		}
	}
}
