package proxy

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// drain answers SIGTERM: no new connection, Connection: close or GOAWAY on those there are, and as much time as is allowed for
// what is in flight. A second SIGTERM ends it.
func (s *sidecar) drain(ctx context.Context) error {
	s.streams.log.Info("draining", "at_most", s.drainTimeout.String())
	s.problem = errors.New("draining")
	if s.stale() {
		s.report(routetable.EventState)
	}
	ctx, cancel := context.WithTimeout(ctx, s.drainTimeout)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- s.farewell(ctx, time.Now()) }()
	for {
		select {
		case err := <-drained:
			if err != nil {
				s.streams.log.Warn("requests in flight were cut off")
			}
			return nil
		case signal := <-s.options.Signals:
			if isStop(signal) {
				cancel()
				continue
			}
			if signal == syscall.SIGUSR1 {
				s.report(routetable.EventState)
			}
		}
	}
}

func isStop(signal os.Signal) bool { return signal == syscall.SIGTERM || signal == syscall.SIGINT }

// farewell loses nobody: it closes the doorway when nobody stands in it, and each connection when it has been told to
// go, or has had the time to ask once more. http.Server.Shutdown would drop a request that it has just read, and close
// a connection on which the next one is on its way.
func (s *sidecar) farewell(ctx context.Context, began time.Time) error {
	s.handler.leaving.Store(true)
	s.server.dismiss(ctx)
	knocked := s.doorway.lastCall(ctx)
	refuses := time.NewTimer(knocksAgain)
	defer refuses.Stop()
	// From here on the visitors are all there will be.
	<-s.ended
	if err := s.visitors.seeOff(ctx, graceFor(began, s.drainTimeout)); err != nil {
		return err
	}
	if err := s.awaitTunnels(ctx); err != nil {
		return err
	}
	if knocked {
		// The end of the process may take the network with it, and whoever knocks again would wait for nobody.
		select {
		case <-refuses.C:
		case <-ctx.Done():
		}
	}
	return nil
}

func (s *sidecar) awaitTunnels(ctx context.Context) error {
	tunnels := make(chan struct{})
	go func() {
		s.handler.tunnels.Wait()
		close(tunnels)
	}()
	select {
	case <-tunnels:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
