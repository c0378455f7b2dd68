package page

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// detail is all that is known of one environment.
type detail struct {
	environment
	// Whole is the message of what is worst, uncut, and Advice what to do about it.
	Whole, Advice string
	Conditions    []condition
	// Steps are those of the next plan, and Changes what they make other than it is; without any, Nothing says why.
	Steps       []spec.PlannedStep
	Changes     []change
	Nothing     string
	NextAttempt moment
	Routes      []route
	// Unrouted are requests that no route took; nil when there were none.
	Unrouted  *traffic
	TokenRefs []token
	Networks  []fact
	Findings  []finding
	Sidecar   []fact
	Files     []link
	Events    []event
	// MoreEvents is where all of its events are.
	MoreEvents string
}

// condition is one of an environment's.
type condition struct {
	Type   string
	Status mark
	Reason string
	// Message is what is said of it.
	Message string
	Since   moment
}

// change is something that the next plan makes other than it is, with a sign and a word that say how.
type change struct{ Sign, Word, Text string }

// fact is something that is so; Mono is true for what a machine reads.
type fact struct {
	Name, Value string
	Mono        bool
}

// finding is something by which an environment is not isolated.
type finding struct {
	Mark                    mark
	Reason, Object, Message string
}

// mostEvents is how many events an environment's page has.
const mostEvents = 20

// detailOf is the page of one environment.
func detailOf(cp *spec.CredProxy, files []source.FileStatus, events []reconcile.Event, now time.Time) detail {
	cp = withStatus(cp)
	d := detail{environment: environmentOf(cp, now), MoreEvents: listURL("/events", "name", cp.Name)}
	if len(d.troubles) > 0 {
		d.Whole, d.Advice = d.troubles[0].message, advice(d.troubles[0].reason)
	}
	for _, kind := range conditionTypes() {
		c := find(cp, kind)
		d.Conditions = append(d.Conditions, condition{
			Type: kind, Status: mark{levelOf(cp, c), string(c.Status)}, Reason: c.Reason, Message: c.Message,
			Since: momentOf(c.LastTransitionTime.Time, now),
		})
	}
	d.Steps, d.Changes, d.Nothing = cp.Status.PlannedSteps, changesOf(cp), nothing(cp)
	if next := cp.Status.NextAttemptTime; next != nil && next.After(now) {
		d.NextAttempt = momentOf(next.Time, now)
	}
	d.Routes, d.Unrouted = routesOf(cp, now)
	d.TokenRefs = tokensOf(cp, now)
	d.Networks, d.Sidecar = networkFacts(&cp.Spec), sidecarFacts(cp)
	d.Findings = findingsOf(cp)
	for _, f := range files {
		if slices.Contains(f.Declares, cp.Name) {
			d.Files = append(d.Files, link{f.Path, listURL("/files", "q", f.Path)})
		}
	}
	d.Events = latest(events, mostEvents, now, func(e reconcile.Event) bool { return e.Name == cp.Name })
	return d
}

// nothing says why the next plan has no steps for an environment.
func nothing(cp *spec.CredProxy) string {
	ready := find(cp, spec.ConditionReady)
	switch {
	case ready.Reason == reconcile.ReasonEngineUnavailable:
		return "Nobody can tell while the engine does not answer."
	case ready.Reason == reconcile.ReasonPaused:
		return "Nothing, while it is paused."
	case ready.Status == metav1.ConditionTrue:
		return "Nothing: what runs is what is in force."
	case intended(ready.Reason):
		return "Nothing, while its tokens are withheld."
	case ready.Reason == reconcile.ReasonProgressing:
		return "Nothing more: what was begun is waited for."
	}
	return "Nothing, until what stands in the way is out of it."
}

func changesOf(cp *spec.CredProxy) (changes []change) {
	for _, c := range cp.Status.PlannedChanges {
		word := "changed"
		switch c.Change {
		case spec.ChangeAdd:
			word = "added"
		case spec.ChangeRemove:
			word = "removed"
		}
		changes = append(changes, change{c.Change.Sign(), word, c.String()})
	}
	return changes
}

func networkFacts(s *spec.CredProxySpec) []fact {
	facts := []fact{{"Internal network", s.InternalNetwork, true}, {"Egress network", s.EgressNetwork, true}}
	facts = append(facts, fact{"Missing networks", either(s.CreateNetworks, "are made, and removed with it", "have to be made by hand"), false})
	return append(facts, fact{"After a breach", either(s.RequireIsolation, "the sidecar leaves its internal network", "the sidecar serves on"), false})
}

func sidecarFacts(cp *spec.CredProxy) (facts []fact) {
	add := func(name, value string, mono bool) {
		if value != "" {
			facts = append(facts, fact{name, value, mono})
		}
	}
	add("Agents dial", cp.Status.URL, true)
	add("Container", cp.Status.ContainerName, true)
	add("Container ID", cp.Status.ContainerID[:min(12, len(cp.Status.ContainerID))], true)
	add("Image", cmp.Or(cp.Spec.Image, "the controller's own"), cp.Spec.Image != "")
	add("Tokens are delivered by", string(cp.Spec.TokenDelivery), false)
	if c := cp.Spec.CallerAuth; c != nil {
		add("Callers show", "the key of "+c.KeyRef.String()+either(c.Header != "", " in "+c.Header, ""), false)
	}
	if r := cp.Spec.Resources; r != (spec.Resources{}) {
		add("Limits", r.Memory+" memory, "+r.CPUs+" CPUs, "+strconv.FormatInt(r.Pids, 10)+" processes", false)
	}
	add("Made from", cp.Status.SpecHash, true)
	add("Serves routes", cp.Status.RoutesDigest, true)
	return facts
}

func findingsOf(cp *spec.CredProxy) (found []finding) {
	for _, f := range cp.Status.IsolationFindings {
		m := mark{warning, "Warning"}
		if f.Severity == string(reconcile.SeverityBreach) {
			m = mark{bad, "Breach"}
		}
		found = append(found, finding{m, f.Reason, f.Object, f.Message})
	}
	return found
}

// either chooses words.
func either(holds bool, then, otherwise string) string {
	if holds {
		return then
	}
	return otherwise
}
