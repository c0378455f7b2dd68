package dockerdriver

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/docker/docker/api/types"

	"credproxy.dev/controller/pkg/reconcile"
)

// about remembers what the engine says of itself. Whoever replaces it breaks the stream of events, and after that, as after
// everything else that makes all be inspected anew, it is asked again.
type about struct {
	mu    sync.Mutex
	known bool
	said  self
	// refusal is why it does not tell; one that just did not answer is asked again.
	refusal error
}

// self is what an engine says of itself.
type self struct {
	// arch is its architecture, as GOARCH names it.
	arch             string
	product, version string
	// kernel is the release of its host's kernel.
	kernel string
}

func (s self) isPodman() bool { return s.product == reconcile.Podman }

func (a *about) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known = false
}

// ask returns what the engine says of itself, and asks unless it is known.
func (d *Driver) ask(ctx context.Context) (self, error) {
	d.about.mu.Lock()
	defer d.about.mu.Unlock()
	if d.about.known {
		return d.about.said, d.about.refusal
	}
	var said self
	err := d.call(ctx, opVersion, "ask the engine for its version", func(ctx context.Context) error {
		version, err := d.docker.ServerVersion(ctx)
		said = self{arch: version.Arch, product: productOf(version), version: version.Version, kernel: version.KernelVersion}
		return err
	})
	if err != nil {
		said = self{}
	}
	d.about.said, d.about.refusal = said, err
	d.about.known = !errors.Is(err, reconcile.ErrEngineUnavailable) && ctx.Err() == nil
	return said, err
}

// engine says what the engine is, for who judges isolation.
func (p *pass) engine(ctx context.Context) reconcile.Engine {
	found := reconcile.Engine{}
	if socket, ok := strings.CutPrefix(p.Host(), "unix://"); ok {
		found.Socket = socket
	}
	said, err := p.ask(ctx)
	if err != nil {
		p.log.Debug("the engine's version is not known, so that it counts as one that forwards DNS of internal networks", "error", err)
	}
	found.Product, found.Version = said.product, said.version
	return found
}

// productOf tells Podman, which names itself among its parts, from Docker and what is made of it.
func productOf(version types.Version) string {
	if slices.ContainsFunc(version.Components, func(c types.ComponentVersion) bool {
		return strings.HasPrefix(c.Name, reconcile.Podman)
	}) {
		return reconcile.Podman
	}
	return "Docker"
}
