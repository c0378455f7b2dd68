package fakeengine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

var _ reconcile.LogReader = (*Driver)(nil)

// write adds a line for people to a container's log.
func (e *Engine) write(c *container, text string) {
	c.lines = append(c.lines, reconcile.LogLine{Time: time.Now(), Text: text})
	e.wake()
}

// Writes has a container write a line for people, whatever it runs.
func (e *Engine) Writes(containerID, line string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.containers[containerID]; c != nil {
		e.write(c, line)
	}
}

// LogSources implements reconcile.LogReader.
func (d *Driver) LogSources(ctx context.Context, specName string) (sources []reconcile.LogSource, err error) {
	err = d.act(ctx, &Call{Verb: ListLogs}, func() error {
		for _, c := range d.engine.containers {
			if name := d.claimed(c.Labels); name != "" && (specName == "" || name == specName) {
				sources = append(sources, reconcile.LogSource{
					ContainerID: c.ID, ContainerName: c.Name, SpecName: name, State: c.State, Created: c.Created,
				})
			}
		}
		return nil
	})
	slices.SortFunc(sources, func(a, b reconcile.LogSource) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ContainerID, b.ContainerID))
	})
	return sources, err
}

// ReadLog implements reconcile.LogReader.
func (d *Driver) ReadLog(ctx context.Context, req reconcile.LogRequest, take func(reconcile.LogLine) error) error {
	return d.call(ctx, &Call{Verb: ReadLog, Target: req.ContainerID}, func(ctx context.Context) error {
		seen := 0
		for {
			fresh, ended, err := d.logAfter(ctx, req, seen)
			if err != nil {
				return err
			}
			seen += len(fresh)
			for _, line := range fresh {
				if line.Time.Before(req.Since) {
					continue
				}
				if err := take(line); err != nil {
					return err
				}
			}
			if ended {
				return nil
			}
		}
	})
}

// logAfter returns the lines of a log after so many, and whether they are its end. A log that is followed is waited for.
func (d *Driver) logAfter(ctx context.Context, req reconcile.LogRequest, seen int) (fresh []reconcile.LogLine, ended bool, err error) {
	err = d.engine.until(ctx, func() (bool, error) {
		c := d.engine.containers[req.ContainerID]
		switch {
		case c == nil && seen == 0:
			return false, noContainer(req.ContainerID)
		case c == nil:
			ended = true
			return true, nil
		}
		fresh = slices.Clone(c.lines[min(seen, len(c.lines)):])
		ended = !req.Follow || c.run == nil && len(fresh) == 0
		return ended || len(fresh) > 0, nil
	})
	return fresh, ended, err
}
