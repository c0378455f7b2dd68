package fakeengine

import (
	"maps"
	"slices"

	"credproxy.dev/controller/pkg/reconcile"
)

// strays are the volumes of a driver's instance that no container uses, as far as the driver knows.
type strays struct {
	// sought is true when there is a reason to look for them: at the beginning, when everything was forgotten, and when
	// a container of the instance has gone.
	sought bool
	known  []reconcile.Volume
}

// lookForStrays lists the volumes if there is a reason to, and returns the strays that are known. Where a container has
// gone unnoticed, the next look sees whether it left its volume.
func (d *Driver) lookForStrays() []reconcile.Volume {
	if !d.strays.sought {
		d.strays.sought = d.missed()
		return slices.Clone(d.strays.known)
	}
	d.engine.count(ListVolumes)
	used := map[string]bool{}
	for _, c := range d.engine.containers {
		used[c.Volume] = true
	}
	d.strays = strays{}
	for _, name := range slices.Sorted(maps.Keys(d.engine.volumes)) {
		if specName := d.claimed(d.engine.volumes[name].Labels); specName != "" && !used[name] {
			d.strays.known = append(d.strays.known, reconcile.Volume{Name: name, SpecName: specName})
		}
	}
	return slices.Clone(d.strays.known)
}

// missed reports whether a container of the instance that was seen before has gone.
func (d *Driver) missed() bool {
	for id, l := range d.looks {
		if l.ours && d.engine.containers[id] == nil {
			return true
		}
	}
	return false
}

// forget takes a volume for no stray any more.
func (s *strays) forget(name string) {
	s.known = slices.DeleteFunc(slices.Clone(s.known), func(v reconcile.Volume) bool { return v.Name == name })
}
