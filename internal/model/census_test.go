package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"credproxy.dev/controller/internal/fakeengine"
)

// census counts, over all worlds, how often each fault met each step.
type census struct {
	mu   sync.Mutex
	hits map[fakeengine.Hit]int
}

func (c *census) add(w *world) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hits == nil {
		c.hits = map[fakeengine.Hit]int{}
	}
	for hit, n := range w.hits {
		c.hits[hit] += n
	}
}

// row is a fault of the table, with the steps that it can meet.
type row struct {
	fault   string
	meets   []fakeengine.Verb
	because string
}

// rows are all faults, those of the controller and of tokens included.
func rows(t *testing.T) (all []row) {
	w, _ := play(t, 1, func(*world) {})
	for _, h := range w.hazards() {
		all = append(all, row{h.fault.Name, h.meets, h.because})
	}
	for _, after := range []bool{false, true} {
		all = append(all, row{death{after: after}.String(), steps()[2:], "a process that watches, or looks at one container, dies with its other calls"})
	}
	return append(all, row{"token missing", []fakeengine.Verb{resolveTokens}, "it is no call of the engine"})
}

// print writes the table, and returns the cells that are empty and should not be.
func (c *census) print(t *testing.T) (empty []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	columns := append(steps(), resolveTokens)
	var b strings.Builder
	fmt.Fprintf(&b, "fault × step × times hit\n%-24s", "")
	for i := range columns {
		fmt.Fprintf(&b, "%7s", fmt.Sprintf("[%d]", i+1))
	}
	reasons := map[string]bool{}
	for _, r := range rows(t) {
		fmt.Fprintf(&b, "\n%-24s", r.fault)
		for _, step := range columns {
			cell := "-"
			if slices.Contains(r.meets, step) {
				n := c.hits[fakeengine.Hit{Fault: r.fault, Verb: step}]
				cell = fmt.Sprint(n)
				if n == 0 {
					empty = append(empty, r.fault+" × "+string(step))
				}
			}
			fmt.Fprintf(&b, "%7s", cell)
		}
		if r.because != "" {
			reasons[r.fault+": "+r.because] = true
		}
	}
	b.WriteString("\n\n")
	for i, step := range columns {
		fmt.Fprintf(&b, "[%d] %s  ", i+1, step)
	}
	b.WriteString("\n\n- means that they cannot meet:\n")
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(&b, "  %s\n", reason)
	}
	t.Log(b.String())
	return empty
}
