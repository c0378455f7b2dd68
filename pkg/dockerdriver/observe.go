package dockerdriver

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"

	"credproxy.dev/controller/pkg/reconcile"
)

const (
	// inspectAtOnce is how many containers are inspected, or listened to, at a time.
	inspectAtOnce = 8
	// firstAnswers is how long the first look at an engine waits for what the running sidecars say of themselves.
	firstAnswers = time.Second
)

// Observe makes one container list and one network list, and inspects only what is new or has changed. Volumes are
// listed only where a container of ours has gone.
func (d *Driver) Observe(ctx context.Context) (*reconcile.Observation, error) {
	d.observing.Lock()
	defer d.observing.Unlock()
	// A controller without an image of its own has no tag, and looks all the same.
	if _, err := d.ownTag(ctx); errors.Is(err, reconcile.ErrEngineUnavailable) {
		return nil, err
	}
	p := &pass{Driver: d, at: time.Now(), upTo: d.marks.count(), limit: min(d.opts.CallTimeout, inspectionTime), records: map[string]*record{}}
	if err := p.see(ctx); err != nil {
		if p.volumes.listed {
			d.strays.seek()
		}
		return nil, err
	}
	engine := p.engine(ctx)
	p.settle()
	fresh := p.listenToAll(ctx)
	if !d.met {
		awaitFirst(ctx, fresh)
		d.met = true
	}
	o := p.observation()
	o.Engine = engine
	return o, nil
}

// Forget makes the next Observe inspect everything anew, list the volumes, and ask the engine what it is.
func (d *Driver) Forget() {
	d.marks.all()
	d.strays.seek()
	d.about.forget()
}

// pass is one look at the engine.
type pass struct {
	*Driver
	at         time.Time
	upTo       uint64        // the marks that an inspection in this pass answers
	limit      time.Duration // of one inspection
	containers []container.Summary
	networks   *networkTable
	volumes    volumes

	mu      sync.Mutex
	records map[string]*record
}

// see lists and inspects. The volumes come first: one that a container uses is never seen without it.
func (p *pass) see(ctx context.Context) error {
	p.listVolumes(ctx)
	if err := p.list(ctx); err != nil {
		return err
	}
	return p.refresh(ctx)
}

func (p *pass) list(ctx context.Context) error {
	err := p.call(ctx, opContainerList, "list containers", func(ctx context.Context) (err error) {
		p.containers, err = p.docker.ContainerList(ctx, container.ListOptions{All: true})
		return err
	})
	if err != nil {
		return err
	}
	networks, err := p.listNetworks(ctx)
	p.networks = p.newNetworkTable(networks)
	return err
}

// settle makes the pass's records the driver's, and forgets whatever is gone.
func (p *pass) settle() {
	p.settleStrays(p.Driver.records)
	p.Driver.records = p.records
	present := func(id string) bool { return p.records[id] != nil }
	for id, r := range p.records {
		if r.isSidecar() {
			p.known.put(id, r.sidecar.Name, r.sidecar.SpecName)
		}
	}
	p.marks.drop(p.upTo, present)
	p.known.drop(p.at, present)
	p.streams.drop(p.at, present)
}

// observation puts the records together, in order of names.
func (p *pass) observation() *reconcile.Observation {
	o := &reconcile.Observation{At: p.at, Networks: p.networks.all, StrayVolumes: p.strays.list(), ImageTag: p.images.knownTag()}
	for _, c := range p.containers {
		switch r := p.records[c.ID]; {
		case r == nil: // it went
		case r.whose == theirs:
			o.Others = append(o.Others, r.other)
		case r.isSidecar():
			o.Sidecars = append(o.Sidecars, p.withReport(r.sidecar))
		case o.Unclear == nil:
			o.Unclear = map[string]error{r.claim: r.failed.err}
		case o.Unclear[r.claim] == nil:
			o.Unclear[r.claim] = r.failed.err
		}
	}
	slices.SortFunc(o.Sidecars, func(a, b reconcile.Sidecar) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(o.Others, func(a, b reconcile.OtherContainer) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return o
}

// withReport adds the last word of a sidecar that runs.
func (p *pass) withReport(s reconcile.Sidecar) reconcile.Sidecar {
	if stream := p.streams.get(s.ID); stream != nil && s.State == reconcile.StateRunning {
		s.Report = stream.last()
	}
	return s
}

// together does something for each item, some at a time.
func together[T any](atOnce int, items []T, do func(T)) {
	var group sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, item := range items {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			do(item)
		})
	}
	group.Wait()
}
