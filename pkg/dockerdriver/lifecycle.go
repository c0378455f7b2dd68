package dockerdriver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// stopMargin is how much longer than the drain timeout the engine waits before it kills a sidecar.
const stopMargin = 5 * time.Second

// Start listens to the container's streams, then starts it. A container that runs already is success.
func (d *Driver) Start(ctx context.Context, containerID string) error {
	s, attached, listening := d.listen(ctx, containerID)
	switch {
	case listening == nil:
	case !d.exists(ctx, containerID):
		return fmt.Errorf("start container %s: %w: it is not there any more", d.nameOf(containerID), reconcile.ErrNotFound)
	case upgradeStatus(listening) != http.StatusConflict:
		return listening
	}
	// Podman prepares a container to run when it is attached to. Of a refusal the client keeps the status alone; the
	// start is refused for the same reason, and has words.
	err := d.start(ctx, containerID)
	switch {
	case err == nil:
		return listening
	case errors.Is(err, reconcile.ErrEngineUnavailable):
		return err // it may have started although the call failed
	case attached:
		s.stop()
	}
	return d.whyNotStarted(ctx, containerID, err)
}

// whyNotStarted finds the kind of a start's failure.
func (d *Driver) whyNotStarted(ctx context.Context, containerID string, err error) error {
	switch {
	case refusesIPv6(err) && !d.plainIPv6.Swap(true):
		return fmt.Errorf("the engine's host knows no IPv6; the next attempt goes without settings for it: %w", err)
	case networkMissing(err), errors.Is(err, reconcile.ErrNotFound) && d.exists(ctx, containerID):
		return kindError{reconcile.ErrNetworkNotFound, err}
	}
	return d.orLetSwap(err)
}

func (d *Driver) start(ctx context.Context, containerID string) error {
	return d.change(ctx, opContainerStart, containerID, "start container "+d.nameOf(containerID), func(ctx context.Context) error {
		return d.docker.ContainerStart(ctx, containerID, container.StartOptions{})
	})
}

// exists reports whether a container is there; true when that cannot be told.
func (d *Driver) exists(ctx context.Context, containerID string) bool {
	_, err := d.inspect(ctx, containerID)
	return !errors.Is(err, reconcile.ErrNotFound)
}

// Update changes the limits of a container in place, and its restart policy back to that of Create.
func (d *Driver) Update(ctx context.Context, containerID string, resources spec.Resources) error {
	name := d.nameOf(containerID)
	err := d.change(ctx, opContainerUpdate, containerID, "update the limits of container "+name, func(ctx context.Context) error {
		_, err := d.docker.ContainerUpdate(ctx, containerID, container.UpdateConfig{
			Resources: limits(resources), RestartPolicy: restartPolicy(),
		})
		return err
	})
	if errors.Is(err, reconcile.ErrNotFound) && d.exists(ctx, containerID) {
		// Podman 4 does not know the request.
		return fmt.Errorf("update the limits of container %s: %w: this engine cannot change limits in place", name, reconcile.ErrUnsupported)
	}
	return err
}

// Rename gives a container another name. Having it already is success.
func (d *Driver) Rename(ctx context.Context, containerID, name string) error {
	before := d.known.get(containerID)
	what := fmt.Sprintf("rename container %s to %s", d.nameOf(containerID), name)
	err := d.change(ctx, opContainerRename, containerID, what, func(ctx context.Context) error {
		return d.docker.ContainerRename(ctx, containerID, name)
	})
	if err != nil {
		if found, inspection := d.inspect(ctx, containerID); inspection == nil && found.Name == "/"+name {
			err = nil
		}
	}
	switch {
	case err != nil && nameTaken(err):
		return fmt.Errorf("%w: %w", reconcile.ErrNameConflict, err)
	case err == nil && before.specName != "":
		d.known.put(containerID, name, before.specName)
	}
	return err
}

// Drain sends SIGTERM and waits until the container has ended; past the drain timeout the engine kills it. One that
// has ended, or is gone, is success.
func (d *Driver) Drain(ctx context.Context, containerID string) error {
	grace := d.opts.DrainTimeout + stopMargin
	seconds := int(grace.Seconds())
	return d.callFor(ctx, grace+d.opts.CallTimeout, opContainerStop, "stop container "+d.nameOf(containerID), func(ctx context.Context) error {
		return ignoreGone(d.docker.ContainerStop(ctx, containerID, container.StopOptions{Timeout: &seconds}))
	})
}

// Remove kills and removes a container together with its volume. One that is gone is success, and one that
// somebody else is removing is waited for.
func (d *Driver) Remove(ctx context.Context, containerID string) error {
	defer d.strays.move()()
	name := d.nameOf(containerID)
	volume, err := d.volumeLeft(ctx, containerID)
	if err != nil {
		return fmt.Errorf("find the volume of container %s, which is to be removed with it: %w", name, err)
	}
	err = d.call(ctx, opContainerRemove, "remove container "+name, func(ctx context.Context) error {
		return ignoreGone(d.docker.ContainerRemove(ctx, containerID, container.RemoveOptions{Force: true, RemoveVolumes: true}))
	})
	if cerrdefs.IsConflict(err) {
		err = d.awaitRemoval(ctx, containerID, err)
	}
	if err != nil {
		return fmt.Errorf("%w; if it stays, remove it by hand: docker rm -f %s", err, name)
	}
	if s := d.streams.get(containerID); s != nil {
		s.stop()
	}
	if volume == "" {
		return nil
	}
	return d.RemoveVolume(ctx, volume)
}

// awaitRemoval waits until a container is gone whose removal was refused with a conflict. Only a removal under way is
// waited for.
func (d *Driver) awaitRemoval(ctx context.Context, containerID string, refusal error) error {
	found, err := d.inspect(ctx, containerID)
	switch {
	case errors.Is(err, reconcile.ErrNotFound):
		return nil
	case err != nil:
		return err
	case stateOf(found.State.Status) != reconcile.StateRemoving:
		return refusal
	}
	return d.call(ctx, opContainerWait, "wait for the removal of container "+d.nameOf(containerID), func(ctx context.Context) error {
		gone, failed := d.docker.ContainerWait(ctx, containerID, container.WaitConditionRemoved)
		select {
		case <-gone:
			return nil
		case err := <-failed:
			return ignoreGone(err)
		}
	})
}

// RemoveVolume removes a volume by name. One that is gone is success; one that a container uses stays, and is an error.
func (d *Driver) RemoveVolume(ctx context.Context, name string) error {
	err := d.call(ctx, opVolumeRemove, "remove volume "+name, func(ctx context.Context) error {
		return ignoreGone(d.docker.VolumeRemove(ctx, name, false))
	})
	used := cerrdefs.IsConflict(err)
	if err == nil || used {
		d.strays.drop(func(stray string) bool { return stray == name })
	}
	if used {
		return fmt.Errorf("a container uses the volume, so it stays: %w", err)
	}
	return err
}
