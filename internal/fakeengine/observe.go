package fakeengine

import (
	"context"
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
}

// Observe lists containers and networks, and inspects the containers that it does not know as they are.
func (d *Driver) Observe(ctx context.Context) (*reconcile.Observation, error) {
	o := &reconcile.Observation{At: time.Now()}
	err := d.act(ctx, &Call{Verb: Observe}, func() error {
		looks := make(map[string]look, len(d.engine.containers))
		for _, c := range d.engine.sorted() {
			l, known := d.looks[c.ID]
			if !known || l.listed != c.listed {
				l = d.inspect(c)
			}
			looks[c.ID] = l
			if !l.ours {
				o.Others = append(o.Others, l.other)
				continue
			}
			l.sidecar.Report = d.heard(c)
			o.Sidecars = append(o.Sidecars, l.sidecar)
		}
		d.looks = looks
		maps.DeleteFunc(d.ears, func(id string, _ ear) bool { return d.engine.containers[id] == nil })
		for _, n := range d.engine.sortedNetworks() {
			o.Networks = append(o.Networks, d.toNetwork(n))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Forget makes the next Observe inspect everything anew.
func (d *Driver) Forget() {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	clear(d.looks)
}

// inspect looks at one container. Of those that are not ours only the names on internal networks are of interest.
func (d *Driver) inspect(c *container) look {
	e := d.engine
	ours := d.claimed(c.Labels) != ""
	internal := slices.ContainsFunc(c.Endpoints, func(p reconcile.Endpoint) bool {
		n := e.networks[p.NetworkID]
		return n != nil && n.Internal
	})
	if ours || internal || shown(c, labelInstance) == d.instance {
		e.count(Inspect)
	}
	l := look{listed: c.listed, ours: ours}
	if ours {
		l.sidecar = toSidecar(c)
		return l
	}
	l.other = reconcile.OtherContainer{ID: c.ID, Name: c.Name, State: c.State, Endpoints: copyEndpoints(c.Endpoints)}
	for i := range l.other.Endpoints {
		if !internal {
			l.other.Endpoints[i].Aliases = nil
		}
	}
	return l
}

func toSidecar(c *container) reconcile.Sidecar {
	s := reconcile.Sidecar{
		ID: c.ID, Name: c.Name, SpecName: c.Labels[labelName], SpecHash: c.Labels[labelSpecHash],
		State: c.State, ImageID: c.ImageID, Created: c.Created, Endpoints: copyEndpoints(c.Endpoints),
		Resources: c.Limits, RestartCount: c.RestartCount, OOMKilled: c.OOMKilled, StartedAt: c.StartedAt,
	}
	if c.State != reconcile.StateRunning {
		s.ExitCode = c.ExitCode
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

func (d *Driver) toNetwork(n *Network) reconcile.Network {
	shared := n.copy()
	return reconcile.Network{
		ID: n.ID, Name: n.Name, Driver: "bridge", Internal: n.Internal,
		Subnets: shared.Subnets, Gateways: shared.Gateways, SpecName: d.claimed(n.Labels),
	}
}
