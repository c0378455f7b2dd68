package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// fakeEngine is an engine of which nothing is asked but its name and what it says of itself.
type fakeEngine struct {
	reconcile.Driver
	reconcile.LogReader
	host  string
	facts reconcile.EngineFacts
	try   func(context.Context, reconcile.TryRequest) (routetable.Trial, error)
}

func (fakeEngine) EngineID(context.Context) (string, error)            { return "engine-1", nil }
func (e fakeEngine) Host() string                                      { return e.host }
func (fakeEngine) Close() error                                        { return nil }
func (fakeEngine) EnsureImage(context.Context, string) (string, error) { return "sha256:own", nil }
func (e fakeEngine) Try(ctx context.Context, req reconcile.TryRequest) (routetable.Trial, error) {
	return e.try(ctx, req)
}

func (e fakeEngine) Examine(context.Context) reconcile.EngineFacts { return e.facts }

// fakeController makes every declared spec Ready at once, those excepted that are in broken.
type fakeController struct {
	broken  map[string]string // name to reason
	planErr error
	onceErr error
	step    reconcile.StepName // of its plans; create if empty
	idle    bool               // its plans have no steps
	blocked string             // the reason for which its plans take no step; empty for plans that do
	changes []spec.PlannedChange
	once    func(ctx context.Context, tell func(reconcile.Progress)) error // its pass; nil for one that tells nothing

	mu       sync.Mutex
	opts     reconcile.Options
	log      *slog.Logger
	declared reconcile.Declared
	done     bool
	events   []reconcile.Event
}

func (c *fakeController) Declare(d reconcile.Declared) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.declared = d
}

func (c *fakeController) Run(ctx context.Context) error {
	c.mu.Lock()
	c.done = true
	c.mu.Unlock()
	<-ctx.Done()
	return nil
}

func (c *fakeController) Once(ctx context.Context) error {
	if c.once != nil {
		if err := c.once(ctx, c.opts.Progress); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = true
	return c.onceErr
}

func (c *fakeController) Plan(_ context.Context, _, _ bool) (reconcile.Plan, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var plan reconcile.Plan
	for _, s := range c.declared.Specs {
		if c.idle {
			continue
		}
		if c.blocked != "" {
			plan.Blocked = append(plan.Blocked, reconcile.Blocked{Name: s.Name, Reason: c.blocked, Message: "not now"})
			continue
		}
		plan.Items = append(plan.Items, reconcile.Item{Name: s.Name, Steps: []reconcile.Step{
			{Step: cmp.Or(c.step, reconcile.StepCreate), Target: "cred-proxy-" + s.Name, Cause: "there is none"},
		}, Changes: c.changes})
	}
	return plan, c.planErr
}

func (c *fakeController) List() []spec.CredProxy {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []spec.CredProxy
	for _, s := range c.declared.Specs {
		out = append(out, c.withStatus(s))
	}
	return out
}

func (c *fakeController) Get(name string) (spec.CredProxy, bool) {
	for _, one := range c.List() {
		if one.Name == name {
			return one, true
		}
	}
	return spec.CredProxy{}, false
}

func (c *fakeController) withStatus(s *spec.CredProxy) spec.CredProxy {
	ready := metav1.Condition{Type: spec.ConditionReady, Status: metav1.ConditionTrue, Reason: "Running",
		Message: "serving", LastTransitionTime: metav1.NewTime(time.Unix(1_700_000_000, 0))}
	if reason := c.broken[s.Name]; reason != "" || !c.done {
		ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, reason, "env NOPE has no value\x1b[2J"
	}
	one := *s.DeepCopy()
	one.Status = &spec.CredProxyStatus{URL: "http://cred-proxy:9099", Conditions: []metav1.Condition{ready}}
	return one
}

func (c *fakeController) Events() []reconcile.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.events)
}

// happens adds an event.
func (c *fakeController) happens(name, message, cause string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, reconcile.Event{Sequence: int64(len(c.events)) + 1, Time: time.Now(), Name: name,
		Type: "Normal", Reason: "Reloaded", Message: message, Cause: cause})
}

// breaks has a spec not be Ready from now on, for a reason; an empty one mends it.
func (c *fakeController) breaks(name, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.broken = map[string]string{}
	}
	c.broken[name] = reason
}

func (c *fakeController) Readyz() error { return nil }

type noTokens struct{}

func (noTokens) Resolve(context.Context, spec.TokenRef) (reconcile.Token, error) {
	return reconcile.Token{}, errors.New("no token is looked for here")
}

// console is a System that remembers what was printed.
type console struct {
	out, err    lockedBuffer
	terminal    io.Writer // takes the place of out
	errTerminal io.Writer // takes the place of err
	patience    time.Duration
	vars        map[string]string
	controller  *fakeController
	options     app.Options // what the engine was opened with
	listening   chan net.Addr
	host        string
	facts       reconcile.EngineFacts
	engineErr   error
	try         func(context.Context, reconcile.TryRequest) (routetable.Trial, error)
	logs        reconcile.LogReader
}

func newConsole(t *testing.T, controller *fakeController) *console {
	return &console{controller: controller, listening: make(chan net.Addr, 1),
		vars: map[string]string{"XDG_STATE_HOME": t.TempDir()}, host: "unix:///fake.sock"}
}

// testPatience is longer than any machine takes that is busy with other tests.
const testPatience = 30 * time.Second

// asProgram runs the command line of the process, on an engine that is made up.
func asProgram() int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	c := &console{controller: &fakeController{}, host: "unix:///fake.sock", facts: wellEngine(), listening: make(chan net.Addr, 1), try: answeredTrial,
		patience: testPatience, logs: engineWithLog()}
	sys := c.system()
	sys.Stdout, sys.Stderr, sys.LookupEnv = os.Stdout, os.Stderr, os.LookupEnv
	sys.Listening = func(net.Addr) { cancel() } // of run: all that it needs was there
	return Run(ctx, os.Args[1:], sys)
}

// engineWithLog is an engine with a sidecar of web, which has written something.
func engineWithLog() reconcile.LogReader {
	e := fakeengine.New(0)
	logOf(e, "web", `{"time":"2026-01-02T03:04:05.678Z","level":"INFO","msg":"request","route":"/a","method":"GET","path":"/a/b","status":404}`)
	return e.Driver("default")
}

// logOf makes a container of a spec that runs and has written lines, and returns its ID.
func logOf(e *fakeengine.Engine, name string, lines ...string) string {
	d, ctx := e.Driver("default"), context.Background()
	network := e.AddNetwork(fmt.Sprintf("net-%d", len(e.Snapshot().Networks)), true)
	id, err := d.Create(ctx, reconcile.CreateRequest{ContainerName: fmt.Sprintf("cred-proxy-%s-%d", name, len(e.Snapshot().Containers)), SpecName: name,
		ImageID: e.AddImage("mute", fakeengine.Mute, nil), Network: network, Resources: spec.Resources{Memory: "64Mi", CPUs: "1", Pids: 64}})
	if err == nil {
		err = d.Start(ctx, id)
	}
	if err != nil {
		panic(err)
	}
	for _, line := range lines {
		e.Writes(id, line)
	}
	return id
}

// answeredTrial is a request to which an upstream answered.
func answeredTrial(_ context.Context, _ reconcile.TryRequest) (routetable.Trial, error) {
	return routetable.Trial{Status: 200, Route: "/anthropic", Credential: routetable.CredentialAdded, Length: -1}, nil
}

func (c *console) system() System {
	stdout := io.Writer(&c.out)
	if c.terminal != nil {
		stdout = c.terminal
	}
	stderr := io.Writer(&c.err)
	if c.errTerminal != nil {
		stderr = c.errTerminal
	}
	return System{
		Stdout: stdout, Stderr: stderr, UID: 1000, Patience: c.patience,
		LookupEnv: func(name string) (string, bool) { v, ok := c.vars[name]; return v, ok },
		Listening: func(a net.Addr) { c.listening <- a },
		Parts: app.Parts{
			Engine: func(o app.Options, _ prometheus.Registerer) (app.Engine, error) {
				c.options = o
				return fakeEngine{LogReader: c.logs, host: c.host, facts: c.facts, try: c.try}, c.engineErr
			},
			Tokens: func(_ app.Options, _ prometheus.Registerer) (reconcile.Resolver, error) { return noTokens{}, nil },
			Controller: func(_ reconcile.Driver, _ reconcile.Resolver, o reconcile.Options, _ prometheus.Registerer,
				log *slog.Logger) app.Controller {
				c.controller.opts, c.controller.log = o, log
				return c.controller
			},
		},
	}
}

func (c *console) run(t *testing.T, args ...string) int {
	t.Helper()
	return Run(t.Context(), args, c.system())
}

// lockedBuffer is written by a verb while the test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const goodSpec = `apiVersion: credproxy.dev/v1alpha1
kind: CredProxy
metadata:
  name: web
spec:
  internalNetwork: web-internal
  egressNetwork: web-egress
  routes:
  - path: /anthropic
    upstream: https://api.anthropic.com
`

// specs makes a directory of files: name, content, name, content.
func specs(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i+1 < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
