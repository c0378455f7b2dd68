package reconcile

import (
	"cmp"
	"maps"
	"sync"
	"time"
)

// deliveries remembers, in memory only, what this process pushed to which container.
type deliveries struct {
	mu   sync.Mutex
	last int64
	byID map[string]delivery
}

func newDeliveries() *deliveries { return &deliveries{byID: map[string]delivery{}} }

// generation returns a generation higher than every one before it and than floor. It is taken from the clock, in
// milliseconds, so that it also grows over restarts of the controller.
func (d *deliveries) generation(floor int64) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = max(d.last+1, floor+1, time.Now().UnixMilli())
	return d.last
}

// put notes what was pushed. With which limits a container was made is kept from the first time.
func (d *deliveries) put(id string, what delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	what.limits = cmp.Or(what.limits, d.byID[id].limits)
	d.byID[id] = what
}

// doubt notes that another process may have written to containers what they have not taken over.
func (d *deliveries) doubt(sidecars []Sidecar) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range sidecars {
		if what, ok := d.byID[s.ID]; ok {
			what.doubtful = true
			d.byID[s.ID] = what
		}
	}
}

func (d *deliveries) drop(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.byID, id)
}

// of returns what was pushed to the given containers.
func (d *deliveries) of(sidecars []Sidecar) map[string]delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found map[string]delivery
	for _, s := range sidecars {
		if what, ok := d.byID[s.ID]; ok {
			if found == nil {
				found = map[string]delivery{}
			}
			found[s.ID] = what
		}
	}
	return found
}

// keep forgets the containers that a view no longer has.
func (d *deliveries) keep(v *view) {
	live := map[string]bool{}
	for _, sidecars := range v.sidecars {
		for _, s := range sidecars {
			live[s.ID] = true
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.byID, func(id string, _ delivery) bool { return !live[id] })
}
