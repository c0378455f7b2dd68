package dockerdriver

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"

	"credproxy.dev/controller/pkg/reconcile"
)

// strays remembers the volumes of this instance that no container uses. They are looked for only when there is a reason
// to: at the beginning, when everything was forgotten, and when a container of ours has gone. In between, those that
// are known are told again.
type strays struct {
	mu sync.Mutex
	// sought is true when there is a reason to look.
	sought bool
	// moving is how many of our containers are being made or removed together with their volumes, and moved how many
	// ever were: in the middle of that, a volume that is to go too, or whose container is to come, looks like a stray.
	moving, moved int
	known         map[string]reconcile.Volume
}

// seek asks for a look.
func (s *strays) seek() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sought = true
}

// move notes that a container is being made or removed until done is called.
func (s *strays) move() (done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moving++
	s.moved++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.moving--
	}
}

// take says whether to look now. Whoever does hands the mark back with what was found.
func (s *strays) take() (mark int, now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now = s.sought && s.moving == 0
	if now {
		s.sought = false
	}
	return s.moved, now
}

// found replaces what is known, unless a move has begun since the mark was taken: then there has to be another look.
func (s *strays) found(mark int, all map[string]reconcile.Volume) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moved != mark {
		s.sought = true
		return
	}
	s.known = all
}

// drop forgets the strays for which gone holds.
func (s *strays) drop(gone func(name string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.known, func(name string, _ reconcile.Volume) bool { return gone(name) })
}

// list returns the strays in order of names.
func (s *strays) list() []reconcile.Volume {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.known), func(a, b reconcile.Volume) int { return cmp.Compare(a.Name, b.Name) })
}

// volumes are those of this instance, as they were before the containers were listed, so that one whose container is
// being made is not among them.
type volumes struct {
	mark   int
	listed bool
	all    map[string]reconcile.Volume
	err    error
}

// listVolumes lists the volumes if there is a reason to. An engine asks every plugin for that; one that does not answer
// must not keep the sidecars from being looked at, so a failure is kept for settleStrays.
func (p *pass) listVolumes(ctx context.Context) {
	if p.volumes.mark, p.volumes.listed = p.strays.take(); !p.volumes.listed {
		return
	}
	p.volumes.all, p.volumes.err = p.labelledVolumes(ctx, p.limit)
}

// labelledVolumes are the volumes of this instance, by name.
func (d *Driver) labelledVolumes(ctx context.Context, limit time.Duration) (map[string]reconcile.Volume, error) {
	all := map[string]reconcile.Volume{}
	err := d.callFor(ctx, limit, opVolumeList, "list volumes", func(ctx context.Context) error {
		found, err := d.docker.VolumeList(ctx, volume.ListOptions{Filters: filters.NewArgs(
			filters.Arg("label", LabelInstance+"="+d.opts.Instance))})
		for _, v := range found.Volumes {
			if specName := d.claimed(v.Labels); specName != "" {
				all[v.Name] = reconcile.Volume{Name: v.Name, SpecName: specName}
			}
		}
		return err
	})
	return all, err
}

// settleStrays takes over which of the listed volumes are strays. before are the records of the last look.
func (p *pass) settleStrays(before map[string]*record) {
	switch {
	case !p.volumes.listed:
		if p.missed(before) {
			p.strays.seek() // the next look sees whether it left its volume
		}
	case p.volumes.err != nil:
		p.log.Warn("volumes cannot be listed, so that one that lost its container stays for now", "error", p.volumes.err)
	default:
		all := maps.Clone(p.volumes.all)
		maps.DeleteFunc(all, func(_ string, v reconcile.Volume) bool { return p.unclear(v.SpecName) })
		p.strays.found(p.volumes.mark, all)
	}
	if len(p.strays.list()) > 0 {
		used := p.usedVolumes()
		p.strays.drop(func(name string) bool { return used[name] })
	}
}

// usedVolumes are the names of all volumes that containers use. Some versions of Podman leave them out of the list.
func (p *pass) usedVolumes() map[string]bool {
	used := map[string]bool{}
	for _, c := range p.containers {
		for _, m := range c.Mounts {
			used[m.Name] = true
		}
		if r := p.records[c.ID]; r != nil {
			for _, name := range r.volumes {
				used[name] = true
			}
		}
	}
	return used
}

// missed reports whether a sidecar of the last look is not listed any more.
func (p *pass) missed(before map[string]*record) bool {
	for id, r := range before {
		if r.isSidecar() && p.records[id] == nil {
			return true
		}
	}
	return false
}

// unclear reports whether a container that claims to be a spec's could not be inspected: which volumes it uses may not
// be known then.
func (p *pass) unclear(specName string) bool {
	for _, r := range p.records {
		if r.claim == specName && r.whose != theirs && r.failed != nil {
			return true
		}
	}
	return false
}
