package dockerdriver

import (
	"context"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// inspect asks for all that the engine knows of a container.
func (d *Driver) inspect(ctx context.Context, id string) (container.InspectResponse, error) {
	return d.inspectFor(ctx, d.opts.CallTimeout, id)
}

func (d *Driver) inspectFor(ctx context.Context, limit time.Duration, id string) (found container.InspectResponse, err error) {
	err = d.callFor(ctx, limit, opContainerInspect, "inspect container "+d.nameOf(id), func(ctx context.Context) (err error) {
		found, err = d.docker.ContainerInspect(ctx, id)
		return err
	})
	if err == nil {
		complete(&found)
	}
	return found, err
}

// complete fills the parts that an engine may leave out, so that nobody has to look before they read.
func complete(c *container.InspectResponse) {
	if c.ContainerJSONBase == nil {
		c.ContainerJSONBase = &container.ContainerJSONBase{}
	}
	if c.State == nil {
		c.State = &container.State{}
	}
	if c.HostConfig == nil {
		c.HostConfig = &container.HostConfig{}
	}
	if c.Config == nil {
		c.Config = &container.Config{}
	}
	if c.NetworkSettings == nil {
		c.NetworkSettings = &container.NetworkSettings{}
	}
}

// owner says whose a container is that claims to be ours: whether those labels are its own. Labels of an image show up
// as those of its containers, and anybody may have made the image.
func (p *pass) owner(ctx context.Context, c container.InspectResponse) (whose, error) {
	identity := p.identity(p.claimed(c.Config.Labels))
	for _, m := range c.HostConfig.Mounts {
		// An image cannot ask for a mount: this is what Create made.
		if m.Type == mount.TypeVolume && m.Target == volumeRoot && m.VolumeOptions != nil && contains(m.VolumeOptions.Labels, identity) {
			return ours, nil
		}
	}
	var made image.InspectResponse
	err := p.callFor(ctx, p.limit, opImageInspect, "inspect the image of container "+p.nameOf(c.ID), func(ctx context.Context) (err error) {
		made, err = p.docker.ImageInspect(ctx, c.Image)
		return err
	})
	switch {
	case cerrdefs.IsNotFound(err):
		return theirs, nil // it cannot be told any more
	case err != nil:
		return unknown, err
	case made.Config == nil:
		return ours, nil
	}
	for label, value := range identity {
		if made.Config.Labels[label] == value {
			return p.ownerByVolume(ctx, c)
		}
	}
	return ours, nil
}

// ownerByVolume says whose a container is whose labels may be its image's. Podman does not tell what mounts were asked for; an image
// cannot label a volume either.
func (p *pass) ownerByVolume(ctx context.Context, c container.InspectResponse) (whose, error) {
	engine, err := p.ask(ctx)
	if err != nil {
		return unknown, err
	}
	if !engine.isPodman() {
		return theirs, nil
	}
	volume, err := p.ownVolume(ctx, p.limit, c)
	switch {
	case err != nil:
		return unknown, err
	case volume == "":
		return theirs, nil
	}
	return ours, nil
}

func contains(labels, wanted map[string]string) bool {
	for label, value := range wanted {
		if labels[label] != value {
			return false
		}
	}
	return true
}

// toSidecar makes a Sidecar of what was listed and what was inspected after that. Its endpoints are still missing.
func (d *Driver) toSidecar(c container.InspectResponse) reconcile.Sidecar {
	s := reconcile.Sidecar{
		ID:           c.ID,
		Name:         strings.TrimPrefix(c.Name, "/"),
		SpecName:     c.Config.Labels[LabelName],
		SpecHash:     c.Config.Labels[LabelSpecHash],
		State:        stateOf(c.State.Status),
		ImageID:      c.Image,
		ImageTag:     c.Config.Labels[LabelImage],
		Created:      moment(c.Created),
		RestartCount: c.RestartCount,
		OOMKilled:    c.State.OOMKilled,
		StartedAt:    moment(c.State.StartedAt),
		Env:          slotsOf(c.Config.Env),
		Standby:      standbyOf(c.Config.Env),
		Resources:    reconcile.Limits{Memory: c.HostConfig.Memory, NanoCPUs: c.HostConfig.NanoCPUs},
	}
	switch c.HostConfig.RestartPolicy.Name {
	case container.RestartPolicyDisabled, container.RestartPolicyOnFailure:
		s.NoRestart = true
	}
	if s.State != reconcile.StateRunning {
		s.ExitCode = c.State.ExitCode
	}
	if c.HostConfig.PidsLimit != nil {
		s.Resources.Pids = *c.HostConfig.PidsLimit
	}
	return s
}

// stateOf is the engine's word for a state, with Podman's own words for the same.
func stateOf(word string) reconcile.ContainerState {
	switch word {
	case "configured", "initialized":
		return reconcile.StateCreated
	case "stopped":
		return reconcile.StateExited
	case "stopping":
		return reconcile.StateRunning
	}
	return reconcile.ContainerState(word)
}

// moment parses the engine's time; the zero time is "never".
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// standbyOf is what a sidecar on standby was made with; nil when it was made with none, or with one that nobody understands.
func standbyOf(env []string) *routetable.Standby {
	for _, entry := range env {
		if text, ok := strings.CutPrefix(entry, routetable.StandbyVariable+"="); ok {
			standby, _ := routetable.ParseStandby(text)
			return standby
		}
	}
	return nil
}

// slotsOf are the tokens in an environment; nil when there are none.
func slotsOf(env []string) map[string]reconcile.Token {
	var slots map[string]reconcile.Token
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, slotPrefix) {
			continue
		}
		if slots == nil {
			slots = map[string]reconcile.Token{}
		}
		slots[name] = reconcile.NewToken(value)
	}
	return slots
}
