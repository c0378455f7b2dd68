package fakeengine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// look is what a driver knows of one container since it last inspected it.
type look struct {
	// listed is what the list said then; another value calls for another look.
	listed  uint64
	ours    bool
	sidecar reconcile.Sidecar
	other   reconcile.OtherContainer
	// met are the faults that the inspection meets, if it was made just now.
	met []Fault
}

// inspectionTime bounds one inspection, as it does in the real driver.
const inspectionTime = 5 * time.Second

// Observe lists containers and networks, and inspects the containers that it does not know as they are.
func (d *Driver) Observe(ctx context.Context) (*reconcile.Observation, error) {
	o := &reconcile.Observation{At: time.Now(), ImageTag: d.image}
	var seen []look
	err := d.act(ctx, &Call{Verb: Observe}, func() error {
		o.StrayVolumes = d.lookForStrays()
		looks := make(map[string]look, len(d.engine.containers))
		for _, c := range d.engine.sorted() {
			l, known := d.looks[c.ID]
			if !known || l.listed != c.listed {
				l = d.inspect(c)
			}
			if len(l.met) == 0 {
				looks[c.ID] = l
			}
			if l.ours {
				l.sidecar.Report = d.heard(c)
			}
			seen = append(seen, l)
		}
		d.looks = looks
		maps.DeleteFunc(d.inspected, func(id string, _ bool) bool { return d.engine.containers[id] == nil })
		if d.asked == nil {
			product := d.engine.product
			d.asked = &product
		}
		o.Engine = *d.asked
		maps.DeleteFunc(d.ears, func(id string, _ ear) bool { return d.engine.containers[id] == nil })
		for _, n := range d.engine.sortedNetworks() {
			o.Networks = append(o.Networks, d.toNetwork(n))
		}
		return nil
	})
	if err == nil {
		err = d.tellOf(ctx, seen, o)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// tellOf puts what was seen into an observation. An inspection that fails leaves a container that is ours unclear, and
// others without their aliases; it is tried again at the next look.
func (d *Driver) tellOf(ctx context.Context, seen []look, o *reconcile.Observation) error {
	for _, l := range seen {
		err := d.suffer(ctx, l)
		if err != nil && (ctx.Err() != nil || d.engine.isDown()) {
			return err
		}
		switch {
		case err == nil && l.ours:
			o.Sidecars = append(o.Sidecars, l.sidecar)
		case err == nil:
			d.inspected[l.other.ID] = true
			o.Others = append(o.Others, l.other)
		case l.ours:
			if o.Unclear == nil {
				o.Unclear = map[string]error{}
			}
			o.Unclear[l.sidecar.SpecName] = err
		default:
			l.other.Endpoints = nameless(l.other.Endpoints)
			if !d.inspected[l.other.ID] {
				l.other.Reach = nil
			}
			o.Others = append(o.Others, l.other)
		}
	}
	return nil
}

// suffer lets an inspection meet its faults. The engine's lock is not held, since a fault may take it.
func (d *Driver) suffer(ctx context.Context, l look) error {
	ctx, cancel := context.WithTimeout(ctx, inspectionTime)
	defer cancel()
	call := &Call{Instance: d.instance, Verb: Inspect, Target: cmp.Or(l.sidecar.ID, l.other.ID)}
	for _, fault := range l.met {
		for _, hook := range []func(context.Context, *Call) error{fault.Before, fault.After} {
			if hook == nil {
				continue
			}
			if err := hook(ctx, call); err != nil {
				return fmt.Errorf("%s %s: %w", call.Verb, call.Target, err)
			}
		}
	}
	return nil
}

// Forget makes the next Observe inspect everything anew.
func (d *Driver) Forget() {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	clear(d.looks)
	d.asked = nil
	d.strays.sought = true
}

// inspect looks at one container. Of those that are not ours only the names on networks that somebody made are of
// interest, and every network is one of those.
func (d *Driver) inspect(c *container) look {
	l := look{listed: c.listed, ours: d.claimed(c.Labels) != ""}
	if l.ours || len(c.Endpoints) > 0 || c.run != nil || shown(c, labelInstance) == d.instance {
		l.met = d.engine.meet(Inspect)
	}
	if l.ours {
		l.sidecar = toSidecar(c)
		if c.image.Ref == d.image {
			l.sidecar.ImageTag = d.image
		}
		return l
	}
	l.other = reconcile.OtherContainer{ID: c.ID, Name: c.Name, State: c.State, Instance: d.otherInstance(c),
		Endpoints: copyEndpoints(c.Endpoints), Reach: &c.Reach}
	return l
}

// nameless are endpoints of which the aliases are not known.
func nameless(endpoints []reconcile.Endpoint) []reconcile.Endpoint {
	out := slices.Clone(endpoints)
	for i := range out {
		out[i].Aliases = nil
	}
	return out
}

func toSidecar(c *container) reconcile.Sidecar {
	s := reconcile.Sidecar{
		ID: c.ID, Name: c.Name, SpecName: c.Labels[labelName], SpecHash: c.Labels[labelSpecHash],
		State: c.State, ImageID: c.ImageID, Created: c.Created, Endpoints: copyEndpoints(c.Endpoints),
		Resources: c.Limits, NoRestart: !c.Restarts, RestartCount: c.RestartCount, OOMKilled: c.OOMKilled, StartedAt: c.StartedAt,
		Mounts: []reconcile.Mount{{Volume: c.Volume, Source: mountpoint(c.Volume)}},
	}
	if c.State != reconcile.StateRunning {
		s.ExitCode = c.ExitCode
	}
	if text, ok := c.Env[routetable.StandbyVariable]; ok {
		s.Standby, _ = routetable.ParseStandby(text)
	}
	for name, value := range c.Env {
		if !strings.HasPrefix(name, routetable.SlotPrefix) {
			continue
		}
		if s.Env == nil {
			s.Env = map[string]reconcile.Token{}
		}
		s.Env[name] = reconcile.NewToken(value)
	}
	return s
}

// mountpoint is where an engine keeps a volume.
func mountpoint(volume string) string { return "/var/lib/docker/volumes/" + volume + "/_data" }

func (d *Driver) toNetwork(n *Network) reconcile.Network {
	shared := n.copy()
	return reconcile.Network{
		ID: n.ID, Name: n.Name, Driver: n.Driver, Internal: n.Internal, HostReachable: n.HostReachable, IPv6: n.IPv6,
		Subnets: shared.Subnets, Gateways: shared.Gateways, SpecName: d.claimed(n.Labels),
	}
}
