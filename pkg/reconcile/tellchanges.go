package reconcile

import (
	"context"
	"maps"
	"slices"
)

// What became of a name without a step of this controller is told here.

// tellFiles records which specs are the last good version of a bad file, and which are no more.
func (c *Controller) tellFiles(before map[string]string, now Declared) {
	for _, name := range slices.Sorted(maps.Keys(now.Stale)) {
		if wrong := now.Stale[name]; wrong != before[name] {
			c.recorder.change(Event{Name: name, Type: eventWarning, Reason: ReasonLastGood, Message: wrong})
		}
	}
	for _, cp := range now.Specs {
		if before[cp.Name] != "" && now.Stale[cp.Name] == "" {
			c.recorder.change(Event{Name: cp.Name, Type: eventNormal, Reason: EventMended, Message: "its file is good again"})
		}
	}
}

// unavailable notes that the engine could not be asked about a name.
func (c *Controller) unavailable(ctx context.Context, name string, err error) {
	if c.statuses.unavailable(name, err) && ctx.Err() == nil {
		c.recorder.change(Event{Name: name, Type: eventWarning, Reason: reasonOf(err), Message: err.Error()})
	}
}

// tellRecovery records that a name is Ready again.
func (c *Controller) tellRecovery(name, trouble string) {
	if trouble != "" {
		c.recorder.change(Event{Name: name, Type: eventNormal, Reason: EventRecovered, Message: "the sidecar is Ready again",
			Cause: "it was " + trouble})
	}
}

// tellGone records that nothing is left of a name that no file declares, where this process did not remove it.
func (c *Controller) tellGone(name string) {
	c.recorder.change(Event{Name: name, Type: eventNormal, Reason: EventGone,
		Message: "the sidecar is gone; no file declares it, and somebody else removed it, such as `controller apply --prune`"})
}
