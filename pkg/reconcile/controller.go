package reconcile

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/spec"
)

// Resolver finds the value of a token reference. Its errors are ErrTokenMissing, ErrTokenDenied or
// ErrTokenInvalid, wrapped with words that name the reference and what to do, and never hold a value.
type Resolver interface {
	Resolve(ctx context.Context, ref spec.TokenRef) (Token, error)
}

// Declared is what the files say: the desired side of a plan.
type Declared struct {
	// At is when the scan began that found it.
	At time.Time
	// Complete is false when something could not be read; nothing is removed then.
	Complete bool
	// Err says in words why it is not complete.
	Err error
	// Specs are valid, unique by name, in order of names, with their defaults set. They are never changed.
	Specs []*spec.CredProxy
	// Rejected are the names that are declared and not usable: duplicates and invalid objects.
	Rejected []Rejected
	// KeepNames and KeepAll protect the sidecars of names that a broken file may hold.
	KeepNames sets.Set[string]
	KeepAll   bool
}

// Rejected is a name that files declare in a way that cannot be used.
type Rejected struct {
	Name string
	// Reason is ReasonDuplicateName or ReasonInvalidSpec.
	Reason  string
	Message string
}

// Options are what the operator decides about reconciling.
type Options struct {
	// NamePrefix begins the names of containers.
	NamePrefix string
	// Workers is how many names are reconciled at a time.
	Workers int
	// Resync is how often everything is compared; DeepResync how often everything is inspected too.
	Resync, DeepResync time.Duration
	// ReadyTimeout bounds the wait for a sidecar's word.
	ReadyTimeout time.Duration
	// Prune permits removals. `run` sets it; `apply` only with --prune.
	Prune bool
	// UpgradeSidecars replaces sidecars that run an image other than the controller's own.
	UpgradeSidecars bool
}

// Event is one action or refusal, for people.
type Event struct {
	Time    time.Time `json:"time"`
	Name    string    `json:"name"`
	Type    string    `json:"type"` // Normal or Warning
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Cause   string    `json:"cause,omitempty"`
}

// Controller makes an engine's sidecars match what is declared.
type Controller struct{}

// New makes a Controller. Metrics are registered with reg.
func New(driver Driver, tokens Resolver, opts Options, reg prometheus.Registerer, log *slog.Logger) *Controller {
	panic("not yet")
}

// Declare sets the desired state. It returns at once; names whose declaration changed are reconciled.
func (c *Controller) Declare(d Declared) { panic("not yet") }

// Run reconciles until ctx ends. Sidecars keep running. It returns nil when ctx ended.
func (c *Controller) Run(ctx context.Context) error { panic("not yet") }

// Once makes one pass over everything that is declared and returns when every name has been tried once.
func (c *Controller) Once(ctx context.Context) error { panic("not yet") }

// Plan observes and returns the steps that Run would take now. With offline nothing is asked of the engine and
// nothing counts as there. With resolve tokens are resolved, so that a missing one is among the blocked.
func (c *Controller) Plan(ctx context.Context, offline, resolve bool) (Plan, error) { panic("not yet") }

// List returns every declared spec with its status, in order of names.
func (c *Controller) List() []spec.CredProxy { panic("not yet") }

// Get returns one declared spec with its status.
func (c *Controller) Get(name string) (spec.CredProxy, bool) { panic("not yet") }

// Events returns the last events, oldest first.
func (c *Controller) Events() []Event { panic("not yet") }

// Readyz returns nil once the engine answers and everything declared was looked at once; otherwise why not.
func (c *Controller) Readyz() error { panic("not yet") }

// Blocked lists the names for which Plan takes no step, and why; PruneBlocked among them.
func (c *Controller) Blocked() []Blocked { panic("not yet") }
