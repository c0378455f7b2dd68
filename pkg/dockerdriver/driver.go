package dockerdriver

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker/docker/client"
	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/subnet"
)

const (
	defaultCallTimeout  = 30 * time.Second
	defaultDrainTimeout = 30 * time.Second
	defaultPulse        = 10 * time.Second
)

// Options are what a Driver is made from. Instance is required; every other field has a default.
type Options struct {
	// Instance is the name under which this controller labels what it makes, and by which it knows it again.
	Instance string
	// DockerHost is the engine's address, such as unix:///var/run/docker.sock; empty means what the docker CLI
	// would use.
	DockerHost string
	// Image is what the controller's own sidecar image is built from. Without one, specs have to name an image.
	Image Image
	// Pools are where the networks that it makes get their addresses; without any, the engine gives them.
	Pools []subnet.Pool
	// CallTimeout bounds each call of the engine, 30 s when zero; copying and building get four times as long.
	CallTimeout time.Duration
	// DrainTimeout is how long a sidecar may take to finish its requests, 30 s when zero.
	DrainTimeout time.Duration
	// Registerer takes the metrics; nil registers none.
	Registerer prometheus.Registerer
	// Logger takes what no caller is told; nil discards it.
	Logger *slog.Logger
}

// Driver drives one Docker engine for one instance. Its methods are safe for concurrent use.
type Driver struct {
	opts   Options
	log    *slog.Logger
	docker *client.Client

	metrics    *metrics
	negotiated atomic.Bool
	greeting   sync.Mutex // held while the API's version is negotiated

	observing sync.Mutex // held by Observe, and guards the next two
	records   map[string]*record
	met       bool
	marks     marks
	strays    strays

	about   about
	known   known
	streams streams
	images  images
	// addresses are the operator's, for networks.
	addresses *addresses
	// plainIPv6 is set once the engine has refused the setting that forbids forwarding of IPv6.
	plainIPv6 atomic.Bool
	// swaps is set once the engine has refused to keep a volume out of swap.
	swaps atomic.Bool
	// pulse is how often Watch asks whether the engine still answers.
	pulse time.Duration
	// changed is Watch's notify while it runs.
	changed atomic.Pointer[func(reconcile.Change)]
	// counted takes what sidecars count.
	counted atomic.Pointer[func(reconcile.Counted)]

	life context.Context // ends with Close
	end  context.CancelFunc
}

var _ reconcile.Driver = (*Driver)(nil)

// New makes a Driver. It finds the engine's address and does not call it: an engine that is down is an error of
// each call, not of New.
func New(opts Options) (*Driver, error) {
	if opts.Instance == "" {
		return nil, errors.New("a docker driver needs the name of its instance")
	}
	opts.CallTimeout = cmp.Or(opts.CallTimeout, defaultCallTimeout)
	opts.DrainTimeout = cmp.Or(opts.DrainTimeout, defaultDrainTimeout)
	m, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, err
	}
	docker, err := connect(opts.DockerHost, func(next http.RoundTripper) http.RoundTripper {
		return &timed{next: next, metrics: m}
	})
	if err != nil {
		return nil, err
	}
	d := &Driver{opts: opts, log: cmp.Or(opts.Logger, slog.New(slog.DiscardHandler)), docker: docker, metrics: m, pulse: defaultPulse}
	d.addresses = newAddresses(opts.Pools)
	d.strays.seek()
	d.life, d.end = context.WithCancel(context.Background())
	return d, nil
}

// Close stops listening to sidecars and lets go of the engine. Sidecars keep running.
func (d *Driver) Close() error {
	d.end()
	d.streams.wait()
	return d.docker.Close()
}

// Host is the engine's address, such as unix:///var/run/docker.sock.
func (d *Driver) Host() string { return d.docker.DaemonHost() }

// EngineID identifies the engine, whatever the address by which it is reached.
func (d *Driver) EngineID(ctx context.Context) (id string, err error) {
	err = d.call(ctx, opInfo, "ask the engine for its ID", func(ctx context.Context) error {
		info, err := d.docker.Info(ctx)
		id = info.ID
		return err
	})
	return id, err
}

// Ping reports whether the engine answers.
func (d *Driver) Ping(ctx context.Context) error { return d.ping(ctx, d.opts.CallTimeout) }

func (d *Driver) ping(ctx context.Context, limit time.Duration) error {
	return d.callFor(ctx, limit, opPing, "ping the engine", func(ctx context.Context) error {
		_, err := d.docker.Ping(ctx)
		return err
	})
}
