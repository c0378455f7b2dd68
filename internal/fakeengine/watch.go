package fakeengine

import (
	"context"
	"fmt"

	"credproxy.dev/controller/pkg/reconcile"
)

// watch is one open stream of events.
type watch struct {
	driver *Driver
	queue  []reconcile.Change
	cut    bool
}

// Watch reports changes until ctx ends or the stream is cut.
func (d *Driver) Watch(ctx context.Context, notify func(reconcile.Change)) error {
	w := &watch{driver: d}
	err := d.act(ctx, &Call{Verb: Watch}, func() error {
		d.engine.watches[w] = true
		return nil
	})
	if err != nil {
		return err
	}
	defer w.close()
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
func (w *watch) next(ctx context.Context) (changes []reconcile.Change, err error) {
	err = w.driver.engine.until(ctx, func() (bool, error) {
		changes, w.queue = w.queue, nil
		if w.cut && len(changes) == 0 {
			return false, broken()
		}
		return len(changes) > 0, nil
	})
	return changes, err
}

func (w *watch) close() {
	w.driver.engine.mu.Lock()
	defer w.driver.engine.mu.Unlock()
	delete(w.driver.engine.watches, w)
}

// tell sends an event to all who watch. c is the container that it is about; nil for none. Who hears of a container
// inspects it at the next look.
func (e *Engine) tell(c *container, change reconcile.Change) {
	if e.deaf {
		return
	}
	for w := range e.watches {
		out := change
		if c != nil {
			delete(w.driver.looks, c.ID)
			if shown(c, labelInstance) == w.driver.instance {
				out.SpecName = shown(c, labelName)
			}
		}
		w.queue = append(w.queue, out)
	}
}

// spread tells the drivers that listen to a sidecar that it has said something new.
func (e *Engine) spread(c *container, kind string) {
	for w := range e.watches {
		if known, ok := w.driver.ears[c.ID]; ok && known.run == c.run && w.driver.claimed(c.Labels) != "" {
			w.queue = append(w.queue, reconcile.Change{SpecName: c.Labels[labelName], Kind: kind})
		}
	}
}
