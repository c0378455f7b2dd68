package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"syscall"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

const (
	defaultDrainTimeout = 30 * time.Second
	// startPoll is how often the volume and the interfaces are looked at until the sidecar serves, and says so.
	startPoll = 100 * time.Millisecond
	// backstopPoll is how often the interfaces are looked at afterwards, should a notice have been missed.
	backstopPoll = 5 * time.Second
	// tellAgain is how far behind the report before it one that nobody asked for stays, at least.
	tellAgain = 300 * time.Millisecond
)

// Options are what a sidecar gets from its process.
type Options struct {
	// Dir is the volume with routes.json and the token files; empty means routetable.Dir.
	Dir string
	// Stdout takes the reports for the controller, Stderr the log for people. Neither is ever waited for.
	Stdout, Stderr io.Writer
	// Signals delivers SIGHUP, SIGUSR1, SIGTERM and SIGINT. Others are ignored.
	Signals <-chan os.Signal
	// Getenv reads the environment: token slots, routetable.DrainTimeoutVariable, routetable.StandbyVariable and
	// routetable.SpecVariable.
	Getenv func(string) string
	// MemoryLimit is the soft limit of memory in bytes, as debug.SetMemoryLimit has it, by which connections are counted; 0 is that of
	// the default.
	MemoryLimit int64
	// Network is where it listens, and Out how it sends; nil are those of the network namespace of the process.
	Network Network
	Out     WayOut

	// standby is set when the volume is in memory.
	standby *routetable.Standby
	// outlets replace those of its own in tests.
	outlets *outlets
}

// Run is the whole sidecar. It waits for a whole generation in the volume, serves it on the internal network, follows
// signals, and returns nil when it has drained after SIGTERM or when ctx ended, which cuts off what is in
// flight.
func Run(ctx context.Context, o Options) error {
	drainTimeout, err := drainTimeoutFrom(o.Getenv)
	if err != nil {
		return err
	}
	if o.standby, err = standbyFrom(o.Getenv); err != nil {
		return err
	}
	if o.Dir == "" {
		o.Dir = routetable.Dir
	}
	if o.Network == nil {
		o.Network = hostNetwork{}
	}
	if o.Out == nil {
		o.Out = newHostWayOut()
	}
	outside := &ward{network: o.Network}
	if o.outlets == nil {
		dialer := newDialer(o.Out, outside.around)
		o.outlets = newOutlets(func(w way, certificate *tls.Certificate) (http.RoundTripper, error) {
			return newTransport(dialer, connectionsIn(o.MemoryLimit), w, certificate)
		})
	}
	defer o.outlets.keep(&table{})
	// net/http tells the standard logger, word for word, what an upstream sends that nobody asked for, and waits until it is written.
	log.SetOutput(io.Discard)
	s := newSidecar(o, drainTimeout, outside)
	defer s.streams.close()
	return s.run(ctx)
}

func drainTimeoutFrom(getenv func(string) string) (time.Duration, error) {
	text := getenv(routetable.DrainTimeoutVariable)
	if text == "" {
		return defaultDrainTimeout, nil
	}
	timeout, err := time.ParseDuration(text)
	if err != nil || timeout < 0 {
		return 0, fmt.Errorf("%s is %q: it has to be a duration such as 30s", routetable.DrainTimeoutVariable, text)
	}
	return timeout, nil
}

// run is the one goroutine that changes anything: signals, network changes and looks at the volume come one at a time.
func (s *sidecar) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes, err := s.options.Network.Changes(ctx)
	if err != nil {
		s.streams.log.Warn("network changes are found by looking every few seconds only", "error", err)
	}
	if err := s.standBy(); err != nil {
		return err
	}
	s.start()
	defer s.stop()
	s.look(ctx)
	counters := time.NewTicker(countersPause)
	defer counters.Stop()
	for {
		s.tellIfAnew()
		next := time.NewTimer(s.patience())
		select {
		case <-ctx.Done():
			return nil
		case signal := <-s.options.Signals:
			if isStop(signal) {
				return s.drain(ctx)
			}
			s.answer(ctx, signal)
		case <-changes:
			s.look(ctx)
		case <-s.handler.rejections.news:
		case <-counters.C:
			s.handler.tellRefused()
			s.tellCounters()
		case <-next.C:
			s.look(ctx)
		}
		next.Stop()
		s.tellRejections()
	}
}

// answer does what a signal asks for.
func (s *sidecar) answer(ctx context.Context, signal os.Signal) {
	switch signal {
	case syscall.SIGHUP:
		s.reload(ctx)
	case syscall.SIGUSR1:
		s.report(routetable.EventState)
		s.tellAnew()
	}
}

// patience is how long to wait before looking again without being told to.
func (s *sidecar) patience() time.Duration {
	switch {
	case s.loaded == nil && s.ajar:
		return backstopPoll
	case !s.serving() || s.stale():
		return startPoll
	case s.rejects():
		return rejectionPause
	}
	return backstopPoll
}
