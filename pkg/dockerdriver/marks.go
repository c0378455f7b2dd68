package dockerdriver

import (
	"maps"
	"sync"
)

// marks remembers which containers an event was about, so that an inspection that began before is not relied on.
type marks struct {
	mu    sync.Mutex
	n     uint64
	floor uint64            // everything is marked up to here
	byID  map[string]uint64 // n at the last mark of each container
}

// put marks one container.
func (m *marks) put(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil {
		m.byID = map[string]uint64{}
	}
	m.n++
	m.byID[id] = m.n
}

// all marks everything.
func (m *marks) all() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	m.floor = m.n
}

// count is how many marks there were.
func (m *marks) count() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n
}

// after reports whether a container was marked after the first n marks.
func (m *marks) after(id string, n uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.byID[id] > n || m.floor > n
}

// drop forgets the first n marks of containers that are not there.
func (m *marks) drop(n uint64, present func(id string) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.byID, func(id string, at uint64) bool { return at <= n && !present(id) })
}
