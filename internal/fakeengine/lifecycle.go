package fakeengine

import (
	"context"
	"errors"
	"fmt"
	"testing/fstest"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// Create makes a sidecar on one network, with a volume of its own.
func (d *Driver) Create(ctx context.Context, req reconcile.CreateRequest) (id string, err error) {
	err = d.act(ctx, &Call{Verb: Create, Target: req.ContainerName}, func() error {
		e := d.engine
		image := e.imageByID(req.ImageID)
		switch {
		case image == nil:
			return fmt.Errorf("%w: %s", reconcile.ErrImageUnavailable, req.ImageID)
		case e.networks[req.Network] == nil:
			return fmt.Errorf("%w: %s", reconcile.ErrNetworkNotFound, req.Network)
		case e.find(req.ContainerName) != nil:
			return fmt.Errorf("%w: another container holds the name", reconcile.ErrNameConflict)
		}
		labels := d.identity(req.SpecName)
		c := e.addContainer(req.ContainerName, image, labels)
		c.Volume = e.addVolume(d.identity(req.SpecName), req.Standby != nil)
		labels[labelSpecHash] = req.SpecHash
		c.Limits, c.Restarts = reconcile.LimitsOf(req.Resources), true
		if req.Standby != nil {
			c.Env[routetable.StandbyVariable] = req.Standby.String()
		}
		for slot, token := range req.Env {
			c.Env[slot] = token.Reveal()
		}
		id = c.ID
		var aliases []string
		if req.Alias != "" {
			aliases = []string{req.Alias}
		}
		return e.connect(c, req.Network, aliases)
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

func (e *Engine) addContainer(name string, image *Image, labels map[string]string) *container {
	c := &container{image: image, Container: Container{
		ID: e.newID(), Name: name, ImageID: image.ID, Labels: labels, Env: map[string]string{},
		State: reconcile.StateCreated, Created: time.Now(),
	}}
	e.containers[c.ID] = c
	e.tell(c, reconcile.Change{Kind: "create"})
	return c
}

func (e *Engine) addVolume(labels map[string]string, memory bool) string {
	name := e.newID()
	e.volumes[name] = &Volume{Name: name, Labels: labels, Memory: memory, Files: fstest.MapFS{}}
	return name
}

// Start listens to the container, then starts it.
func (d *Driver) Start(ctx context.Context, containerID string) error {
	return d.act(ctx, &Call{Verb: Start, Target: containerID}, func() error {
		c := d.engine.containers[containerID]
		if c == nil {
			return noContainer(containerID)
		}
		if c.State == reconcile.StateRunning {
			return nil
		}
		return d.engine.start(c, func(r *run) { d.hear(c, r) })
	})
}

// start starts a container that does not run; before sees the process before it has done anything.
func (e *Engine) start(c *container, before func(*run)) error {
	switch c.State {
	case reconcile.StatePaused, reconcile.StateRemoving, reconcile.StateDead:
		return fmt.Errorf("container %s cannot be started: it is %s", c.Name, c.State)
	}
	for _, p := range c.Endpoints {
		if e.networks[p.NetworkID] == nil {
			return fmt.Errorf("%w: container %s needs network %s", reconcile.ErrNetworkNotFound, c.Name, p.NetworkName)
		}
	}
	e.launch(c, before)
	return nil
}

// launch makes a container run.
func (e *Engine) launch(c *container, before func(*run)) {
	c.State, c.StartedAt, c.OOMKilled = reconcile.StateRunning, time.Now(), false
	c.run = &run{program: c.image.Program, began: time.Now().UnixNano(), counted: map[string]*routetable.RouteCounters{}}
	c.listed++
	for i := range c.Endpoints {
		n := e.networks[c.Endpoints[i].NetworkID]
		c.Endpoints[i].IPv4 = e.freeAddress(n)
		if e.manners != Podman {
			e.tell(c, reconcile.Change{Network: n.Name, Kind: "connect"})
		}
	}
	if before != nil {
		before(c.run)
	}
	e.tell(c, reconcile.Change{Kind: "start"})
	if c.run.program == Crashing {
		e.write(c, "this image crashes")
		e.stop(c, 1)
		if c.Restarts {
			c.State = reconcile.StateRestarting
			c.RestartCount++
		}
		return
	}
	e.proceed(c)
}

// stop ends a container's process.
func (e *Engine) stop(c *container, code int) {
	if c.State != reconcile.StateRestarting && c.run == nil {
		return
	}
	e.countNoMore(c)
	c.State, c.ExitCode, c.run = reconcile.StateExited, code, nil
	c.listed++
	if e.inMemory(c) {
		clear(e.volumes[c.Volume].Files)
	}
	e.tell(c, reconcile.Change{Kind: "die"})
	for i, p := range c.Endpoints {
		c.Endpoints[i].IPv4 = ""
		if e.manners != Podman {
			e.tell(c, reconcile.Change{Network: p.NetworkName, Kind: "disconnect"})
		}
	}
}

// Update changes the limits of a container in place, and its restart policy.
func (d *Driver) Update(ctx context.Context, containerID string, resources spec.Resources) error {
	return d.act(ctx, &Call{Verb: Update, Target: containerID}, func() error {
		c := d.engine.containers[containerID]
		switch {
		case c == nil:
			return noContainer(containerID)
		case d.engine.manners == Podman:
			return fmt.Errorf("%w: limits cannot be changed in place", reconcile.ErrUnsupported)
		}
		c.Restarts = true
		d.engine.update(c, reconcile.LimitsOf(resources))
		delete(d.looks, containerID) // a list does not show limits
		return nil
	})
}

func (e *Engine) update(c *container, limits reconcile.Limits) {
	c.Limits = limits
	e.tell(c, reconcile.Change{Kind: "update"})
}

// Rename gives a container another name.
func (d *Driver) Rename(ctx context.Context, containerID, name string) error {
	return d.act(ctx, &Call{Verb: Rename, Target: containerID}, func() error {
		c := d.engine.containers[containerID]
		if c == nil {
			return noContainer(containerID)
		}
		return d.engine.rename(c, name)
	})
}

func (e *Engine) rename(c *container, name string) error {
	switch holder := e.find(name); holder {
	case c:
		return nil
	case nil:
		c.Name = name
		c.listed++
		e.tell(c, reconcile.Change{Kind: "rename"})
		return nil
	default:
		return fmt.Errorf("%w: container %s holds the name %s", reconcile.ErrNameConflict, holder.ID, name)
	}
}

// Drain ends a container's process in an orderly way.
func (d *Driver) Drain(ctx context.Context, containerID string) error {
	return d.act(ctx, &Call{Verb: Drain, Target: containerID}, func() error {
		if c := d.engine.containers[containerID]; c != nil {
			d.engine.stop(c, 0)
		}
		return nil
	})
}

// Remove kills and removes a container together with its anonymous volume. One that somebody else is removing is
// waited for.
func (d *Driver) Remove(ctx context.Context, containerID string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return d.call(ctx, &Call{Verb: Remove, Target: containerID}, func(ctx context.Context) error {
		return d.engine.until(ctx, func() (bool, error) {
			c := d.engine.containers[containerID]
			if c != nil && c.stuck {
				return false, nil
			}
			if c != nil {
				d.engine.remove(c, true)
			}
			return true, nil
		})
	})
}

func (e *Engine) remove(c *container, withVolume bool) {
	e.stop(c, 137)
	delete(e.containers, c.ID)
	if withVolume {
		delete(e.volumes, c.Volume)
	}
	e.tell(c, reconcile.Change{Kind: "destroy"})
	e.wake()
}

// RemoveVolume removes a volume by name. One that a container uses stays.
func (d *Driver) RemoveVolume(ctx context.Context, name string) error {
	return d.act(ctx, &Call{Verb: RemoveVolume, Target: name}, func() error {
		d.strays.forget(name)
		for _, c := range d.engine.containers {
			if name != "" && c.Volume == name {
				return errors.New("volume is in use by container " + c.Name)
			}
		}
		delete(d.engine.volumes, name)
		return nil
	})
}

func noContainer(id string) error {
	return fmt.Errorf("%w: no container %s", reconcile.ErrNotFound, id)
}
