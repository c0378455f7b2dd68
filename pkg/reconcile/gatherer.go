package reconcile

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// gatherer hands names on a little after the first of them came, so that the many events of one change, our own
// included, lead to one look.
type gatherer struct {
	deliver func(names ...string)

	mu    sync.Mutex
	names map[string]bool
}

func (g *gatherer) add(names ...string) {
	if len(names) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.names) == 0 {
		g.names = map[string]bool{}
		time.AfterFunc(eventDelay, g.flush)
	}
	for _, name := range names {
		g.names[name] = true
	}
}

func (g *gatherer) flush() {
	g.mu.Lock()
	names := slices.Collect(maps.Keys(g.names))
	g.names = nil
	g.mu.Unlock()
	g.deliver(names...)
}
