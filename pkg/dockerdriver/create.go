package dockerdriver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

const (
	// The sidecar's own log is kept by the engine in this many files of this size, whatever driver the engine has
	// for others. A full buffer drops lines instead of stalling the sidecar.
	logFiles    = "3"
	logFileSize = "10m"
	logBuffer   = "1m"

	sysctlForward4 = "net.ipv4.ip_forward"
	sysctlForward6 = "net.ipv6.conf.all.forwarding"
)

// Create makes, and does not start, a sidecar on one network, and returns its ID.
func (d *Driver) Create(ctx context.Context, req reconcile.CreateRequest) (string, error) {
	engine, err := d.ask(ctx)
	switch {
	case err != nil:
		return "", err
	case engine.isPodman():
		return d.createWithVolume(ctx, req)
	}
	return d.create(ctx, req, "")
}

// create makes a container with a volume, or with one that the engine makes when the name is empty.
func (d *Driver) create(ctx context.Context, req reconcile.CreateRequest, volume string) (string, error) {
	var made container.CreateResponse
	var refusal error
	host := d.hostConfig(req, volume)
	host.Ulimits = d.noCores(ctx)
	err := d.call(ctx, opContainerCreate, "create container "+req.ContainerName, func(ctx context.Context) error {
		made, refusal = d.docker.ContainerCreate(ctx, d.config(req), host, d.networking(req), nil, req.ContainerName)
		if refusal != nil && nameTaken(refusal) {
			return fmt.Errorf("%w: another container holds the name %s; rename or remove it (`docker ps -a --filter name=%s`)",
				reconcile.ErrNameConflict, req.ContainerName, req.ContainerName)
		}
		return withhold(refusal, req.Env)
	})
	switch {
	case err == nil:
		d.known.put(made.ID, req.ContainerName, req.SpecName)
		return made.ID, nil
	case errors.Is(err, reconcile.ErrNotFound):
		return "", d.whatIsMissing(ctx, req, err)
	case networkMissing(err):
		return "", kindError{reconcile.ErrNetworkNotFound, err}
	}
	return "", d.orLetSwap(err)
}

// whatIsMissing tells a missing image from a missing network: the engine answers both with the same status.
func (d *Driver) whatIsMissing(ctx context.Context, req reconcile.CreateRequest, err error) error {
	if _, inspection := d.imageID(ctx, req.ImageID); errors.Is(inspection, reconcile.ErrNotFound) {
		return fmt.Errorf("%w: %w", reconcile.ErrImageUnavailable, err)
	}
	return kindError{reconcile.ErrNetworkNotFound, err}
}

// config is what the sidecar's process is.
func (d *Driver) config(req reconcile.CreateRequest) *container.Config {
	labels := d.identity(req.SpecName)
	labels[LabelSpecHash] = req.SpecHash
	if tag := d.images.tagOf(req.ImageID); tag != "" {
		labels[LabelImage] = tag
	}
	stop := int((d.opts.DrainTimeout + stopMargin).Seconds())
	env := []string{routetable.DrainTimeoutVariable + "=" + d.opts.DrainTimeout.String(), routetable.SpecVariable + "=" + req.SpecName}
	if req.Standby != nil {
		env = append(env, routetable.StandbyVariable+"="+req.Standby.String())
	}
	for _, slot := range slices.Sorted(maps.Keys(req.Env)) {
		env = append(env, slot+"="+req.Env[slot].Reveal())
	}
	// Where no stop signal is named, Docker takes every signal that it sends for one, and starts what then ends by itself no
	// more. The host name stays the engine's: engines make an alias of any other, on the egress network too.
	return &container.Config{
		Image:       req.ImageID,
		User:        user(),
		Labels:      labels,
		Env:         env,
		StopSignal:  "SIGTERM",
		StopTimeout: &stop,
		Healthcheck: &container.HealthConfig{Test: []string{"NONE"}}, // the sidecar speaks for itself
	}
}

// hostConfig is what the sidecar's process may do.
func (d *Driver) hostConfig(req reconcile.CreateRequest, volume string) *container.HostConfig {
	noInit := false
	sysctls := map[string]string{sysctlForward4: "0", sysctlForward6: "0"}
	if d.plainIPv6.Load() {
		delete(sysctls, sysctlForward6)
	}
	return &container.HostConfig{
		NetworkMode:    container.NetworkMode(req.Network),
		RestartPolicy:  restartPolicy(),
		ReadonlyRootfs: true,
		CapDrop:        []string{"ALL"},
		SecurityOpt:    []string{"no-new-privileges"},
		Sysctls:        sysctls,
		Init:           &noInit,
		Resources:      limits(req.Resources),
		LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{
			"max-size": logFileSize, "max-file": logFiles, "mode": "non-blocking", "max-buffer-size": logBuffer,
		}},
		Mounts: []mount.Mount{{
			Type: mount.TypeVolume, Source: volume, Target: volumeRoot,
			VolumeOptions: d.volumeToMake(req, volume),
		}},
	}
}

// volumeToMake is what the volume is like that the engine makes with the container, unless there is one already.
func (d *Driver) volumeToMake(req reconcile.CreateRequest, existing string) *mount.VolumeOptions {
	made := &mount.VolumeOptions{Labels: d.identity(req.SpecName)}
	if options := d.volumeOptions(req); options != nil && existing == "" {
		made.DriverConfig = &mount.Driver{Name: "local", Options: options}
	}
	return made
}

// noCores lets no core of a container be dumped: the engine's own limit, which containers have otherwise, is often none at all.
// Podman, once it is given one limit, adds others that not everywhere can be set; there it is left to the sidecar itself.
func (d *Driver) noCores(ctx context.Context) []*container.Ulimit {
	if engine, err := d.ask(ctx); err != nil || engine.isPodman() {
		return nil
	}
	return []*container.Ulimit{{Name: "core"}}
}

// networking is the one network that engines before API 1.44 take at creation.
func (d *Driver) networking(req reconcile.CreateRequest) *network.NetworkingConfig {
	var aliases []string
	if req.Alias != "" {
		aliases = []string{req.Alias}
	}
	return &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
		req.Network: d.endpoint(aliases),
	}}
}

// limits are a spec's resources; no swap comes on top of the memory.
func limits(r spec.Resources) container.Resources {
	l := reconcile.LimitsOf(r)
	return container.Resources{Memory: l.Memory, MemorySwap: l.Memory, NanoCPUs: l.NanoCPUs, PidsLimit: &l.Pids}
}

// restartPolicy has the engine start a sidecar again that ended by itself, and after its own restart. Docker takes whatever
// was sent a signal by its API for stopped, a SIGHUP too, so that "unless-stopped" would start none after its own restart.
func restartPolicy() container.RestartPolicy {
	return container.RestartPolicy{Name: container.RestartPolicyAlways}
}

func user() string {
	id := strconv.Itoa(routetable.UID)
	return id + ":" + id
}

// refusesIPv6 reports whether a container did not start because its host's kernel has no IPv6. There is only the
// runtime's text to tell by.
func refusesIPv6(err error) bool {
	return strings.Contains(err.Error(), "net/ipv6/conf/all/forwarding") || strings.Contains(err.Error(), sysctlForward6)
}
