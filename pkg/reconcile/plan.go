package reconcile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/spec"
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
	// Changes are what the steps make other than it is, as far as that is known: a Plan that is asked for knows the routes that a
	// sidecar has, too.
	Changes []spec.PlannedChange `json:"changes"`
	// MoreChanges is how many there are besides, which are too many to be told.
	MoreChanges int `json:"moreChanges,omitempty"`
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

// PlanLine is a line of a plan for people: a heading, and a text that may be wrapped behind it.
type PlanLine struct {
	Heading, Text string
	// Change is what the line tells; empty for a line that tells no change.
	Change spec.ChangeKind
}

// String renders the plan for people: the verb, the log and the tests use this one rendering.
func (p Plan) String() string { return rendered(p.Lines()) }

// Lines are the lines of String.
func (p Plan) Lines() (lines []PlanLine) {
	for _, item := range p.Items {
		lines = append(lines, item.Lines()...)
	}
	for _, blocked := range p.Blocked {
		lines = append(lines, PlanLine{Text: blocked.Name},
			PlanLine{Heading: "  ", Text: fmt.Sprintf("blocked: %s: %s", blocked.Reason, blocked.Message)})
	}
	return lines
}

// String renders one name.
func (i Item) String() string { return rendered(i.Lines()) }

// Lines are one for the name, one for each change, one for those that are too many, and one for each step. A cause that all steps have in
// common is told once.
func (i Item) Lines() []PlanLine {
	lines := []PlanLine{{Text: i.Name}}
	shared := i.sharedCause()
	if shared != "" {
		lines = append(lines, PlanLine{Heading: "  ", Text: shared})
	}
	for _, c := range i.Changes {
		lines = append(lines, PlanLine{Heading: "    " + c.Change.Sign() + " ", Text: c.String(), Change: c.Change})
	}
	if i.MoreChanges > 0 {
		lines = append(lines, PlanLine{Heading: "    ", Text: fmt.Sprintf("… and %d changes more", i.MoreChanges)})
	}
	for _, s := range i.Steps {
		text := s.Target
		if shared == "" {
			text += "  (" + s.Cause + ")"
		}
		lines = append(lines, PlanLine{Heading: fmt.Sprintf("  %-14s ", s.Step), Text: text})
	}
	return lines
}

// sharedCause is the cause of all steps; empty where they have several, or where there is only one step.
func (i Item) sharedCause() string {
	if len(i.Steps) < 2 || slices.ContainsFunc(i.Steps, func(s Step) bool { return s.Cause != i.Steps[0].Cause }) {
		return ""
	}
	return i.Steps[0].Cause
}

// Summary counts what becomes of the names of a plan, such as "1 to make, 2 to change, 1 to remove"; empty for an empty plan.
func (p Plan) Summary() string {
	var made, changed, removed int
	for _, item := range p.Items {
		creates, removes, others := item.kinds()
		switch {
		case creates && !removes:
			made++
		case removes && !creates && !others:
			removed++
		default:
			changed++
		}
	}
	var parts []string
	for _, of := range []struct {
		count int
		words string
	}{{made, "to make"}, {changed, "to change"}, {removed, "to remove"}, {len(p.Blocked), "blocked"}} {
		if of.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", of.count, of.words))
		}
	}
	return strings.Join(parts, ", ")
}

// kinds reports whether an item makes a container, whether it takes something away, and whether it does anything else.
func (i Item) kinds() (creates, removes, others bool) {
	for _, s := range i.Steps {
		switch s.Step {
		case StepCreate:
			creates = true
		case StepDrain, StepRemove, StepRemoveVolume, StepRemoveNetwork:
			removes = true
		default:
			others = true
		}
	}
	return creates, removes, others
}

func rendered(lines []PlanLine) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line.Heading + line.Text + "\n")
	}
	return b.String()
}

// MarshalJSON writes the document of the plan verb; its lists are never null.
func (p Plan) MarshalJSON() ([]byte, error) {
	items := append([]Item{}, p.Items...)
	for i := range items {
		items[i].Changes = append([]spec.PlannedChange{}, items[i].Changes...)
	}
	return json.Marshal(struct {
		Kind    string    `json:"kind"`
		Items   []Item    `json:"items"`
		Blocked []Blocked `json:"blocked"`
	}{"Plan", items, append([]Blocked{}, p.Blocked...)})
}
