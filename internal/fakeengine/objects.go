package fakeengine

import (
	"maps"
	"slices"
	"testing/fstest"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// Labels that the drivers write and read.
const (
	labelInstance = spec.Group + "/instance"
	labelName     = spec.Group + "/name"
	labelSpecHash = spec.Group + "/spec-hash"
)

// Program is what an image runs.
type Program int

// The programs.
const (
	// Sidecar behaves as pkg/proxy does, as far as a controller can see it.
	Sidecar Program = iota
	// Mute runs and says nothing.
	Mute
	// Crashing ends at once, each time, with exit code 1.
	Crashing
)

// Image is an image on the engine.
type Image struct {
	ID string
	// Ref is the name by which a spec asks for it.
	Ref     string
	Program Program
	// Labels show up as those of its containers.
	Labels map[string]string
}

// Container is a container as `docker inspect` would show it.
type Container struct {
	ID, Name string
	// Labels are those given when it was made; its image's are not among them.
	Labels    map[string]string
	ImageID   string
	State     reconcile.ContainerState
	Endpoints []reconcile.Endpoint
	Env       map[string]string
	Limits    reconcile.Limits
	// Reach is what a foreign container may do.
	Reach reconcile.Reach
	// Volume is the name of its anonymous volume; empty for containers that have none.
	Volume             string
	Created, StartedAt time.Time
	// Restarts is true when the engine starts the container again after it has ended by itself.
	Restarts     bool
	RestartCount int
	ExitCode     int
	OOMKilled    bool
}

// Instance is the controller's instance that made the container; empty when none did.
func (c *Container) Instance() string { return c.Labels[labelInstance] }

// SpecName is the spec that the container was made for; empty when no controller made it.
func (c *Container) SpecName() string { return c.Labels[labelName] }

func (c *Container) copy() Container {
	out := *c
	out.Labels, out.Env = maps.Clone(c.Labels), maps.Clone(c.Env)
	out.Endpoints = copyEndpoints(c.Endpoints)
	out.Reach.Capabilities, out.Reach.Shared, out.Reach.Mounts = slices.Clone(c.Reach.Capabilities), slices.Clone(c.Reach.Shared), slices.Clone(c.Reach.Mounts)
	return out
}

func copyEndpoints(from []reconcile.Endpoint) []reconcile.Endpoint {
	out := slices.Clone(from)
	for i := range out {
		out[i].Aliases = slices.Clone(out[i].Aliases)
	}
	return out
}

// Network is a network as `docker network inspect` would show it.
type Network struct {
	ID, Name string
	Driver   string
	Internal bool
	// HostReachable is true when the host has an address on it.
	HostReachable bool
	IPv6          bool
	Subnets       []string
	Gateways      []string
	Labels        map[string]string
}

func (n *Network) copy() Network {
	out := *n
	out.Labels = maps.Clone(n.Labels)
	out.Subnets, out.Gateways = slices.Clone(n.Subnets), slices.Clone(n.Gateways)
	return out
}

// Volume is a named place for files.
type Volume struct {
	Name   string
	Labels map[string]string
	// Memory is true of a volume that has files only while its container runs.
	Memory bool
	// Served is the generation that a sidecar served last out of it, as the sidecar notes it there; 0 for none. A volume in memory
	// has no such note.
	Served int64
	// Files are by path below the mount point.
	Files fstest.MapFS
}

func (v *Volume) copy() Volume {
	out := Volume{Name: v.Name, Labels: maps.Clone(v.Labels), Memory: v.Memory, Served: v.Served, Files: fstest.MapFS{}}
	for name, file := range v.Files {
		out.Files[name] = &fstest.MapFile{Data: slices.Clone(file.Data), Mode: file.Mode, ModTime: file.ModTime}
	}
	return out
}

// container is what the engine holds of a Container.
type container struct {
	Container
	// image is what it was made from, which it needs no more to be on the engine.
	image *Image
	// listed counts the changes that a list of containers shows; others show in an inspection alone.
	listed uint64
	// run is the process; nil unless the container runs or is paused.
	run *run
	// lines are what it wrote for people.
	lines []reconcile.LogLine
	// stuck keeps it in the state "removing" until somebody finishes the removal.
	stuck bool
}

func (c *container) endpoint(networkID string) *reconcile.Endpoint {
	for i := range c.Endpoints {
		if c.Endpoints[i].NetworkID == networkID {
			return &c.Endpoints[i]
		}
	}
	return nil
}
