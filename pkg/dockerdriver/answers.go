package dockerdriver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

const (
	signalReload = "SIGHUP"
	signalTell   = "SIGUSR1"

	// youth is how long after its start a sidecar may not have set its signal handlers yet, so that a signal would
	// kill it. It is given patienceWithYouth to say something by itself first.
	youth             = 3 * time.Second
	patienceWithYouth = 300 * time.Millisecond
	// silence is how long a sidecar that was heard from its start may say nothing before it is asked.
	silence = 2 * time.Second
)

// WaitLoaded waits until the running sidecar reports that it has loaded the generation, on whichever networks it is.
func (d *Driver) WaitLoaded(ctx context.Context, containerID string, generation int64) (routetable.Report, error) {
	return d.wait(ctx, containerID, answerTo{generation: generation, loaded: true})
}

// WaitReady waits until the running sidecar reports that it serves the generation.
func (d *Driver) WaitReady(ctx context.Context, containerID string, generation int64) (routetable.Report, error) {
	return d.wait(ctx, containerID, answerTo{generation: generation})
}

func (d *Driver) wait(ctx context.Context, containerID string, want answerTo) (routetable.Report, error) {
	s, err := d.line(ctx, containerID)
	if err != nil {
		return routetable.Report{}, err
	}
	return d.await(ctx, s, want, 0)
}

// answerTo is what is waited for: a generation that is served, or only loaded.
type answerTo struct {
	generation int64
	loaded     bool
}

func (a answerTo) met(r routetable.Report) bool {
	return r.Generation == a.generation && (r.Serving || a.loaded)
}

// Reload sends SIGHUP and waits as WaitReady does. It is not sent before the sidecar has first been heard, since it
// would kill one that has only just begun.
func (d *Driver) Reload(ctx context.Context, containerID string, generation int64) (routetable.Report, error) {
	return d.reread(ctx, containerID, answerTo{generation: generation})
}

// Load sends SIGHUP and waits as WaitLoaded does.
func (d *Driver) Load(ctx context.Context, containerID string, generation int64) (routetable.Report, error) {
	return d.reread(ctx, containerID, answerTo{generation: generation, loaded: true})
}

func (d *Driver) reread(ctx context.Context, containerID string, want answerTo) (routetable.Report, error) {
	s, err := d.line(ctx, containerID)
	if err != nil {
		return routetable.Report{}, err
	}
	select {
	case <-s.spoke:
	case <-s.done:
		return routetable.Report{}, d.whyEnded(ctx, s)
	case <-ctx.Done():
		return routetable.Report{}, d.unanswered(ctx, s, want.generation, nil)
	}
	_, before, _ := s.since(0)
	if err := d.signal(ctx, containerID, signalReload); err != nil {
		return routetable.Report{}, err
	}
	return d.await(ctx, s, want, before)
}

// line returns the stream of a running sidecar, and sees to it that something will be said on it.
func (d *Driver) line(ctx context.Context, containerID string) (*stream, error) {
	s, fresh, err := d.listen(ctx, containerID)
	if err != nil || fresh {
		// An engine may let one attach to what does not run, and says nothing then. When it refuses, it is with a
		// status that the client does not hand on.
		if why := d.notHeard(ctx, containerID, err != nil); why != nil {
			err = why
		}
	}
	if err != nil {
		if fresh {
			s.stop()
		}
		return nil, err
	}
	d.askUnlessHeard(s, fresh)
	return s, nil
}

// notHeard returns why nothing can be heard of a container; nil when it runs. One that refused to be attached to and
// that the engine has restarted did not run just now, and runs again only until it ends as before.
func (d *Driver) notHeard(ctx context.Context, containerID string, refused bool) error {
	found, err := d.inspect(ctx, containerID)
	if err != nil {
		return err
	}
	if found.State.Running && !found.State.Restarting && (!refused || found.RestartCount == 0) {
		return nil
	}
	return fmt.Errorf("%w: container %s is %s, with exit code %d; `docker logs %s` shows what it wrote", reconcile.ErrNotRunning,
		d.nameOf(containerID), stateOf(found.State.Status), found.State.ExitCode, d.nameOf(containerID))
}

// LastLines returns the last lines that the container wrote for people.
func (d *Driver) LastLines(containerID string) []string {
	if s := d.streams.get(containerID); s != nil {
		return s.lastLines()
	}
	return nil
}

// await waits for the answer to a generation among the reports after the first n.
func (d *Driver) await(ctx context.Context, s *stream, want answerTo, n int) (routetable.Report, error) {
	var last *routetable.Report
	for {
		reports, count, next := s.since(n)
		n = count
		for _, r := range reports {
			switch {
			case refuses(r, want.generation):
				return r, fmt.Errorf("%w: generation %d: %s", reconcile.ErrRoutesRefused, want.generation, r.Error)
			case want.met(r):
				return r, nil
			}
			last = &r
		}
		select {
		case <-next:
		case <-s.done:
			return routetable.Report{}, d.whyEnded(ctx, s)
		case <-ctx.Done():
			return routetable.Report{}, d.unanswered(ctx, s, want.generation, last)
		}
	}
}

// refuses reports whether a report refuses a generation. One that could not be read as far as its number is the
// one that was just written.
func refuses(r routetable.Report, generation int64) bool {
	return r.Event == routetable.EventRefused && (r.Refused == generation || r.Refused == 0)
}

// unanswered says how far a sidecar got that gave no answer in time.
func (d *Driver) unanswered(ctx context.Context, s *stream, generation int64, last *routetable.Report) error {
	state := "it said nothing"
	if last != nil {
		state = fmt.Sprintf("it last said %q, serving generation %d", last.Event, last.Generation)
		if !last.Serving {
			state = fmt.Sprintf("it last said %q, serving nothing", last.Event)
		}
		if last.Error != "" {
			state += ": " + last.Error
		}
	}
	return fmt.Errorf("sidecar %s did not serve generation %d in time; %s: %w",
		d.nameOf(s.container), generation, state, context.Cause(ctx))
}

// whyEnded says why a sidecar is not heard any more: it has ended, or the engine has let go of the line.
func (d *Driver) whyEnded(ctx context.Context, s *stream) error {
	name := d.nameOf(s.container)
	if ctx.Err() != nil {
		return fmt.Errorf("%w: container %s ended before it answered", reconcile.ErrNotRunning, name)
	}
	found, err := d.inspectEnded(ctx, s.container)
	switch {
	case errors.Is(err, reconcile.ErrNotFound):
		return fmt.Errorf("%w: container %s was removed before it answered", reconcile.ErrNotRunning, name)
	case err != nil:
		return err
	case !hasEnded(found):
		return fmt.Errorf("%w: it let go of the output of container %s, which still runs", reconcile.ErrEngineUnavailable, name)
	}
	return fmt.Errorf("%w: container %s ended with exit code %d before it answered; `docker logs %s` shows what it wrote",
		reconcile.ErrNotRunning, name, found.State.ExitCode, name)
}

// endingTime is how long an engine may take to know that a container has ended whose output has. Podman takes a moment.
const endingTime = time.Second

// inspectEnded inspects a container of which nothing is heard any more, until the engine knows that it has ended, or
// until it is plain that it has not.
func (d *Driver) inspectEnded(ctx context.Context, id string) (container.InspectResponse, error) {
	tick := time.NewTicker(endingTime / 20)
	defer tick.Stop()
	late := time.After(endingTime)
	for {
		found, err := d.inspect(ctx, id)
		if err != nil || hasEnded(found) {
			return found, err
		}
		select {
		case <-tick.C:
		case <-late:
			return found, nil
		case <-ctx.Done():
			return found, nil
		}
	}
}

// hasEnded reports whether a run of a container has ended, even if the next one has begun.
func hasEnded(c container.InspectResponse) bool {
	return !c.State.Running || c.State.Restarting || c.RestartCount > 0
}

// signal sends a signal to a container.
func (d *Driver) signal(ctx context.Context, containerID, name string) error {
	err := d.call(ctx, opContainerKill, fmt.Sprintf("send %s to container %s", name, d.nameOf(containerID)), func(ctx context.Context) error {
		return d.docker.ContainerKill(ctx, containerID, name)
	})
	if err != nil && notRunning(err) {
		return fmt.Errorf("%w: %w", reconcile.ErrNotRunning, err)
	}
	return err
}

// askUnlessHeard sees to it that a sidecar says something, if it has not yet. fresh tells that it may have said
// something before anybody listened.
func (d *Driver) askUnlessHeard(s *stream, fresh bool) {
	select {
	case <-s.spoke:
		return
	default:
	}
	if fresh {
		d.askAfter(s, patienceWithYouth)
	} else {
		d.askAfter(s, silence)
	}
}

// askAfter asks a sidecar for its state, unless it says something by itself first. Whether the answer comes is seen on
// the stream; that the question fails is not worth telling, since the next look at the engine says why.
func (d *Driver) askAfter(s *stream, wait time.Duration) {
	d.streams.spawn(func() {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
			if err := d.signal(s.ctx, s.container, signalTell); err != nil && s.live() {
				d.log.Debug("a sidecar could not be asked for its state", "container", s.container, "error", err)
			}
		case <-s.spoke:
		case <-s.ctx.Done():
		}
	})
}

// listenToAll attaches to the running sidecars that are not listened to, asks them for their state, and returns
// their streams.
func (p *pass) listenToAll(ctx context.Context) (fresh []*stream) {
	var unheard []reconcile.Sidecar
	for _, r := range p.records {
		if r.isSidecar() && !r.tty && r.sidecar.State == reconcile.StateRunning && !p.streams.heard(r.sidecar.ID) {
			unheard = append(unheard, r.sidecar)
		}
	}
	together(inspectAtOnce, unheard, func(c reconcile.Sidecar) {
		s, attached, err := p.listenFor(ctx, p.limit, c.ID)
		if err != nil && p.stillRuns(ctx, c.ID) {
			p.log.Warn("a running sidecar cannot be heard; it is tried again at the next look", "sidecar", c.Name, "error", err)
		}
		if err != nil || !attached {
			return
		}
		wait := time.Duration(0)
		if time.Since(c.StartedAt) < youth {
			wait = patienceWithYouth
		}
		p.askAfter(s, wait)
		p.mu.Lock()
		defer p.mu.Unlock()
		fresh = append(fresh, s)
	})
	return fresh
}

// stillRuns reports whether a container that was listed as running still does; true when that cannot be told.
func (p *pass) stillRuns(ctx context.Context, id string) bool {
	found, err := p.inspectFor(ctx, p.limit, id)
	if err != nil {
		return !errors.Is(err, reconcile.ErrNotFound) && ctx.Err() == nil
	}
	return found.State.Running
}

// awaitFirst waits until every stream has brought a report or has ended, for firstAnswers in all.
func awaitFirst(ctx context.Context, streams []*stream) {
	ctx, cancel := context.WithTimeout(ctx, firstAnswers)
	defer cancel()
	for _, s := range streams {
		select {
		case <-s.spoke:
		case <-s.done:
		case <-ctx.Done():
			return
		}
	}
}
