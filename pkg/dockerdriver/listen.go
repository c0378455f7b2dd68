package dockerdriver

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"golang.org/x/time/rate"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

const (
	// forgetAfter is how long the last lines of a container that is gone are kept, for whoever still asks.
	forgetAfter = time.Minute
	// changeReported and changeSilent are kinds of Change that no engine sends: a sidecar has said something
	// new, or is not heard any more.
	changeReported = "report"
	changeSilent   = "silent"
)

// streams are the containers that are listened to.
type streams struct {
	mu     sync.Mutex
	byID   map[string]*stream
	closed bool
	work   sync.WaitGroup // everything that listens or asks
}

// claim returns the live stream of a container, or a new one, which the caller has to attach.
func (s *streams) claim(life context.Context, id, specName string) (*stream, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.byID[id]
	if old != nil && old.live() {
		return old, false
	}
	var lines []string
	if old != nil {
		lines = old.lastLines()
	}
	if s.byID == nil {
		s.byID = map[string]*stream{}
	}
	s.byID[id] = newStream(life, id, specName, lines)
	return s.byID[id], true
}

func (s *streams) get(id string) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// heard reports whether a container is listened to.
func (s *streams) heard(id string) bool {
	found := s.get(id)
	return found != nil && found.live()
}

// drop stops listening to the containers that an engine did not have at a time, and forgets those that ended
// long ago.
func (s *streams) drop(at time.Time, present func(id string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, old := range s.byID {
		if present(id) || old.began.After(at) {
			continue
		}
		old.stop()
		if at.Sub(old.began) > forgetAfter {
			delete(s.byID, id)
		}
	}
}

// spawn runs a function that wait waits for, unless the driver is closed.
func (s *streams) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.work.Go(f)
	}
	return !s.closed
}

// wait returns when all that spawn began has ended, and lets it begin nothing more.
func (s *streams) wait() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.work.Wait()
}

// listen returns the stream of a container, attaching to it unless that is so already. fresh is true when it had to
// attach, so that what the container said before was missed.
func (d *Driver) listen(ctx context.Context, id string) (s *stream, fresh bool, err error) {
	return d.listenFor(ctx, d.opts.CallTimeout, id)
}

func (d *Driver) listenFor(ctx context.Context, limit time.Duration, id string) (s *stream, fresh bool, err error) {
	s, fresh = d.streams.claim(d.life, id, d.known.get(id).specName)
	if !fresh {
		return s, false, nil
	}
	conn, err := d.attach(ctx, limit, id)
	if err != nil {
		s.end()
		return nil, false, err
	}
	if !d.streams.spawn(func() { d.read(s, conn) }) {
		s.end()
		conn.Close()
		return nil, false, errClosed
	}
	return s, true, nil
}

var errClosed = errors.New("the driver is closed")

// attach opens the stream of a container's output. The client does not bound how long the engine may take to
// answer, so that a late answer is thrown away here.
func (d *Driver) attach(ctx context.Context, limit time.Duration, id string) (conn types.HijackedResponse, err error) {
	type answer struct {
		conn types.HijackedResponse
		err  error
	}
	err = d.callFor(ctx, limit, opContainerAttach, "attach to container "+d.nameOf(id), func(ctx context.Context) error {
		answers, began := make(chan answer), time.Now()
		go func() {
			var a answer
			a.conn, a.err = d.docker.ContainerAttach(ctx, id, container.AttachOptions{Stream: true, Stdout: true, Stderr: true})
			select {
			case answers <- a:
			case <-ctx.Done():
				if a.err == nil {
					a.conn.Close()
				}
			}
		}()
		select {
		case a := <-answers:
			d.metrics.done(opContainerAttach, attachStatus(a.err), began)
			conn = a.conn
			return a.err
		case <-ctx.Done():
			d.metrics.done(opContainerAttach, 0, began)
			return ctx.Err()
		}
	})
	return conn, err
}

// attachStatus is the HTTP status of an attachment; the client tells no other than that of success.
func attachStatus(err error) int {
	if err != nil {
		return 0
	}
	return http.StatusSwitchingProtocols
}

// read hears a container until its run ends or nobody listens any more.
func (d *Driver) read(s *stream, conn types.HijackedResponse) {
	unhook := context.AfterFunc(s.ctx, conn.Close)
	defer unhook()
	defer conn.Close()
	reports := rate.NewLimiter(reportsPerSecond, reportsAtOnce)
	stdout := &lineWriter{emit: func(line []byte, cut bool) {
		if reports.Wait(s.ctx) == nil && !cut {
			d.take(s, line)
		}
	}}
	stderr := &lineWriter{emit: func(line []byte, _ bool) { s.note(line) }}
	// How the stream ended does not matter: the next look at the engine says whether the container runs.
	_, _ = stdcopy.StdCopy(stdout, stderr, newSlowed(s.ctx, conn.Reader))
	stderr.flush()
	s.end()
	d.count(s, nil)
	if d.life.Err() == nil {
		d.notify(s.specName, changeSilent)
	}
}

// take makes of a line of a sidecar what it is: what its routes have counted, or a report.
func (d *Driver) take(s *stream, line []byte) {
	if counters, err := routetable.ParseCounters(line); err == nil {
		d.count(s, &counters)
		return
	}
	if s.hear(line) {
		d.notify(s.specName, changeReported)
	}
}

// OnCounted has take called with what sidecars count, as they tell it.
func (d *Driver) OnCounted(take func(reconcile.Counted)) { d.counted.Store(&take) }

func (d *Driver) count(s *stream, counters *routetable.Counters) {
	if take := d.counted.Load(); take != nil {
		(*take)(reconcile.Counted{ContainerID: s.container, SpecName: s.specName, Counters: counters})
	}
}

// notify tells Watch's caller of a change that the engine does not report.
func (d *Driver) notify(specName, kind string) {
	if notify := d.changed.Load(); notify != nil {
		(*notify)(reconcile.Change{SpecName: specName, Kind: kind})
	}
}
