package app

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// Engine is a driver that also says which engine it drives.
type Engine interface {
	reconcile.Driver
	reconcile.LogReader
	// EngineID identifies the engine, whatever the address by which it is reached.
	EngineID(ctx context.Context) (string, error)
	// Host is the address of the engine, such as unix:///var/run/docker.sock.
	Host() string
	// Examine asks the engine what it is and what it permits, and changes nothing.
	Examine(ctx context.Context) reconcile.EngineFacts
	// Try has one request made to a sidecar by a container that is gone when it returns.
	Try(ctx context.Context, req reconcile.TryRequest) (routetable.Trial, error)
	Close() error
}

// Source is a directory of spec files.
type Source interface {
	// Scan looks once.
	Scan(ctx context.Context) source.Snapshot
	// Run scans whenever something changed, and at least once an interval, until ctx ends.
	Run(ctx context.Context, interval time.Duration, found func(source.Snapshot)) error
	// WatchErr says why changes are not noticed as they happen; nil when they are.
	WatchErr() error
}

// Controller is reconcile.Controller, as the verbs use it.
type Controller interface {
	Declare(d reconcile.Declared)
	Run(ctx context.Context) error
	Once(ctx context.Context) error
	Plan(ctx context.Context, offline, resolve bool) (reconcile.Plan, error)
	List() []spec.CredProxy
	Get(name string) (spec.CredProxy, bool)
	Events() []reconcile.Event
	Readyz() error
}

// Parts makes the parts that reach outside this process. The zero value of a field is the real one.
type Parts struct {
	Engine func(Options, prometheus.Registerer) (Engine, error)
	Source func(Options) (Source, error)
	Tokens func(Options, prometheus.Registerer) (reconcile.Resolver, error)
	// Controller makes what reconciles; tests of the wiring hand in one of their own.
	Controller func(reconcile.Driver, reconcile.Resolver, reconcile.Options, prometheus.Registerer, *slog.Logger) Controller
}

func (p Parts) engine(o Options, reg prometheus.Registerer) (Engine, error) {
	if p.Engine != nil {
		return p.Engine(o, reg)
	}
	return newEngine(o, reg)
}

func (p Parts) source(o Options) (Source, error) {
	if p.Source != nil {
		return p.Source(o)
	}
	return source.New(source.Options{Root: o.Specs, Spec: o.Spec})
}

func (p Parts) tokens(o Options, reg prometheus.Registerer) (reconcile.Resolver, error) {
	if p.Tokens != nil {
		return p.Tokens(o, reg)
	}
	return newTokens(o, reg)
}

// closeTokens ends what a Resolver may have begun, such as the commands of providers.
func closeTokens(r reconcile.Resolver) error {
	if closer, ok := r.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

func (p Parts) controller(
	driver reconcile.Driver, tokens reconcile.Resolver, locker reconcile.Locker, o Options, reg prometheus.Registerer,
) Controller {
	opts := reconcile.Options{
		NamePrefix: o.NamePrefix, Workers: o.Workers, Resync: o.Resync, DeepResync: o.DeepResync,
		ReadyTimeout: o.ReadyTimeout, UpgradeSidecars: o.UpgradeSidecars, RequireIsolation: o.RequireIsolation,
		RevokeMissing: o.RevokeMissing, Prune: o.Prune, Deliberate: o.Deliberate, PruneCommand: pruneCommand(o), Locker: locker,
		Changed: o.Changed, Progress: o.Progress,
	}
	if p.Controller != nil {
		return p.Controller(driver, tokens, opts, reg, o.Log)
	}
	return reconcile.New(driver, tokens, opts, reg, o.Log)
}
