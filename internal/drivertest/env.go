package drivertest

import (
	"testing"

	"credproxy.dev/controller/pkg/reconcile"
)

// Driver is what passes the stories: a reconcile.Driver, and whatever else only people ask of an engine.
type Driver interface {
	reconcile.Driver
	reconcile.LogReader
}

// Env is an engine, perhaps shared with others, and drivers on it.
type Env struct {
	// Driver is the one under test. Nothing else uses its instance.
	Driver Driver
	// Again makes another driver of the same instance, as a controller does that begins anew.
	Again func() Driver
	// Stranger is a driver of another instance.
	Stranger Driver
	// Instance is Driver's.
	Instance string
	// Prefix begins the name of everything that a story makes, so that its maker can remove what is left.
	Prefix string
	// Requests counts what Driver has asked of the engine so far.
	Requests func() int
	// Podman is true when the engine has Podman's manners: it tells of no network that is made, cannot change limits in
	// place, and finds a container's networks by name when it starts it.
	Podman bool
	Hands  Hands
}

// Hands are a person's at the engine, past every controller. They fail the test when they cannot do as they are told.
type Hands interface {
	// AddNetwork makes a network and returns its ID; RemoveNetwork removes one.
	AddNetwork(t *testing.T, name string, internal bool) (id string)
	RemoveNetwork(t *testing.T, id string)
	// AddContainer makes and starts a container that no controller made, and returns its ID.
	AddContainer(t *testing.T, c Container) (id string)
	// CrashingImage returns the ID of an image whose program fails each time at once.
	CrashingImage(t *testing.T) (id string)
	// Stop and Kill end a container's process; the engine does not start it again.
	Stop(t *testing.T, containerID string)
	Kill(t *testing.T, containerID string)
	// ForbidRestarts has the engine leave a container as it is that has ended by itself.
	ForbidRestarts(t *testing.T, containerID string)
	// RemoveContainer ends and removes a container, and leaves its volume.
	RemoveContainer(t *testing.T, containerID string)
	Connect(t *testing.T, containerID, networkID string, aliases ...string)
	Disconnect(t *testing.T, containerID, networkID string)

	// Upstream starts a server until the test ends, on a network onto which it puts a container, and returns its URL. It answers
	// with the status that is the last segment of a path. Ask has a container ask a sidecar for such a path.
	Upstream(t *testing.T, containerID string) (url string)
	Ask(t *testing.T, q Question)

	// Name and Running look at a container; Name is empty when it is gone.
	Name(t *testing.T, containerID string) string
	Running(t *testing.T, containerID string) bool
	// Variable returns a variable of a container's environment; empty when it is not set.
	Variable(t *testing.T, containerID, name string) string
	// Volume returns the name of the volume that holds a sidecar's files.
	Volume(t *testing.T, containerID string) string
	VolumeExists(t *testing.T, name string) bool
	// Files are the names of the files that whoever may use the engine finds in a sidecar's volume, without directories.
	Files(t *testing.T, containerID string) []string
}

// Question is a request of a container on a network to a sidecar that serves it.
type Question struct {
	ContainerID, NetworkID string
	// Address is the sidecar's there, with its port.
	Address string
	Route   string
	// Status is what the upstream is to answer with.
	Status int
}

// Container asks for a container that no controller made.
type Container struct {
	Name string
	// NetworkID is empty for one that has no network of its own.
	NetworkID string
	Aliases   []string
	// Reach is what it may do. Of mounts, volumes are asked for by their name.
	Reach reconcile.Reach
	// ImageLabels are labels of the image that it is made from.
	ImageLabels map[string]string
}
