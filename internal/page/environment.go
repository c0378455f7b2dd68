package page

import (
	"net/url"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// mark is a level with the word that says it.
type mark struct {
	Level level
	Word  string
}

// environment is one line of the list.
type environment struct {
	Name, URL string
	State     mark
	// Reason is that of what is worst, and Message what is said of it; empty when all is well.
	Reason, Message string
	// Since is since when it is in that state.
	Since     moment
	Isolation mark
	Tokens    tokenSummary
	Traffic   trafficSummary
	// Planned says how many steps are still to be taken; empty when there are none.
	Planned string

	troubles []trouble
}

// trouble is a condition that is not as it should be.
type trouble struct {
	environment string
	kind        string
	reason      string
	message     string
	level       level
	since       time.Time
}

// mostSaid is how many bytes of a message the list shows.
const mostSaid = 240

// environmentOf is the line of one environment, which has a status.
func environmentOf(cp *spec.CredProxy, now time.Time) environment {
	e := environment{
		Name: cp.Name, URL: environmentURL(cp.Name), Since: momentOf(find(cp, spec.ConditionReady).LastTransitionTime.Time, now),
		Isolation: isolationMark(cp), Tokens: summaryOfTokens(cp, now), Traffic: summaryOfTraffic(cp, now),
		troubles: troublesOf(cp),
	}
	e.State = mark{fine, "Ready"}
	if len(e.troubles) > 0 {
		worst := e.troubles[0]
		e.State, e.Reason, e.Message = stateMark(worst), worst.reason, short(worst.message, mostSaid)
		e.Since = momentOf(worst.since, now)
	}
	if n := len(cp.Status.PlannedSteps); n > 0 {
		e.Planned = many(n, "step to take", "steps to take")
	}
	return e
}

// withStatus is an environment as the pages read it: one that has no status yet has an empty one.
func withStatus(cp *spec.CredProxy) *spec.CredProxy {
	if cp.Status != nil {
		return cp
	}
	out := *cp
	out.Status = &spec.CredProxyStatus{}
	return &out
}

// stateMark is that of an environment whose worst trouble is known.
func stateMark(worst trouble) mark {
	switch {
	case worst.level == held:
		return mark{held, worst.reason}
	case worst.level == waiting:
		return mark{waiting, "In progress"}
	case worst.level == unknown:
		return mark{unknown, "Unknown"}
	case worst.level == warning:
		return mark{warning, "Ready, with a warning"}
	case worst.kind == spec.ConditionIsolated:
		return mark{bad, "Not isolated"}
	case worst.kind == spec.ConditionReady:
		return mark{bad, "Not ready"}
	}
	return mark{bad, "Not in order"}
}

// troublesOf are the conditions that are not as they should be, the gravest first, and of those alike in the order of their types.
func troublesOf(cp *spec.CredProxy) (found []trouble) {
	ready := find(cp, spec.ConditionReady)
	for _, kind := range conditionTypes() {
		c := find(cp, kind)
		if l := levelOf(cp, c); l != fine && matters(c, ready) {
			found = append(found, trouble{cp.Name, kind, c.Reason, messageOf(cp, c), l, c.LastTransitionTime.Time})
		}
	}
	slices.SortStableFunc(found, func(a, b trouble) int { return a.level.rank() - b.level.rank() })
	return found
}

// messageOf is what is said of a condition. How grave each finding about isolation is, its mark says.
func messageOf(cp *spec.CredProxy, c metav1.Condition) string {
	found := cp.Status.IsolationFindings
	if c.Type != spec.ConditionIsolated || len(found) == 0 {
		return c.Message
	}
	if more := len(found) - 1; more > 0 {
		return found[0].Message + "; and " + many(more, "more finding", "more findings")
	}
	return found[0].Message
}

// isolationMark says how well an environment is kept in.
func isolationMark(cp *spec.CredProxy) mark {
	switch c := find(cp, spec.ConditionIsolated); {
	case c.Status == metav1.ConditionTrue:
		return mark{fine, "Isolated"}
	case c.Status == metav1.ConditionUnknown:
		return mark{unknown, "Unknown"}
	case breached(cp):
		return mark{bad, "Open"}
	}
	return mark{warning, "Isolated, with a warning"}
}

// haystack is all in which a search looks, in small letters.
func haystack(cp *spec.CredProxy) string {
	words := []string{cp.Name, cp.Spec.InternalNetwork, cp.Spec.EgressNetwork, cp.Spec.Hostname}
	for key, value := range cp.Labels {
		words = append(words, key+"="+value)
	}
	for _, r := range cp.Spec.Routes {
		words = append(words, r.Path, r.Upstream)
	}
	for _, slot := range cp.Spec.Slots() {
		words = append(words, slot.Ref.String())
	}
	if cp.Status != nil {
		words = append(words, cp.Status.ContainerName, cp.Status.ContainerID)
		for _, c := range cp.Status.Conditions {
			words = append(words, c.Reason, c.Message)
		}
		for _, f := range cp.Status.IsolationFindings {
			words = append(words, f.Reason)
		}
	}
	return strings.ToLower(strings.Join(words, "\n"))
}

// tokenSummary is what the list says of an environment's tokens.
type tokenSummary struct {
	Mark mark
	// Note tells of the token that ends first, or else of the oldest.
	Note moment
	// Verb says what Note is of.
	Verb string
}

// soon is how long before its end a token is worth a look.
const soon = time.Hour

func summaryOfTokens(cp *spec.CredProxy, now time.Time) tokenSummary {
	tokens := cp.Status.Tokens
	if len(tokens) == 0 {
		return tokenSummary{Mark: mark{fine, "none"}}
	}
	var first, oldest time.Time
	found, worst := 0, fine
	for _, t := range tokens {
		if t.Reason == reconcile.ReasonResolved {
			found++
		}
		worst = graver(worst, levelOfToken(t, now))
		first, oldest = earlier(first, t.ExpirationTime), earlier(oldest, t.ChangeTime)
	}
	s := tokenSummary{Mark: mark{worst, count(int64(found)) + " of " + count(int64(len(tokens)))}}
	switch {
	case !first.IsZero():
		s.Verb, s.Note = verbOfEnd(first, now), momentOf(first, now)
	case !oldest.IsZero():
		s.Verb, s.Note = "oldest from", momentOf(oldest, now)
	}
	return s
}

func verbOfEnd(end, now time.Time) string {
	if end.After(now) {
		return "ends"
	}
	return "ended"
}

// earlier is the earlier of two times, either of which may be missing.
func earlier(a time.Time, b *metav1.Time) time.Time {
	if b == nil || !a.IsZero() && a.Before(b.Time) {
		return a
	}
	return b.Time
}

// levelOfToken judges one reference.
func levelOfToken(t spec.TokenStatus, now time.Time) level {
	switch {
	case t.Reason == reconcile.ReasonNotChecked:
		return unknown
	case intended(t.Reason):
		return held
	case t.Reason != reconcile.ReasonResolved:
		return bad
	case t.ExpirationTime != nil && t.ExpirationTime.Sub(now) < soon && late(t, now):
		return warning
	}
	return fine
}

// late reports whether a newer token should have been given by now; where nobody says when, that is so.
func late(t spec.TokenStatus, now time.Time) bool {
	return t.RenewalTime == nil || t.RenewalTime.Time.Before(now)
}

// trafficSummary is what the list says of an environment's requests.
type trafficSummary struct {
	// Requests is their number; empty when nothing was counted yet.
	Requests string
	// Notes tell of errors, refusals and those in flight.
	Notes string
	Last  moment
}

func summaryOfTraffic(cp *spec.CredProxy, now time.Time) (s trafficSummary) {
	var requests, failed, refused, inFlight int64
	var last time.Time
	for _, t := range cp.Status.Traffic {
		for class, n := range t.Requests {
			requests += n
			if class == "5xx" {
				failed += n
			}
		}
		for _, n := range t.Refusals {
			refused += n
		}
		inFlight += t.InFlight
		if t.LastTime != nil && t.LastTime.After(last) {
			last = t.LastTime.Time
		}
	}
	if len(cp.Status.Traffic) == 0 {
		return s
	}
	var notes []string
	for _, note := range []struct {
		n    int64
		word string
	}{{inFlight, "in flight"}, {refused, "refused"}, {failed, "failed"}} {
		if note.n > 0 {
			notes = append(notes, count(note.n)+" "+note.word)
		}
	}
	return trafficSummary{Requests: count(requests), Notes: strings.Join(notes, ", "), Last: momentOf(last, now)}
}

// environmentURL is the page of one environment.
func environmentURL(name string) string { return "/environments/" + url.PathEscape(name) }
