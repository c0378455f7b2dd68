package dockerdriver

import (
	"context"
	"strings"
	"sync/atomic"

	"credproxy.dev/controller/pkg/reconcile"
)

// product remembers which engine answers. Whoever replaces it breaks the stream of events, and after that, as after
// everything else that makes all be inspected anew, it is asked again.
type product struct {
	known atomic.Pointer[reconcile.Engine]
}

func (p *product) forget() { p.known.Store(nil) }

// engine says what the engine is. One that does not tell, or a proxy before it that does not let it, is asked again no
// sooner than one that does.
func (p *pass) engine(ctx context.Context) reconcile.Engine {
	if known := p.product.known.Load(); known != nil {
		return *known
	}
	found := reconcile.Engine{Socket: strings.TrimPrefix(p.Host(), "unix://")}
	if found.Socket == p.Host() {
		found.Socket = ""
	}
	err := p.callFor(ctx, p.limit, opVersion, "ask the engine for its version", func(ctx context.Context) error {
		version, err := p.docker.ServerVersion(ctx)
		if err == nil {
			found.Product, found.Version = productOf(version), version.Version
		}
		return err
	})
	if err != nil {
		p.log.Debug("the engine's version is not known, so that it counts as one that forwards DNS of internal networks", "error", err)
	}
	p.product.known.Store(&found)
	return found
}
