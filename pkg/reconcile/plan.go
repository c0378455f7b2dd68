package reconcile

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Plan is the difference between what is declared and what was observed, as steps. It prints itself.
type Plan struct {
	Items   []Item
	Blocked []Blocked
}

// Item is the plan of one name: steps to be taken in order, each only if the one before succeeded.
type Item struct {
	Name  string `json:"name"`
	Steps []Step `json:"steps"`
}

// Step is one action.
type Step struct {
	Step StepName `json:"step"`
	// Target is what it acts on, as people name it.
	Target string `json:"target"`
	// Cause is why it is taken.
	Cause string `json:"cause"`

	// id is the engine's ID of what it acts on; empty means the container that the same plan makes.
	id string
	// drift is the kind of drift that it repairs; empty when it follows a declaration.
	drift Drift
	// early means that the container is not on its internal network, or not yet: it is created on egress, and waited for
	// until it has loaded its routes.
	early bool
	// standsBy means that the sidecar runs without routes, and serves once it is told of them.
	standsBy bool
	// generation is what to wait for, when the plan itself pushes none.
	generation int64
	// takes means that it takes away tokens that are withheld: where it fails, the container goes.
	takes bool
	// leaves are the IDs of networks that the container is taken off; of a reconnection, once it is on its egress network.
	leaves []string
}

// Blocked is a name for which steps are withheld, and why.
type Blocked struct {
	Name    string `json:"name"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Drift is a way in which the engine departed from what this controller had made.
type Drift string

// The kinds of drift.
const (
	DriftMissing      Drift = "missing"      // the sidecar is gone
	DriftStopped      Drift = "stopped"      // it was stopped or killed
	DriftPaused       Drift = "paused"       // it was paused
	DriftRenamed      Drift = "renamed"      // it bears another name
	DriftLimits       Drift = "limits"       // its limits or restart policy were changed
	DriftDisconnected Drift = "disconnected" // it is not on a network that it belongs on
	DriftAlias        Drift = "alias"        // it lost its alias
	DriftAttached     Drift = "attached"     // it is on a network that it does not belong on
	DriftRoutes       Drift = "routes"       // it serves another table than the one delivered
	DriftLeftover     Drift = "leftover"     // something unfinished or doubled lies about
)

// Drifts lists every kind.
func Drifts() []Drift {
	return []Drift{
		DriftMissing, DriftStopped, DriftPaused, DriftRenamed, DriftLimits, DriftDisconnected, DriftAlias,
		DriftAttached, DriftRoutes, DriftLeftover,
	}
}

// Empty reports whether there is no step to take.
func (p Plan) Empty() bool { return len(p.Items) == 0 }

// String renders the plan for people: the verb, the log and the tests use this one rendering.
func (p Plan) String() string {
	var b strings.Builder
	for _, item := range p.Items {
		b.WriteString(item.String())
	}
	for _, blocked := range p.Blocked {
		fmt.Fprintf(&b, "%s\n  blocked: %s: %s\n", blocked.Name, blocked.Reason, blocked.Message)
	}
	return b.String()
}

// String renders one name: a line for the name and one for each step.
func (i Item) String() string {
	var b strings.Builder
	b.WriteString(i.Name + "\n")
	for _, s := range i.Steps {
		fmt.Fprintf(&b, "  %-14s %s  (%s)\n", s.Step, s.Target, s.Cause)
	}
	return b.String()
}

// MarshalJSON writes the document of the plan verb; its lists are never null.
func (p Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Kind    string    `json:"kind"`
		Items   []Item    `json:"items"`
		Blocked []Blocked `json:"blocked"`
	}{"Plan", append([]Item{}, p.Items...), append([]Blocked{}, p.Blocked...)})
}
