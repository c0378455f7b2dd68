package reconcile

import (
	"time"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// Observation is the engine at one moment. Values are shared between workers and never changed.
type Observation struct {
	// At is when the lists were begun: anything that happened before it is in it.
	At time.Time
	// Sidecars are this instance's containers, running or not, by the labels that they bear themselves.
	Sidecars []Sidecar
	Networks []Network
	// Others are all other containers on the engine.
	Others []OtherContainer
	// StrayVolumes are this instance's labelled volumes that no container uses. They are looked for only when there is
	// a reason to, and told again until they are gone.
	StrayVolumes []Volume
	// Unclear says, by spec name, why nothing can be said of a container that claims to be that spec's sidecar. It is
	// not among Sidecars, and must not be taken for absent.
	Unclear map[string]error
	// ImageTag says what the controller's own image is made of; empty when that is not known. An image that is built anew
	// has the same tag and another ID.
	ImageTag string
	// Engine is what the engine says of itself; it is asked when it may be another than before.
	Engine Engine
}

// Engine is a product and its version.
type Engine struct {
	// Product is Docker or Podman, and Version such as 28.5.2; both are empty when that could not be told.
	Product, Version string
	// Socket is the path of the Unix socket by which it is reached; empty for other addresses.
	Socket string
}

// Volume is a volume of this instance.
type Volume struct{ Name, SpecName string }

// Sidecar is one container of this instance.
type Sidecar struct {
	ID string
	// Name is the container's name without a leading slash.
	Name     string
	SpecName string
	// SpecHash is the label's value, such as "v1:6f1c…".
	SpecHash string
	State    ContainerState
	ImageID  string
	// ImageTag is the Observation's, as it was when the sidecar was made; empty when it was made from another image.
	ImageTag string
	// Created is when the container was made.
	Created   time.Time
	Endpoints []Endpoint
	// Resources are the limits in force, in the units of a spec's quantities, comparable with ResourcesEqual.
	Resources Limits
	// NoRestart is true when the engine would not start it again by itself, as it does with what a Driver makes.
	NoRestart bool
	// RestartCount counts the engine's own restarts of it.
	RestartCount int
	// ExitCode of the last run; 0 while it runs.
	ExitCode  int
	OOMKilled bool
	// StartedAt is when the current or last run began; zero if it never ran.
	StartedAt time.Time
	// Env are the token slots in its environment; empty unless delivery is by Env.
	Env map[string]Token
	// Standby is what a sidecar was made with that gets its tokens into memory; nil for any other.
	Standby *routetable.Standby
	// Report is the last word of the current run; nil until it has answered.
	Report *routetable.Report
	// Mounts are the places of the host that it sees; its own volume is among them.
	Mounts []Mount
}

// ContainerState is the engine's word for a container's state.
type ContainerState string

// The engine's states.
const (
	StateCreated    ContainerState = "created"
	StateRunning    ContainerState = "running"
	StatePaused     ContainerState = "paused"
	StateRestarting ContainerState = "restarting"
	StateRemoving   ContainerState = "removing"
	StateExited     ContainerState = "exited"
	StateDead       ContainerState = "dead"
)

// Endpoint is a container's place on one network.
type Endpoint struct {
	NetworkID   string
	NetworkName string
	// IPv4 and IPv6 are empty while the container does not run.
	IPv4, IPv6 string
	// Aliases are the names given to it on that network, its own short ID excepted.
	Aliases []string
}

// Limits are the engine's units of spec.Resources.
type Limits struct {
	// Memory in bytes.
	Memory int64
	// NanoCPUs in billionths of a CPU.
	NanoCPUs int64
	Pids     int64
}

// Network is one network of the engine.
type Network struct {
	ID, Name string
	Driver   string
	Internal bool
	Subnets  []string
	// Gateways are the addresses on it that are the host's, or that the engine keeps for it; no container has one of them.
	Gateways []string
	// HostReachable is true when the host has an address on it that containers can dial.
	HostReachable bool
	// IPv6 is true when it gives its containers IPv6 addresses.
	IPv6 bool
	// SpecName is set when this instance made the network for that spec.
	SpecName string
}

// OtherContainer is a container that is not ours. It is never changed.
type OtherContainer struct {
	ID, Name  string
	State     ContainerState
	Endpoints []Endpoint
	// Instance is the other instance of a controller whose sidecar it claims to be; empty for anything else.
	Instance string
	// Trial is true for a container of this instance that makes one request and goes.
	Trial bool
	// Reach is what it may do besides what its networks let it do; nil while it could not be inspected. A container is
	// made with its reach, and keeps it.
	Reach *Reach
}

// Runs reports whether a container has processes, or gets them by itself in a moment. One that does not run is judged when
// it starts.
func (c *OtherContainer) Runs() bool {
	return c.State == StateRunning || c.State == StatePaused || c.State == StateRestarting
}

// Reach is what a container may do to the host, to its neighbours and to their files.
type Reach struct {
	Privileged bool
	// Capabilities are those of it that matter to others, without the prefix CAP_, sorted; none are told of a privileged
	// container, which has all.
	Capabilities []string
	// Shared are the namespaces that it has in common with the host or with another container.
	Shared []SharedNamespace
	Mounts []Mount
	// IPv6 is true when a setting of its own turns IPv6 on.
	IPv6 bool
}

// SharedNamespace is a namespace that is not a container's own.
type SharedNamespace struct {
	Kind NamespaceKind
	// Container is the ID, or the name, of the one that it belongs to; empty for the host.
	Container string
}

// NamespaceKind is a kind of Linux namespace, as people write it.
type NamespaceKind string

// The namespaces that containers can share. That of cgroups shows nothing that matters. That of users is not here: where
// an engine maps users, one that is not mapped is as all are elsewhere.
const (
	NamespaceNetwork NamespaceKind = "network"
	NamespacePID     NamespaceKind = "PID"
	NamespaceIPC     NamespaceKind = "IPC"
	NamespaceUTS     NamespaceKind = "UTS"
)

// Mount is a place outside of a container that it sees.
type Mount struct {
	// Volume is the name of a volume; empty for a path of the host.
	Volume string
	// Source is the path on the host.
	Source string
}

// LimitsOf converts resources, which are valid and have their defaults, to the engine's units.
func LimitsOf(r spec.Resources) Limits {
	return Limits{Memory: r.MemoryBytes(), NanoCPUs: r.NanoCPUs(), Pids: r.Pids}
}
