package fakeengine

import (
	"context"
	"fmt"
	"slices"
	"testing/fstest"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// ear is a driver's hearing of one run, from when it began to listen.
type ear struct {
	run  *run
	from int
}

// keptLines is how many lines for people a driver keeps.
const keptLines = 20

// CopyRoutes writes files to the container's volume.
func (d *Driver) CopyRoutes(ctx context.Context, containerID string, files []routetable.File) error {
	call := &Call{Verb: CopyRoutes, Target: containerID, Files: files}
	return d.act(ctx, call, func() error {
		c := d.engine.containers[containerID]
		if c == nil {
			return noContainer(containerID)
		}
		volume := d.engine.volumes[c.Volume]
		if volume == nil {
			return fmt.Errorf("%w: the volume of container %s", reconcile.ErrNotFound, c.Name)
		}
		if volume.Memory && c.run == nil {
			return nil // they are lost as soon as they are written
		}
		for _, f := range call.Files {
			volume.Files[f.Name] = &fstest.MapFile{Data: slices.Clone(f.Data), Mode: f.Mode, ModTime: time.Now()}
		}
		d.engine.proceed(c)
		return nil
	})
}

// ReadRoutes returns the table in the container's volume.
func (d *Driver) ReadRoutes(ctx context.Context, containerID string) (table routetable.Table, err error) {
	err = d.act(ctx, &Call{Verb: ReadRoutes, Target: containerID}, func() error {
		c := d.engine.containers[containerID]
		if c == nil {
			return noContainer(containerID)
		}
		volume := d.engine.volumes[c.Volume]
		if volume == nil || volume.Memory || volume.Files[routetable.FileName] == nil {
			return fmt.Errorf("%w: %s of container %s", reconcile.ErrNotFound, routetable.FileName, c.Name)
		}
		table, err = routetable.Parse(volume.Files[routetable.FileName].Data)
		table.Key = nil
		return err
	})
	return table, err
}

// WaitLoaded waits until the running sidecar reports that it has loaded the generation.
func (d *Driver) WaitLoaded(ctx context.Context, containerID string, generation int64) (routetable.Report, error) {
	return d.answer(ctx, WaitLoaded, waiting{containerID: containerID, generation: generation, loaded: true})
}

// WaitReady waits until the running sidecar reports that it serves the generation.
func (d *Driver) WaitReady(ctx context.Context, containerID string, generation int64) (routetable.Report, error) {
	return d.answer(ctx, WaitReady, waiting{containerID: containerID, generation: generation})
}

// Reload sends SIGHUP and waits as WaitReady does.
func (d *Driver) Reload(ctx context.Context, containerID string, generation int64) (routetable.Report, error) {
	return d.answer(ctx, Reload, waiting{containerID: containerID, generation: generation, signal: d.engine.hup})
}

// Load sends SIGHUP and waits as WaitLoaded does. It is counted, and meets faults, as a reload.
func (d *Driver) Load(ctx context.Context, containerID string, generation int64) (routetable.Report, error) {
	return d.answer(ctx, Reload, waiting{containerID: containerID, generation: generation, loaded: true, signal: d.engine.hup})
}

// answer waits for a sidecar's word on a generation.
func (d *Driver) answer(ctx context.Context, verb Verb, w waiting) (report routetable.Report, err error) {
	w.driver = d
	err = d.call(ctx, &Call{Verb: verb, Target: w.containerID}, func(ctx context.Context) error {
		err := d.engine.until(ctx, func() (done bool, err error) {
			report, done, err = w.look()
			return done, err
		})
		if err != nil && ctx.Err() != nil {
			return fmt.Errorf("it did not serve generation %d in time: %w", w.generation, err)
		}
		return err
	})
	return report, err
}

// waiting is how far a driver has got in waiting for an answer.
type waiting struct {
	driver      *Driver
	containerID string
	generation  int64
	// loaded is true when it is enough that the generation is loaded.
	loaded bool
	// signal is sent once the sidecar was first heard, and only what it says after that counts; nil once it was sent.
	signal func(*container)

	run   *run // that was first met
	after int  // how many of its reports are of no interest
}

func (w *waiting) look() (routetable.Report, bool, error) {
	c := w.driver.engine.containers[w.containerID]
	switch {
	case c == nil && w.run == nil:
		return routetable.Report{}, false, noContainer(w.containerID)
	case c == nil || c.run == nil || w.run != nil && w.run != c.run:
		return routetable.Report{}, false, fmt.Errorf("%w: it ended before it answered", reconcile.ErrNotRunning)
	case w.run == nil:
		w.run, w.after = c.run, w.driver.listen(c)
	}
	if w.signal != nil {
		if len(c.run.reports) == w.after {
			return routetable.Report{}, false, nil
		}
		w.after = len(c.run.reports)
		w.signal(c)
		w.signal = nil
	}
	return w.verdict(c.run.reports[w.after:])
}

// verdict finds the answer to the generation among reports.
func (w *waiting) verdict(reports []routetable.Report) (routetable.Report, bool, error) {
	for _, r := range reports {
		if r.Event == routetable.EventRefused && (r.Refused == w.generation || r.Refused == 0) {
			return r, true, fmt.Errorf("%w: generation %d: %s", reconcile.ErrRoutesRefused, w.generation, r.Error)
		}
		if r.Generation == w.generation && (r.Serving || w.loaded) {
			return r, true, nil
		}
	}
	return routetable.Report{}, false, nil
}

// LastLines returns the last lines that a container wrote while the driver listened.
func (d *Driver) LastLines(containerID string) []string {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	c := d.engine.containers[containerID]
	if _, listened := d.ears[containerID]; c == nil || !listened {
		return nil
	}
	var texts []string
	for _, line := range c.lines[max(0, len(c.lines)-keptLines):] {
		texts = append(texts, line.Text)
	}
	return texts
}

// hear listens to a run from its beginning.
func (d *Driver) hear(c *container, r *run) {
	d.engine.count(Attach)
	d.ears[c.ID] = ear{run: r}
}

// listen returns where the driver's hearing of a container's run begins. A run that it does not hear yet is asked for
// its state.
func (d *Driver) listen(c *container) int {
	if known, ok := d.ears[c.ID]; ok && known.run == c.run {
		return known.from
	}
	d.engine.count(Attach)
	from := len(c.run.reports)
	d.ears[c.ID] = ear{run: c.run, from: from}
	if c.run.program == Sidecar && c.State == reconcile.StateRunning {
		d.engine.count(Ask)
		d.engine.report(c, routetable.EventState)
		d.hearCounters(c)
	}
	return from
}

// heard is the last word of a container's run; nil when there is none.
func (d *Driver) heard(c *container) *routetable.Report {
	if c.State != reconcile.StateRunning {
		return nil
	}
	from := d.listen(c)
	reports := c.run.reports[from:]
	if len(reports) == 0 {
		return nil
	}
	last := reports[len(reports)-1]
	return &last
}
