package reconcile

import (
	"context"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// A Driver is a container engine, seen through the few verbs that the steps of a plan need. Each verb is
// idempotent where it can be: removing, stopping or disconnecting what is gone succeeds. Every call is bounded
// by its context and by the driver's own call timeout. Errors are those of errors.go, matched with errors.Is.
//
// A Driver works for one instance: it sees and labels its own instance's sidecars only.
type Driver interface {
	Observer
	Networker
	Lifecycle
	Deliverer
}

// Observer looks at the engine without changing it.
type Observer interface {
	// Observe makes one container list and one network list, and inspects only what it has not inspected since
	// it last changed. It never returns a partial Observation: on any error nothing can be concluded.
	Observe(ctx context.Context) (*Observation, error)
	// Forget drops what earlier inspections found, so that the next Observe inspects everything anew, and asks what the
	// engine is.
	Forget()
	// Watch reports that something changed until ctx ends or the stream fails. It calls notify once with an
	// empty Change when it is subscribed, so that the caller observes after the subscription.
	Watch(ctx context.Context, notify func(Change)) error
	// OnCounted has take called with what sidecars count, as they tell it, from now on. That costs no call of the engine's and is
	// no Change. take must not wait.
	OnCounted(take func(Counted))
	// Ping reports whether the engine answers.
	Ping(ctx context.Context) error
}

// Networker makes and removes networks.
type Networker interface {
	// EnsureNetwork makes a labelled network unless one of that exact name exists, and returns its ID.
	EnsureNetwork(ctx context.Context, req NetworkRequest) (id string, err error)
	// RemoveNetwork removes a network by ID.
	RemoveNetwork(ctx context.Context, id string) error
	// Connect attaches a container to a network, with the given aliases. Being connected already is success.
	Connect(ctx context.Context, containerID, networkID string, aliases ...string) error
	// Disconnect detaches a container from a network.
	Disconnect(ctx context.Context, containerID, networkID string) error
}

// Lifecycle makes, starts and removes sidecars.
type Lifecycle interface {
	// EnsureImage returns the ID of the image to run. An empty reference means the controller's own image,
	// which is built when it is missing; any other has to be on the engine already.
	EnsureImage(ctx context.Context, ref string) (id string, err error)
	// Create makes, and does not start, a sidecar on one network, and returns its ID.
	Create(ctx context.Context, req CreateRequest) (id string, err error)
	// Start listens to the container's streams, then starts it. A container that runs already is success.
	Start(ctx context.Context, containerID string) error
	// Update changes the limits of a container in place, and has the engine start it again by itself as before.
	Update(ctx context.Context, containerID string, resources spec.Resources) error
	// Rename gives a container another name.
	Rename(ctx context.Context, containerID, name string) error
	// Drain sends SIGTERM and waits until the container has ended; past the drain timeout the engine kills it.
	Drain(ctx context.Context, containerID string) error
	// Remove kills and removes a container together with its anonymous volume.
	Remove(ctx context.Context, containerID string) error
	// RemoveVolume removes a volume by name.
	RemoveVolume(ctx context.Context, name string) error
}

// Deliverer brings tokens and routes to a sidecar and hears its answer.
type Deliverer interface {
	// CopyRoutes writes the files of one generation, in their order, in one archive.
	CopyRoutes(ctx context.Context, containerID string, files []routetable.File) error
	// ReadRoutes returns the table that was written last, without its key, of a sidecar that has it in files. It fails with ErrNotFound
	// where there is none.
	ReadRoutes(ctx context.Context, containerID string) (routetable.Table, error)
	// WaitLoaded waits until the running sidecar reports that it has loaded the generation, whether or not it is on its
	// internal network yet. It fails as WaitReady does.
	WaitLoaded(ctx context.Context, containerID string, generation int64) (routetable.Report, error)
	// WaitReady waits until the running sidecar reports that it serves the generation. It fails with
	// ErrRoutesRefused when the sidecar refuses it, and with ErrNotRunning as soon as the sidecar ends.
	WaitReady(ctx context.Context, containerID string, generation int64) (routetable.Report, error)
	// Reload sends SIGHUP and waits as WaitReady does.
	Reload(ctx context.Context, containerID string, generation int64) (routetable.Report, error)
	// Load sends SIGHUP and waits as WaitLoaded does: for a sidecar that is off its internal network.
	Load(ctx context.Context, containerID string, generation int64) (routetable.Report, error)
	// LastLines returns the last lines that the container wrote for people, cleaned of control characters and
	// bounded; nil when nothing was heard.
	LastLines(containerID string) []string
}

// NetworkRequest asks for one network.
type NetworkRequest struct {
	Name     string
	SpecName string
	// Internal networks lead nowhere.
	Internal bool
}

// CreateRequest asks for one sidecar.
type CreateRequest struct {
	// ContainerName is the name on the engine. When something holds it, Create fails with ErrNameConflict.
	ContainerName string
	SpecName      string
	SpecHash      string
	ImageID       string
	// Network is the ID of the one network to be created on; engines before API 1.44 take no more.
	Network string
	// Alias is the alias on Network; empty for none.
	Alias     string
	Resources spec.Resources
	// Env are the slots and their tokens with Env delivery; empty with any other.
	Env map[string]Token
	// Standby is set with Memory delivery: the volume is in memory, so that it has files only while the container runs, and
	// the sidecar is told this.
	Standby *routetable.Standby
}

// Counted is what a sidecar tells of its requests.
type Counted struct {
	ContainerID, SpecName string
	// Counters are those of some of its routes; nil when it is not heard any more.
	Counters *routetable.Counters
}

// Change says what may have changed. The zero Change means that anything may have.
type Change struct {
	// SpecName is set when the change was to one of our sidecars.
	SpecName string
	// Network is the name of the network that changed.
	Network string
	// Stranger is true when it happened to a container that is not ours.
	Stranger bool
	// Kind is the engine's word for it, such as "die", "destroy" or "connect".
	Kind string
}
