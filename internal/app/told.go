package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"credproxy.dev/controller/pkg/reconcile"
)

// told is a Driver that tells the log when the engine is lost and when it is back, once each.
type told struct {
	reconcile.Driver
	log *slog.Logger

	mu   sync.Mutex
	lost bool
}

// Observe implements reconcile.Observer.
func (t *told) Observe(ctx context.Context) (*reconcile.Observation, error) {
	seen, err := t.Driver.Observe(ctx)
	if ctx.Err() == nil {
		t.tell(err)
	}
	return seen, err
}

func (t *told) tell(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	lost := errors.Is(err, reconcile.ErrEngineUnavailable)
	switch {
	case lost && !t.lost:
		t.log.Error("the engine does not answer; it is asked again until it does, and sidecars that run go on", "error", err)
	case t.lost && err == nil:
		t.log.Info("the engine answers again")
	case err != nil:
		return // another failure says neither
	}
	t.lost = lost
}
