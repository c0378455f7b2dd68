package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// Try has one request made to a sidecar from its internal network, and returns what came of it. ctx bounds all of it;
// the request gets most of what is left of that once the image is there, so that its own end is heard.
func Try(ctx context.Context, opts Options, parts Parts, req reconcile.TryRequest) (routetable.Trial, error) {
	engine, err := parts.engine(opts, prometheus.NewRegistry())
	if err != nil {
		return routetable.Trial{}, err
	}
	defer func() { _ = engine.Close() }() // of a connection that is not used any more
	if req.ImageID, err = engine.EnsureImage(ctx, ""); err != nil {
		return routetable.Trial{}, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		req.Timeout = (time.Until(deadline) * 4 / 5).Round(time.Millisecond)
	}
	return engine.Try(ctx, req)
}
