package dockerdriver

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"credproxy.dev/controller/pkg/reconcile"
)

const (
	// inspectAtOnce is how many containers are inspected, or listened to, at a time.
	inspectAtOnce = 8
	// firstAnswers is how long the first look at an engine waits for what the running sidecars say of themselves.
	firstAnswers = time.Second
)

// Observe makes one container list and one network list, and inspects only what is new or has changed.
func (d *Driver) Observe(ctx context.Context) (*reconcile.Observation, error) {
	d.observing.Lock()
	defer d.observing.Unlock()
	p := &pass{Driver: d, at: time.Now(), upTo: d.marks.count(), records: map[string]*record{}}
	if err := p.list(ctx); err != nil {
		return nil, err
	}
	if err := p.refresh(ctx); err != nil {
		return nil, err
	}
	p.settle()
	fresh := p.listenToAll(ctx)
	if !d.met {
		awaitFirst(ctx, fresh)
		d.met = true
	}
	return p.observation(), nil
}

// Forget makes the next Observe inspect everything anew.
func (d *Driver) Forget() { d.marks.all() }

// pass is one look at the engine.
type pass struct {
	*Driver
	at         time.Time
	upTo       uint64 // the marks that an inspection in this pass answers
	containers []container.Summary
	networks   *networkTable

	mu      sync.Mutex
	records map[string]*record
}

func (p *pass) list(ctx context.Context) error {
	err := p.call(ctx, opContainerList, "list containers", func(ctx context.Context) (err error) {
		p.containers, err = p.docker.ContainerList(ctx, container.ListOptions{All: true})
		return err
	})
	if err != nil {
		return err
	}
	return p.call(ctx, opNetworkList, "list networks", func(ctx context.Context) error {
		networks, err := p.docker.NetworkList(ctx, network.ListOptions{})
		p.networks = p.newNetworkTable(networks)
		return err
	})
}

// refresh takes over the records that still hold and makes the others anew.
func (p *pass) refresh(ctx context.Context) error {
	var stale []container.Summary
	for _, c := range p.containers {
		old := p.Driver.records[c.ID]
		if old != nil && old.print == fingerprint(c, stateOf(c.State)) && !p.marks.after(c.ID, old.upTo) {
			p.records[c.ID] = old
			continue
		}
		stale = append(stale, c)
	}
	return together(inspectAtOnce, stale, func(c container.Summary) error {
		made, err := p.look(ctx, c, p.Driver.records[c.ID])
		switch {
		case errors.Is(err, reconcile.ErrNotFound):
			return nil // it went between the list and the inspection: it is not there
		case err != nil:
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.records[c.ID] = made
		return nil
	})
}

// settle makes the pass's records the driver's, and forgets whatever is gone.
func (p *pass) settle() {
	p.Driver.records = p.records
	present := func(id string) bool { return p.records[id] != nil }
	for id, r := range p.records {
		if r.ours {
			p.known.put(id, r.sidecar.Name, r.sidecar.SpecName)
		}
	}
	p.marks.drop(p.upTo, present)
	p.known.drop(p.at, present)
	p.streams.drop(p.at, present)
}

// observation puts the records together, in order of names.
func (p *pass) observation() *reconcile.Observation {
	o := &reconcile.Observation{At: p.at, Networks: p.networks.all}
	for _, r := range p.records {
		if !r.ours {
			o.Others = append(o.Others, r.other)
			continue
		}
		s := r.sidecar
		if stream := p.streams.get(s.ID); stream != nil && s.State == reconcile.StateRunning {
			s.Report = stream.last()
		}
		o.Sidecars = append(o.Sidecars, s)
	}
	slices.SortFunc(o.Sidecars, func(a, b reconcile.Sidecar) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(o.Others, func(a, b reconcile.OtherContainer) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return o
}

// together does something for each item, some at a time, and returns the first error.
func together[T any](atOnce int, items []T, do func(T) error) error {
	var (
		group sync.WaitGroup
		once  sync.Once
		first error
		slots = make(chan struct{}, atOnce)
	)
	for _, item := range items {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if err := do(item); err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	group.Wait()
	return first
}
