package reconcile

import (
	"context"
	"slices"

	"credproxy.dev/controller/pkg/spec"
)

// bounds is how well an environment is kept in, and its sidecar told from others.
type bounds struct {
	// judged is false while the internal network is not found; nothing else is known then.
	judged bool
	// found is all by which it is not isolated.
	found []Finding
	// rival says which other container answers to a name of the sidecar; empty when none does, or not for long.
	rival string
	// shut is the breach on account of which the sidecar must not be on the internal network; empty when it may.
	shut string
	// conflict is true for a rival, and where one keeps the sidecar from being made.
	conflict bool
}

// bounds judges a spec's environment, rivals excepted.
func (v *view) bounds(cp *spec.CredProxy) bounds {
	internal, ok := v.internalOf(cp)
	if !ok {
		return bounds{}
	}
	return bounds{judged: true, found: v.findings(cp, internal)}
}

// require lets no breach pass.
func (b *bounds) require() {
	if found := breaches(b.found); len(found) > 0 {
		b.shut = found[0].Message
	}
}

// sameAs reports whether two looks saw the same.
func (b bounds) sameAs(other bounds) bool {
	return b.judged == other.judged && b.rival == other.rival && slices.Equal(b.found, other.found)
}

// count is how many findings of a severity there are.
func (b bounds) count(severity Severity) (n int) {
	for _, f := range b.found {
		if f.Severity == severity {
			n++
		}
	}
	return n
}

// tellBounds records each breach once when it begins, and when the last one has ended. A rival is told of with the
// refusals.
func (c *Controller) tellBounds(name string, now bounds) {
	before, known := c.statuses.bound(name, now)
	if !known || !now.judged {
		return
	}
	for _, f := range breaches(now.found) {
		if !slices.Contains(before.found, f) {
			c.recorder.change(Event{Name: name, Type: eventWarning, Reason: f.Reason, Message: f.Message})
		}
	}
	if before.count(SeverityBreach) > 0 && now.count(SeverityBreach) == 0 {
		c.recorder.change(Event{Name: name, Type: eventNormal, Reason: EventIsolationRestored,
			Message: "nothing on the internal network leads out of it any more"})
	}
}

// lookAround observes after something happened to containers that are not ours, and has those names reconciled for which
// that changes anything. It reports whether the engine answered.
func (c *Controller) lookAround(ctx context.Context) bool {
	c.mu.Lock()
	at := c.strangersAt
	c.mu.Unlock()
	v, err := c.lookout.since(ctx, at)
	if err != nil {
		return false
	}
	s, history := c.scene(v)
	var stale []string
	for name := range s.specs {
		if c.statuses.bounded(name).sameAs(s.inputs(name, history, c.opts).bounds) {
			continue
		}
		stale = append(stale, name)
	}
	c.mu.Lock()
	for _, name := range stale {
		if c.marks[name].Before(at) {
			c.marks[name] = at
		}
	}
	c.mu.Unlock()
	c.add(stale...) // also those that rest after a failure: this cannot wait
	return true
}
