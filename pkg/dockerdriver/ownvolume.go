package dockerdriver

import (
	"context"
	"errors"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/volume"

	"credproxy.dev/controller/pkg/reconcile"
)

// Docker makes a sidecar's volume with its container, labels it, and removes it with its container. Podman makes one
// without labels, so that nobody could tell whose it is once its container is gone, with tokens in it. There the driver
// makes the volume itself, before the container, and removes it after that.

// createWithVolume makes a volume, and a container with it. A volume whose container could not be made is removed, or
// else it is a stray; where nobody knows whether there is a container, it is left.
func (d *Driver) createWithVolume(ctx context.Context, req reconcile.CreateRequest) (string, error) {
	defer d.strays.move()()
	var made volume.Volume
	err := d.call(ctx, opVolumeCreate, "create the volume of container "+req.ContainerName, func(ctx context.Context) (err error) {
		made, err = d.docker.VolumeCreate(ctx, volume.CreateOptions{DriverOpts: d.volumeOptions(req), Labels: d.identity(req.SpecName)})
		return err
	})
	if err != nil {
		return "", err
	}
	id, err := d.create(ctx, req, made.Name)
	if err != nil && !errors.Is(err, reconcile.ErrEngineUnavailable) {
		_ = d.RemoveVolume(context.WithoutCancel(ctx), made.Name)
	}
	return id, err
}

// volumeLeft is the volume that has to be removed after a container, since the engine does not take it along; empty for
// none.
func (d *Driver) volumeLeft(ctx context.Context, containerID string) (string, error) {
	engine, err := d.ask(ctx)
	if err != nil || !engine.isPodman() {
		return "", err
	}
	found, err := d.inspect(ctx, containerID)
	if errors.Is(err, reconcile.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return d.ownVolume(ctx, d.opts.CallTimeout, found)
}

// ownVolume is the volume that the driver made for a container; empty when it made none.
func (d *Driver) ownVolume(ctx context.Context, limit time.Duration, c container.InspectResponse) (string, error) {
	ours, err := d.labelledVolumes(ctx, limit)
	for _, m := range c.Mounts {
		if _, own := ours[m.Name]; own && m.Destination == volumeRoot {
			return m.Name, nil
		}
	}
	return "", err
}
