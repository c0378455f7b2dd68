package dockerdriver

import (
	"sync"
	"time"
)

// known remembers what containers are called, for errors and for events.
type known struct {
	mu   sync.Mutex
	byID map[string]acquaintance
}

// acquaintance is what a container of ours is called.
type acquaintance struct {
	name, specName string
	since          time.Time
}

func (k *known) put(id, name, specName string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID == nil {
		k.byID = map[string]acquaintance{}
	}
	k.byID[id] = acquaintance{name: name, specName: specName, since: time.Now()}
}

func (k *known) get(id string) acquaintance {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.byID[id]
}

// drop forgets the containers that an engine did not have at a time.
func (k *known) drop(at time.Time, present func(id string) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, a := range k.byID {
		if !present(id) && a.since.Before(at) {
			delete(k.byID, id)
		}
	}
}

// nameOf is what people call a container: its name when it is known, or its short ID.
func (d *Driver) nameOf(id string) string {
	if name := d.known.get(id).name; name != "" {
		return name
	}
	return shortID(id)
}
