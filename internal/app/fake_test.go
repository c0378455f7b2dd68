package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/buildinfo"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

var errDown = fmt.Errorf("%w: no answer", reconcile.ErrEngineUnavailable)

var errNotLooked = errors.New("the engine was not asked yet")

// engine is one whose ID can be asked for while it is up. Nothing else is asked of it but a look.
type engine struct {
	reconcile.Driver
	reconcile.LogReader
	host string

	mu    sync.Mutex
	down  bool
	looks int
	// fleeting makes up a new ID at each call.
	fleeting bool
	asked    int
}

func (e *engine) EngineID(context.Context) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.down:
		return "", errDown
	case e.fleeting:
		e.asked++
		return fmt.Sprintf("engine-%p-%d", e, e.asked), nil
	}
	return "engine-1", nil
}

func (e *engine) Observe(context.Context) (*reconcile.Observation, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looks++
	return &reconcile.Observation{}, nil
}

func (e *engine) set(down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down = down
}

func (e *engine) Host() string { return e.host }
func (*engine) Close() error   { return nil }

func (*engine) Try(context.Context, reconcile.TryRequest) (routetable.Trial, error) {
	return routetable.Trial{}, errDown
}

func (e *engine) Examine(context.Context) reconcile.EngineFacts {
	return reconcile.EngineFacts{Host: e.host, Err: errDown}
}

// looker is a controller that does nothing but look at the engine until it answers.
type looker struct {
	driver reconcile.Driver
	opts   reconcile.Options

	mu       sync.Mutex
	err      error // of the last look; before the first, it is not ready
	declared []reconcile.Declared
}

func (l *looker) Run(ctx context.Context) error {
	for {
		_, err := l.driver.Observe(ctx)
		l.mu.Lock()
		l.err = err
		l.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (l *looker) Readyz() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *looker) Declare(d reconcile.Declared) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.declared = append(l.declared, d)
}

func (l *looker) List() []spec.CredProxy {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []spec.CredProxy
	for _, s := range l.declared[len(l.declared)-1].Specs {
		out = append(out, *s)
	}
	return out
}

func (l *looker) Get(name string) (spec.CredProxy, bool) {
	for _, one := range l.List() {
		if one.Name == name {
			return one, true
		}
	}
	return spec.CredProxy{}, false
}

func (*looker) Once(context.Context) error { return nil }
func (*looker) Events() []reconcile.Event  { return nil }
func (*looker) Plan(context.Context, bool, bool) (reconcile.Plan, error) {
	return reconcile.Plan{}, nil
}

// stack is a whole controller on the directory, with a fake engine, whose log is kept.
type stack struct {
	engine  *engine
	looker  *looker
	log     logBuffer
	opts    Options
	parts   Parts
	address chan net.Addr
}

func newStack(t *testing.T, specs string) *stack {
	s := &stack{engine: &engine{host: "unix:///a.sock"}, looker: &looker{err: errNotLooked}, address: make(chan net.Addr, 1)}
	s.opts = Options{
		Specs: specs, Instance: "default", NamePrefix: "cred-proxy", Listen: "127.0.0.1:0", StateDir: t.TempDir(),
		Workers: 1, Resync: 20 * time.Millisecond, DeepResync: time.Minute, Build: buildinfo.Read(),
		Log: slog.New(slog.NewTextHandler(&s.log, nil)), Listening: func(a net.Addr) { s.address <- a },
	}
	s.parts = Parts{
		Engine: func(Options, prometheus.Registerer) (Engine, error) { return s.engine, nil },
		Tokens: func(Options, prometheus.Registerer) (reconcile.Resolver, error) { return nil, nil },
		Controller: func(d reconcile.Driver, _ reconcile.Resolver, o reconcile.Options, _ prometheus.Registerer, _ *slog.Logger) Controller {
			s.looker.driver, s.looker.opts = d, o
			return s.looker
		},
	}
	return s
}

// start runs the stack until the test ends or stop is called, and returns the base of its pages.
func (s *stack) start(t *testing.T) (base string, ended <-chan error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	result, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		result <- Run(ctx, s.opts, s.parts)
	}()
	t.Cleanup(func() { stop(); <-done })
	select {
	case address := <-s.address:
		return "http://" + address.String(), result
	case err := <-result:
		t.Fatalf("the controller did not start: %v", err)
		return "", nil
	}
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func problem(line int, message string) spec.Problem {
	return spec.Problem{Line: line, Message: message}
}

func badFile(path string, problems ...spec.Problem) source.FileStatus {
	return source.FileStatus{Path: path, State: source.FileInvalid, Errors: problems}
}
