package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// sidecar is the state of a running sidecar. Its methods are called by one goroutine.
type sidecar struct {
	options      Options
	drainTimeout time.Duration
	streams      *streams
	handler      *Handler
	doorway      *doorway
	outside      *ward
	visitors     *visitors
	server       *server
	// cutOff ends the requests in flight.
	cutOff context.CancelFunc
	ended  chan struct{}

	// loaded is the table that is served; nil until the first whole one.
	loaded *routetable.Table
	// announced is true once ready was reported.
	announced bool
	// told is whether the last report said that the sidecar serves, and toldAt when that was.
	told   bool
	toldAt time.Time
	// toldRejected are the tokens of which it said that they are rejected.
	toldRejected []routetable.Rejection
	ledger       ledger
	// problem says why nothing is served; nil while the listener is open.
	problem error
	// ajar is true while the listener is open on standby.
	ajar bool
}

func newSidecar(o Options, drainTimeout time.Duration, outside *ward) *sidecar {
	streams := newStreams(o.Stdout, o.Stderr)
	handler := NewHandler(o.outlets, streams.log, streams.lines, o.Getenv(routetable.SpecVariable))
	return &sidecar{
		options:      o,
		drainTimeout: drainTimeout,
		streams:      streams,
		handler:      handler,
		doorway:      newDoorway(o.Network, connectionsIn(o.MemoryLimit), handler.guests, streams.log),
		outside:      outside,
		visitors:     newVisitors(),
		ledger:       newLedger(),
		ended:        make(chan struct{}),
		problem:      errors.New("starting"),
	}
}

// start begins to answer what the doorway lets in, which is nothing until a table says where to listen.
func (s *sidecar) start() {
	base, cutOff := context.WithCancel(context.Background())
	s.cutOff = cutOff
	s.server = newServer(base, s.handler, s.streams.log)
	s.server.ConnState = s.follow
	go func() {
		defer close(s.ended)
		// It always fails in the end: the doorway is closed, or the server.
		_ = s.server.Serve(s.doorway)
	}()
}

// follow is http.Server's ConnState hook.
func (s *sidecar) follow(conn net.Conn, state http.ConnState) {
	if g, ok := conn.(*guest); ok && state == http.StateIdle {
		g.next()
	}
	s.visitors.note(conn, state)
}

// stop cuts off what is still in flight, and tells what was counted up to the end.
func (s *sidecar) stop() {
	s.cutOff()
	_ = s.server.Close()
	<-s.ended
	_ = s.doorway.Close()
	s.handler.tunnels.Wait()
	s.handler.tellRefused()
	s.tellCounters()
}

func (s *sidecar) serving() bool { return s.problem == nil }

// look takes the next step towards serving: a table if there is none yet, then the listener.
func (s *sidecar) look(ctx context.Context) {
	if s.loaded != nil {
		s.open(ctx, "")
		return
	}
	if err := s.load(lastServed(s.options.Dir)); err != nil {
		s.await(ctx, err)
		return
	}
	s.open(ctx, routetable.EventLoaded)
}

// open makes the listener match the interfaces, and reports what happened: that it is ready for the first time, or
// else news, if there are any, or else a change that the controller has not heard of.
func (s *sidecar) open(ctx context.Context, news routetable.ReportEvent) {
	s.stand(s.doorway.adjust(ctx))
	switch {
	case s.serving() && !s.announced:
		s.announced = true
		s.report(routetable.EventReady)
	case news != "":
		s.report(news)
	case s.stale() && time.Since(s.toldAt) >= tellAgain:
		s.report(routetable.EventState)
	}
}

// stale reports whether the controller takes the sidecar to serve when it does not, or the other way round.
func (s *sidecar) stale() bool { return s.told != s.serving() }

// stand notes whether the sidecar serves, and logs each new reason why it does not. One that only another push can mend is
// reported too: a table that is wrong, rather than still being written, and that there is none on standby.
func (s *sidecar) stand(err error) {
	changed := err != nil && (s.problem == nil || s.problem.Error() != err.Error())
	s.problem = err
	if !changed {
		return
	}
	var refused *refusedError
	s.streams.log.Log(context.Background(), s.levelOf(err), "not serving", "reason", err)
	switch {
	case errors.Is(err, errNotDelivered):
		s.report(routetable.EventState)
	case errors.As(err, &refused) && !errors.Is(err, routetable.ErrIncomplete):
		s.reportRefused(refused)
	}
}

// levelOf is that of a reason not to serve. A sidecar that has not served yet waits for one thing after the other: its tokens, and a
// place on its network.
func (s *sidecar) levelOf(err error) slog.Level {
	_, refused := errors.AsType[*refusedError](err)
	if !s.announced && (!refused || errors.Is(err, routetable.ErrIncomplete)) {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// reload answers SIGHUP.
func (s *sidecar) reload(ctx context.Context) {
	news := routetable.EventReloaded
	if s.loaded == nil {
		news = routetable.EventLoaded
	}
	if s.emptied() {
		s.open(ctx, routetable.EventReloaded)
		return
	}
	if err := s.load(0); err != nil { // whoever signals has just delivered
		s.streams.log.Warn("the new routing table is refused", "reason", err)
		if s.loaded == nil {
			s.problem = err
		}
		var refused *refusedError
		errors.As(err, &refused)
		s.reportRefused(refused)
		return
	}
	s.open(ctx, news)
}

// refusedError is why a table is not served, and which.
type refusedError struct {
	generation int64
	err        error
}

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

// load serves the generation in the volume unless it is older than another one, or leaves everything as it is. Its errors are of
// type *refusedError.
func (s *sidecar) load(oldest int64) error {
	loaded, err := loadVolume(s.options.Dir, s.options.Getenv)
	if err == nil && loaded.Table.Generation < oldest {
		err = fmt.Errorf("generation %d is older than %d, which was served before: somebody wrote it late", loaded.Table.Generation, oldest)
	}
	if err != nil {
		return &refusedError{loaded.Table.Generation, err}
	}
	where, err := perimeterOf(loaded.Table)
	if err == nil {
		err = s.handler.Swap(loaded)
	}
	if err != nil {
		return &refusedError{loaded.Table.Generation, fmt.Errorf("generation %d: %w", loaded.Table.Generation, err)}
	}
	s.doorway.watch(where)
	s.outside.watch(where)
	s.loaded = &loaded.Table
	s.tellAnew()
	s.streams.log.Info("serving a routing table", "generation", s.loaded.Generation, "routes", len(s.loaded.Routes))
	if s.options.standby != nil {
		takeOut(s.options.Dir, s.loaded, s.streams.log)
	} else {
		noteServed(s.options.Dir, s.loaded.Generation, s.streams.log)
		removeTokens(s.options.Dir, s.loaded.Generation-1, s.streams.log)
	}
	return nil
}

// report tells the controller the present state.
func (s *sidecar) report(event routetable.ReportEvent) {
	s.tell(s.state(event))
}

func (s *sidecar) reportRefused(e *refusedError) {
	r := s.state(routetable.EventRefused)
	r.Refused, r.Error = e.generation, e.Error()
	s.tell(r)
}

// tell sends a report. One that had to be dropped has told nothing.
func (s *sidecar) tell(r routetable.Report) {
	s.toldAt = time.Now()
	if s.streams.report(r) {
		s.told, s.toldRejected = r.Serving, r.Rejected
	}
}

func (s *sidecar) state(event routetable.ReportEvent) routetable.Report {
	r := routetable.Report{Event: event, Serving: s.serving(), Rejected: s.handler.rejected()}
	if s.loaded != nil {
		r.Generation, r.Digest, r.RoutesDigest = s.loaded.Generation, s.loaded.Digest, s.loaded.RoutesDigest
	}
	if s.problem != nil {
		r.Error = s.problem.Error()
	}
	return r
}
