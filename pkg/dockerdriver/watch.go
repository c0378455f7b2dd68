package dockerdriver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"credproxy.dev/controller/pkg/reconcile"
)

// Watch reports that something changed until ctx ends, the stream of events fails, or the engine does not answer any
// more. While it runs, it also reports that a sidecar said something new.
func (d *Driver) Watch(ctx context.Context, notify func(reconcile.Change)) error {
	ctx, cancel := context.WithCancel(withOperation(ctx, opEvents))
	defer cancel()
	messages, failed, err := d.subscribe(ctx, cancel)
	if err != nil {
		return err
	}
	var feeling sync.WaitGroup
	dead := make(chan error, 1)
	feeling.Go(func() { dead <- d.feel(ctx) })
	defer feeling.Wait()
	defer cancel()
	d.changed.Store(&notify)
	defer d.changed.CompareAndSwap(&notify, nil)
	notify(reconcile.Change{})
	for {
		select {
		case m := <-messages:
			if change, ok := d.translate(m); ok {
				notify(change)
			}
		case err := <-failed:
			return explain(ctx, "watch the engine's events", d.opts.CallTimeout, err)
		case err := <-dead:
			return err
		}
	}
}

// feel asks from time to time whether the engine still answers, and returns why it does not. The stream of an engine
// that hangs stays open, and looks like one on which nothing happens.
func (d *Driver) feel(ctx context.Context) error {
	beat := time.NewTicker(d.pulse)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			if err := d.Ping(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			return explain(ctx, "watch the engine's events", d.opts.CallTimeout, ctx.Err())
		}
	}
}

// subscribe opens the stream of events. It ends ctx when the engine does not open it in time.
func (d *Driver) subscribe(ctx context.Context, cancel func()) (<-chan events.Message, <-chan error, error) {
	const what = "subscribe to the engine's events"
	if err := d.Ping(ctx); err != nil {
		return nil, nil, err
	}
	late := time.AfterFunc(d.opts.CallTimeout, cancel)
	messages, failed := d.docker.Events(ctx, events.ListOptions{Filters: filters.NewArgs(
		filters.Arg("type", string(events.ContainerEventType)),
		filters.Arg("type", string(events.NetworkEventType)),
	)})
	if !late.Stop() {
		return nil, nil, fmt.Errorf("%s: %w: no answer within %v", what, reconcile.ErrEngineUnavailable, d.opts.CallTimeout)
	}
	select {
	case err := <-failed:
		return nil, nil, explain(ctx, what, d.opts.CallTimeout, err)
	default:
		return messages, failed, nil
	}
}

// translate makes a Change of an event, and marks the container that it was about. It reports false for events that
// change nothing, such as a copy or a check of health.
func (d *Driver) translate(m events.Message) (reconcile.Change, bool) {
	switch m.Type {
	case events.ContainerEventType:
		kind, ok := containerChange(m.Action)
		if !ok {
			return reconcile.Change{}, false
		}
		d.marks.put(m.Actor.ID)
		change := reconcile.Change{SpecName: d.claimed(m.Actor.Attributes), Kind: kind, Stranger: d.isStranger(m.Actor.ID)}
		if change.SpecName != "" && kind == string(events.ActionDestroy) {
			d.strays.seek()
		}
		return change, true
	case events.NetworkEventType:
		kind, ok := networkChange(m.Action)
		if !ok {
			return reconcile.Change{}, false
		}
		change := reconcile.Change{Network: m.Actor.Attributes["name"], Kind: kind}
		id := m.Actor.Attributes["container"]
		if id == "" && (m.Action == events.ActionConnect || m.Action == events.ActionDisconnect) {
			id, change.Network = m.Actor.ID, "" // Podman names the container alone, in the network's place
		}
		if id != "" {
			d.marks.put(id)
			change.SpecName, change.Stranger = d.known.get(id).specName, d.isStranger(id)
		}
		return change, true
	}
	return reconcile.Change{}, false
}

// isStranger reports whether a container is not known to be ours. The labels that an event tells may be its image's.
func (d *Driver) isStranger(id string) bool { return d.known.get(id).specName == "" }

// containerChange is Docker's word for what happened to a container. Podman says remove and died.
func containerChange(a events.Action) (kind string, ok bool) {
	switch a {
	case events.ActionRemove:
		a = events.ActionDestroy
	case "died":
		a = events.ActionDie
	}
	switch a {
	case events.ActionCreate, events.ActionStart, events.ActionDie, events.ActionDestroy, events.ActionPause,
		events.ActionUnPause, events.ActionOOM, events.ActionUpdate, events.ActionRename:
		return string(a), true
	}
	return "", false
}

func networkChange(a events.Action) (kind string, ok bool) {
	switch a {
	case events.ActionRemove:
		a = events.ActionDestroy
	case events.ActionCreate, events.ActionConnect, events.ActionDisconnect, events.ActionDestroy:
	default:
		return "", false
	}
	return string(a), true
}
