package fakeengine

import (
	"fmt"
	"maps"
	"slices"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// The methods of this file are what people and accidents do to an engine behind the controller's back. They reach an
// engine that is down, too. Naming something that is not there is a mistake in the test, and panics.

// Foreign is a container that no controller made.
type Foreign struct {
	Name string
	// Image is a Ref; a mute one of that name is made when it is missing.
	Image  string
	Labels map[string]string
	// Networks are IDs of networks with the aliases there.
	Networks map[string][]string
	// Reach is what it may do.
	Reach reconcile.Reach
	// Stopped leaves it created.
	Stopped bool
	// Restarts has the engine start it again when it ends by itself, and when the engine itself was restarted.
	Restarts bool
}

// AddContainer makes a foreign container and starts it, and returns its ID.
func (e *Engine) AddContainer(f Foreign) (id string) {
	e.do(func() {
		if e.find(f.Name) != nil {
			panic("fakeengine: the name " + f.Name + " is taken")
		}
		image := e.images[f.Image]
		if image == nil {
			image = e.addImage(f.Image, Mute, nil)
		}
		f.Reach.Mounts = slices.Clone(f.Reach.Mounts)
		c := e.addContainer(f.Name, image, maps.Clone(f.Labels))
		c.Restarts, c.Reach = f.Restarts, f.Reach
		for i := range c.Reach.Mounts {
			if m := &c.Reach.Mounts[i]; m.Volume != "" {
				m.Source = mountpoint(m.Volume)
			}
		}
		for network, aliases := range f.Networks {
			must(e.connect(c, network, aliases))
		}
		if !f.Stopped {
			must(e.start(c, nil))
		}
		id = c.ID
	})
	return id
}

// AddImage makes an image, or changes what the one of that Ref runs, and returns its ID.
func (e *Engine) AddImage(ref string, program Program, labels map[string]string) (id string) {
	e.do(func() {
		image := e.images[ref]
		if image == nil {
			image = e.addImage(ref, program, labels)
		}
		image.Program, image.Labels = program, labels
		id = image.ID
	})
	return id
}

// RemoveImage removes an image. Containers that were made from it stay as they are, and can be started.
func (e *Engine) RemoveImage(ref string) {
	e.do(func() { delete(e.images, ref) })
}

// AddNetwork makes a network, also one of a name that is there already, and returns its ID.
func (e *Engine) AddNetwork(name string, internal bool) (id string) {
	e.do(func() { id = e.makeNetwork(name, internal, nil) })
	return id
}

// AlterNetwork makes a network be as if it had been made otherwise. No event tells of it.
func (e *Engine) AlterNetwork(id string, change func(*Network)) {
	e.do(func() { change(e.networks[id]) })
}

// SetProduct makes the engine another product or version. Who has asked asks again when all is looked at anew.
func (e *Engine) SetProduct(p reconcile.Engine) { e.do(func() { e.product = p }) }

// RemoveNetwork disconnects every running container from a network and removes it. Stopped ones go on needing it.
func (e *Engine) RemoveNetwork(id string) {
	e.do(func() {
		for _, c := range e.sorted() {
			if c.run != nil {
				e.disconnect(c, id)
			}
		}
		must(e.removeNetwork(id))
	})
}

// StartContainer is `docker start`.
func (e *Engine) StartContainer(id string) {
	e.with(id, func(c *container) {
		if c.run == nil {
			must(e.start(c, nil))
		}
	})
}

// StopContainer is `docker stop`: the engine does not start it again.
func (e *Engine) StopContainer(id string) { e.with(id, func(c *container) { e.stop(c, 0) }) }

// KillContainer is `docker kill`: the engine does not start it again.
func (e *Engine) KillContainer(id string) { e.with(id, func(c *container) { e.stop(c, 137) }) }

// CrashContainer ends the process from inside with a code. The engine starts a sidecar again at once, or waits with it
// in the state "restarting" if its image crashes.
func (e *Engine) CrashContainer(id string, code int) {
	e.with(id, func(c *container) {
		e.stop(c, code)
		if c.Restarts {
			e.restart(c)
		}
	})
}

// RetryContainer ends the engine's backoff for a container in the state "restarting".
func (e *Engine) RetryContainer(id string) {
	e.with(id, func(c *container) {
		if c.State == reconcile.StateRestarting {
			e.restart(c)
		}
	})
}

// restart is the engine's own start of what has ended. What cannot be started is left as it is.
func (e *Engine) restart(c *container) {
	if err := e.start(c, nil); err != nil {
		c.State = reconcile.StateExited
		return
	}
	if c.State == reconcile.StateRunning { // launch counts the runs that crash
		c.RestartCount++
	}
}

// PauseContainer is `docker pause`.
func (e *Engine) PauseContainer(id string) { e.freeze(id, reconcile.StatePaused, "pause") }

// UnpauseContainer is `docker unpause`.
func (e *Engine) UnpauseContainer(id string) { e.freeze(id, reconcile.StateRunning, "unpause") }

func (e *Engine) freeze(id string, state reconcile.ContainerState, kind string) {
	e.with(id, func(c *container) {
		if c.run != nil {
			c.State = state
			c.listed++
			e.tell(c, reconcile.Change{Kind: kind})
			e.proceed(c)
		}
	})
}

// RemoveContainer is `docker rm -f`, with -v if withVolume is set.
func (e *Engine) RemoveContainer(id string, withVolume bool) {
	e.with(id, func(c *container) { e.remove(c, withVolume) })
}

// StallRemoval begins the removal of a container and leaves it in the state "removing".
func (e *Engine) StallRemoval(id string) {
	e.with(id, e.stall)
}

func (e *Engine) stall(c *container) {
	e.stop(c, 137)
	c.State, c.stuck = reconcile.StateRemoving, true
	c.listed++
}

// FinishRemoval ends what StallRemoval began.
func (e *Engine) FinishRemoval(id string) { e.with(id, func(c *container) { e.remove(c, true) }) }

// FinishRemovals ends all removals that stall.
func (e *Engine) FinishRemovals() {
	e.do(func() {
		for _, c := range e.sorted() {
			if c.stuck {
				e.remove(c, true)
			}
		}
	})
}

// RenameContainer is `docker rename`.
func (e *Engine) RenameContainer(id, name string) {
	e.with(id, func(c *container) { must(e.rename(c, name)) })
}

// UpdateContainer is `docker update`. With Podman's manners it changes nothing that an inspection shows.
func (e *Engine) UpdateContainer(id string, limits reconcile.Limits) {
	e.with(id, func(c *container) {
		if e.manners != Podman {
			e.update(c, limits)
		}
	})
}

// ForbidRestarts is `docker update --restart=no`. With Podman's manners it changes nothing.
func (e *Engine) ForbidRestarts(id string) {
	e.with(id, func(c *container) {
		if e.manners != Podman {
			c.Restarts = false
			e.update(c, c.Limits)
		}
	})
}

// ConnectContainer is `docker network connect`.
func (e *Engine) ConnectContainer(id, networkID string, aliases ...string) {
	e.with(id, func(c *container) { must(e.connect(c, networkID, aliases)) })
}

// DisconnectContainer is `docker network disconnect`.
func (e *Engine) DisconnectContainer(id, networkID string) {
	e.with(id, func(c *container) { e.disconnect(c, networkID) })
}

// SetDown takes the engine away, and with it the streams of events, or brings it back. Containers stay as they are.
func (e *Engine) SetDown(down bool) { e.do(func() { e.down = down }) }

// CutWatches breaks the streams of events that are open now.
func (e *Engine) CutWatches() { e.do(e.cutWatches) }

func (e *Engine) cutWatches() {
	for w := range e.watches {
		w.cut = true
	}
}

// Restart restarts the engine: streams end with all that they had not told yet, every process ends, and those that the
// engine starts by itself begin anew.
func (e *Engine) Restart() { e.do(e.restartAll) }

func (e *Engine) restartAll() {
	for _, c := range e.sorted() {
		alive := c.run != nil || c.State == reconcile.StateRestarting
		e.stop(c, 137)
		if alive && c.Restarts {
			if err := e.start(c, nil); err != nil {
				c.State = reconcile.StateExited // as dockerd leaves what it cannot start
			}
		}
	}
	for w := range e.watches {
		w.cut, w.queue = true, nil
	}
}

// LoseEvents makes events vanish, or arrive again.
func (e *Engine) LoseEvents(lose bool) {
	if lose {
		e.SetEvents(EventsLost)
	} else {
		e.SetEvents(EventsArrive)
	}
}

// SetEvents gives all events a fate, from now on.
func (e *Engine) SetEvents(fate EventFate) { e.do(func() { e.fate = fate }) }

// Manners are the ways of a product.
type Manners int

// The manners. What else Podman does differently ends in pkg/dockerdriver, whose own tests hold it: conflicts that are
// answered with 500, a NetworkID that is a name, other names of events, volumes without labels.
const (
	Docker Manners = iota
	// Podman tells nothing of networks as such, and of their containers only what happens while they run, without the
	// network's name. It cannot change limits in place. Containers are on networks by name, so that one that does not run
	// is on the next network of that name.
	Podman
)

// SetManners makes the engine behave as a product does.
func (e *Engine) SetManners(m Manners) { e.do(func() { e.manners = m }) }

// WhenLoaded has f called, in the course of the change itself, whenever a sidecar takes over a generation. f must not call
// the engine.
func (e *Engine) WhenLoaded(f func(Container, *routetable.Loaded)) { e.do(func() { e.whenLoaded = f }) }

func (e *Engine) do(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.wake()
	f()
}

func (e *Engine) with(id string, f func(*container)) {
	e.do(func() {
		c := e.find(id)
		if c == nil {
			panic(fmt.Sprintf("fakeengine: no container %q", id))
		}
		f(c)
	})
}

func must(err error) {
	if err != nil {
		panic("fakeengine: " + err.Error())
	}
}
