package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	controller "credproxy.dev/controller"
	"credproxy.dev/controller/internal/sidecarimage"
	"credproxy.dev/controller/internal/tokens"
	"credproxy.dev/controller/internal/tokens/provider"
	"credproxy.dev/controller/pkg/dockerdriver"
	"credproxy.dev/controller/pkg/reconcile"
)

func newEngine(o Options, reg prometheus.Registerer) (Engine, error) {
	opts := dockerdriver.Options{
		Instance: o.Instance, DockerHost: o.DockerHost, CallTimeout: o.CallTimeout, DrainTimeout: o.DrainTimeout,
		Pools: o.NetworkPools, Registerer: reg, Logger: o.Log,
	}
	if o.Image == "" {
		opts.Image = ownImage()
	}
	driver, err := dockerdriver.New(opts)
	if err != nil {
		return nil, err
	}
	if o.Image == "" {
		return driver, nil
	}
	return givenImage{driver, o.Image}, nil
}

func ownImage() dockerdriver.Image {
	return dockerdriver.Image{Dockerfile: controller.SidecarDockerfile(), Binary: sidecarimage.Binary}
}

// SidecarImage names the image that this controller builds on an engine of an architecture, as GOARCH names it.
func SidecarImage(arch string) (string, error) { return ownImage().Tag(arch) }

func newTokens(o Options, reg prometheus.Registerer) (reconcile.Resolver, error) {
	providers, err := newProviders(o, reg)
	if err != nil {
		return nil, err
	}
	return tokens.New(tokens.Options{
		Dir: o.TokenDir, EnvPatterns: o.TokenEnv, Providers: providers, Lookup: o.LookupEnv,
		Lately: 3 * o.Resync, Log: o.Log, // a look at everything that is late, or that fails, forgets none
	})
}

// newProviders reads the file of providers once: what may run as the controller does not change while it runs.
func newProviders(o Options, reg prometheus.Registerer) (*provider.Set, error) {
	if o.TokenProviders == "" {
		return nil, nil
	}
	declared, err := provider.Load(o.TokenProviders, o.Specs)
	if err != nil {
		return nil, err
	}
	return provider.NewSet(provider.Options{
		Providers: declared, Patience: o.TokenPatience, Idle: max(time.Hour, 3*o.Resync), Lookup: o.LookupEnv,
		Registerer: reg, Log: o.Log,
	}), nil
}

// givenImage is an Engine on which the operator's image takes the place of the one that the controller builds.
type givenImage struct {
	Engine
	image string
}

// EnsureImage implements reconcile.Lifecycle.
func (g givenImage) EnsureImage(ctx context.Context, ref string) (string, error) {
	if ref == "" {
		ref = g.image
	}
	return g.Engine.EnsureImage(ctx, ref)
}
