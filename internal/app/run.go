package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/page"
	"credproxy.dev/controller/internal/policyfile"
	"credproxy.dev/controller/internal/web"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
)

// tokenPatience is for how long a worker waits for a provider. When its answer comes later, the specs that use it are looked
// at again.
const tokenPatience = time.Second

// Run keeps the sidecars as the files declare them until ctx ends, and leaves them running. It returns nil when
// ctx ended, and otherwise what made it impossible to go on.
func Run(ctx context.Context, opts Options, parts Parts) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var bell page.Bell
	opts.Prune, opts.TokenPatience, opts.Changed = true, tokenPatience, bell.Ring
	a, err := assemble(opts, parts, stop)
	if err != nil {
		return err
	}
	defer a.close()
	listener, remote, err := listen(ctx, opts.Listen)
	if err != nil {
		return err
	}
	handler, err := a.pages(&bell, remote)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	a.started(listener.Addr(), remote)
	return a.serve(ctx, stop, listener, handler)
}

// daemon is all that Run keeps going.
type daemon struct {
	opts       Options
	registry   *prometheus.Registry
	engine     *exclusive
	source     Source
	tokens     reconcile.Resolver
	files      *files
	rules      *rules
	policy     *policyfile.File
	controller Controller

	// declaring lets one declaration be put into force at a time; said is what the files said last, nil before they were read.
	declaring sync.Mutex
	said      *source.Snapshot
}

func assemble(opts Options, parts Parts, stop context.CancelCauseFunc) (*daemon, error) {
	registry := newRegistry(opts.Build)
	directory, err := parts.source(opts)
	if err != nil {
		return nil, err
	}
	policy, err := openPolicy(opts, []string{opts.Specs}, registry)
	if err != nil {
		return nil, err
	}
	tokens, err := parts.tokens(opts, registry)
	if err != nil {
		return nil, err
	}
	rules, err := newRules(opts)
	if err != nil {
		return nil, err
	}
	driver, err := parts.engine(opts, registry)
	if err != nil {
		return nil, err
	}
	scope := &scope{engine: driver}
	engine, err := newExclusive(driver, scope, opts, stop)
	if err != nil {
		return nil, errors.Join(err, driver.Close())
	}
	return &daemon{
		opts: opts, registry: registry, engine: engine, source: directory, tokens: tokens, rules: rules, policy: policy,
		files:      newFiles(opts, newFileMetrics(registry, watchErr(directory, tokens))),
		controller: parts.controller(&told{Driver: engine, log: opts.Log}, tokens, newLocker(scope, opts), opts, registry),
	}, nil
}

// watchErr says why changes of spec files or of token files are not noticed as they happen.
func watchErr(directory Source, tokens reconcile.Resolver) func() error {
	watched, ok := tokens.(interface{ WatchErr() error })
	if !ok {
		return directory.WatchErr
	}
	return func() error { return errors.Join(directory.WatchErr(), watched.WatchErr()) }
}

func (a *daemon) close() {
	if err := closeTokens(a.tokens); err != nil {
		a.opts.Log.Warn("the sources of tokens were not closed", "error", err)
	}
	a.engine.release()
	if err := a.engine.Close(); err != nil {
		a.opts.Log.Warn("the connection to the engine was not closed", "error", err)
	}
}

func (a *daemon) started(address net.Addr, remote bool) {
	a.opts.Log.Info("controller started", "version", a.opts.Build.Version, "listen", address.String(),
		"specs", a.opts.Specs, "engine", a.engine.Host(), "instance", a.opts.Instance)
	if remote && a.opts.AllowRemoteAPI {
		a.opts.Log.Warn("the API is open to every machine that reaches the address", "listen", address.String())
	}
	if a.opts.Listening != nil {
		a.opts.Listening(address)
	}
}

// pages are what is served on the listener.
func (a *daemon) pages(bell *page.Bell, remote bool) (http.Handler, error) {
	return web.Handler(web.Options{
		Controller: view{a.controller, a.files}, Sources: a.files.list, Ready: a.ready, Metrics: a.registry,
		Bell: bell, Instance: a.opts.Instance, Version: a.opts.Build.Version,
		AllowedHosts: a.opts.AllowedHosts, Remote: remote, AllowRemoteAPI: a.opts.AllowRemoteAPI,
	})
}

// serve runs the loops until ctx ends or one of them cannot go on.
func (a *daemon) serve(ctx context.Context, stop context.CancelCauseFunc, l net.Listener, handler http.Handler) error {
	var all sync.WaitGroup
	keep := func(what string, loop func() error) {
		all.Go(func() {
			if err := loop(); err != nil && ctx.Err() == nil {
				stop(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	keep("serve the pages", func() error { return web.Serve(ctx, l, handler, a.opts.Log) })
	keep("watch the spec files", func() error { return a.source.Run(ctx, a.opts.Resync, a.found) })
	keep("follow what is revoked", func() error {
		a.rules.revoked.follow(ctx, a.declare, func(err error) { a.opts.Log.Error("what is revoked stays as it was", "error", err) })
		return nil
	})
	keep("watch the policy", func() error { return a.watchPolicy(ctx) })
	keep("reconcile", func() error { return a.controller.Run(ctx) })
	all.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	a.opts.Log.Info("controller stopped; sidecars are left running")
	return nil
}

// found hands what the files say on: first to the controller, so that nobody is told that a file is good while what it said
// before still counts.
func (a *daemon) found(s source.Snapshot) {
	a.declaring.Lock()
	a.said = &s
	a.declaring.Unlock()
	a.policy.Look()
	a.declare()
	a.files.found(s)
}

// declare puts into force what the files say, without what is withheld of it.
func (a *daemon) declare() {
	a.declaring.Lock()
	defer a.declaring.Unlock()
	if a.said == nil {
		return
	}
	a.controller.Declare(a.rules.declare(*a.said, a.policy.State(), a.left))
}

// left reports whether anything is left of a name.
func (a *daemon) left(name string) bool {
	_, left := a.controller.Get(name)
	return left
}

// policyLook is how often the policy's file is looked at, whatever else happens.
const policyLook = time.Second

// watchPolicy declares anew when the policy changes, until ctx ends.
func (a *daemon) watchPolicy(ctx context.Context) error {
	ticker := time.NewTicker(policyLook)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if a.policy.Look() {
				a.declare()
			}
		}
	}
}

// ready returns nil once the files were read, there is a policy if there should be one, and the engine was looked at.
func (a *daemon) ready() error {
	if err := a.files.ready(); err != nil {
		return err
	}
	if state := a.policy.State(); state.Given && state.Policy == nil {
		return fmt.Errorf("there is no policy to judge by: %w", state.Err)
	}
	return a.controller.Readyz()
}
