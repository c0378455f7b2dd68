package dockerdriver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"

	"credproxy.dev/controller/pkg/reconcile"
)

const (
	// inspectionTime is how long an inspection may take that is part of a look at the engine: dockerd leaves one
	// unanswered while it holds the container's lock.
	inspectionTime = 5 * time.Second
	// What cannot be inspected is asked for again after a pause, each time twice as long, and at first four times
	// as long as the attempt took, so that it takes little of the time of all others.
	shortestPause = time.Second
	longestPause  = time.Minute
)

// errNotAwaited is why inspections are given up that an engine might still answer.
var errNotAwaited = fmt.Errorf("%w: it leaves inspections of other containers unanswered", reconcile.ErrEngineUnavailable)

// setback is an inspection that failed.
type setback struct {
	err   error
	until time.Time // not tried again before, unless the list or an event shows a change
	pause time.Duration
}

// refresh takes over the records that still hold and makes the others anew.
func (p *pass) refresh(ctx context.Context) error {
	var stale []container.Summary
	for _, c := range p.containers {
		old := p.Driver.records[c.ID]
		if old.holds(c, p.at) && !p.marks.after(c.ID, old.upTo) {
			p.records[c.ID] = old
			continue
		}
		stale = append(stale, c)
	}
	return p.lookAtAll(ctx, stale)
}

// lookAtAll makes the records of containers. That one cannot be inspected is no failure of the others, unless the
// engine does not answer at all. After the first inspection without an answer, all the rest together has as much time
// as that one had.
func (p *pass) lookAtAll(ctx context.Context, stale []container.Summary) error {
	inspecting, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	unanswered := sync.OnceFunc(func() {
		time.AfterFunc(p.limit, func() { giveUp(errNotAwaited) })
	})
	unavailable := false
	together(inspectAtOnce, stale, func(c container.Summary) {
		r := p.look(inspecting, c)
		if r == nil {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.records[c.ID] = r
		if r.failed != nil && errors.Is(r.failed.err, reconcile.ErrEngineUnavailable) {
			unavailable = true
			unanswered()
		}
	})
	if ctx.Err() != nil {
		return explain(ctx, "inspect containers", p.limit, ctx.Err())
	}
	if unavailable {
		return p.ping(ctx, p.limit)
	}
	return nil
}

// look makes the record of a listed container; nil when it went since.
func (p *pass) look(ctx context.Context, c container.Summary) *record {
	old, began := p.Driver.records[c.ID], time.Now()
	r := &record{print: fingerprint(c, stateOf(c.State)), upTo: p.upTo, claim: p.claimed(c.Labels)}
	switch {
	case r.claim == "":
		r.whose = theirs
	case old != nil:
		r.whose = old.whose
	}
	err := p.fill(ctx, r, c)
	switch {
	case errors.Is(err, reconcile.ErrNotFound):
		return nil
	case err != nil:
		p.fail(r, old, c, time.Since(began), err)
	}
	return r
}

// fail notes that a container could not be inspected. One that is not ours is told of in the log, once; of one that
// may be, whoever asked for it is told.
func (p *pass) fail(r, old *record, c container.Summary, took time.Duration, err error) {
	pause := max(shortestPause, 4*took)
	again := old != nil && old.failed != nil
	if again {
		pause = max(pause, 2*old.failed.pause)
	}
	pause = min(pause, longestPause)
	r.failed = &setback{until: time.Now().Add(pause), pause: pause}
	name := nameIn(c)
	if r.whose != theirs {
		r.failed.err = fmt.Errorf("nothing can be said of container %s, which claims to be this spec's sidecar; look with `docker inspect %s`, and remove it with `docker rm -f %s` if it stays so: %w",
			name, name, name, err)
		return
	}
	r.failed.err = err
	if !again {
		p.log.Warn("a container of somebody else cannot be inspected, so that its aliases are not known; it is tried again from time to time",
			"container", name, "error", err)
	}
}
