package reconcile

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// gatherer hands on what events were about a little after the first of them came, so that the many events of one change,
// our own included, lead to one look.
type gatherer struct {
	// deliver is given names, and whether anything happened to containers that are not ours.
	deliver func(strangers bool, names ...string)

	mu        sync.Mutex
	waiting   bool
	strangers bool
	names     map[string]bool
}

func (g *gatherer) add(strangers bool, names ...string) {
	if !strangers && len(names) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.waiting {
		g.waiting, g.names = true, map[string]bool{}
		time.AfterFunc(eventDelay, g.flush)
	}
	g.strangers = g.strangers || strangers
	for _, name := range names {
		g.names[name] = true
	}
}

func (g *gatherer) flush() {
	g.mu.Lock()
	strangers, names := g.strangers, slices.Collect(maps.Keys(g.names))
	g.waiting, g.strangers, g.names = false, false, nil
	g.mu.Unlock()
	g.deliver(strangers, names...)
}
