package page

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// level is how much something matters, the gravest first. Its value is the class of its mark.
type level string

const (
	bad     level = "bad"     // it is not as it should be, and somebody has to do something
	unknown level = "unknown" // nobody can tell
	warning level = "warn"    // it works, and somebody should look
	waiting level = "wait"    // it is being done
	held    level = "held"    // somebody wants it so
	fine    level = "ok"
)

// levels are all of them, the gravest first.
func levels() []level { return []level{bad, unknown, warning, waiting, held, fine} }

// rank is the place of a level among all.
func (l level) rank() int { return slices.Index(levels(), l) }

// graver returns the graver one.
func graver(a, b level) level {
	if a.rank() <= b.rank() {
		return a
	}
	return b
}

// conditionTypes are all types of conditions, in the order in which they are shown.
func conditionTypes() []string {
	return []string{
		spec.ConditionReady, spec.ConditionCurrent, spec.ConditionTokensResolved, spec.ConditionNetworksReady, spec.ConditionIsolated,
		spec.ConditionPermitted,
	}
}

// levelOf judges one condition of an environment.
func levelOf(cp *spec.CredProxy, c metav1.Condition) level {
	if c.Type == spec.ConditionReady {
		return levelOfReady(c)
	}
	switch {
	case c.Status == metav1.ConditionTrue:
		return fine
	case c.Status == metav1.ConditionUnknown:
		return unknown
	case intended(c.Reason):
		return held
	case c.Type == spec.ConditionIsolated && !breached(cp):
		return warning
	case c.Type == spec.ConditionCurrent, c.Type == spec.ConditionTokensResolved:
		return warning
	}
	return bad
}

func levelOfReady(c metav1.Condition) level {
	switch {
	case intended(c.Reason):
		return held
	case c.Reason == reconcile.ReasonProgressing:
		return waiting
	case c.Status == metav1.ConditionTrue:
		return fine
	case c.Status == metav1.ConditionUnknown:
		return unknown
	}
	return bad
}

// intended reports whether a reason is what somebody asked for.
func intended(reason string) bool {
	return reason == reconcile.ReasonPaused || reason == reconcile.ReasonSuspended || reason == reconcile.ReasonRevoked
}

// breached reports whether more than a warning is found of an environment's isolation.
func breached(cp *spec.CredProxy) bool {
	return slices.ContainsFunc(cp.Status.IsolationFindings, func(f spec.IsolationFinding) bool {
		return f.Severity == string(reconcile.SeverityBreach)
	})
}

// find is the condition of a type; one that is not there yet is Unknown.
func find(cp *spec.CredProxy, kind string) metav1.Condition {
	if cp.Status != nil {
		if c := meta.FindStatusCondition(cp.Status.Conditions, kind); c != nil {
			return *c
		}
	}
	return metav1.Condition{Type: kind, Status: metav1.ConditionUnknown, Reason: reconcile.ReasonNotChecked, Message: "it was not looked at yet"}
}

// matters reports whether a condition adds to what Ready says: not if Ready is as it is for the same reason, nor if it is only not
// known yet.
func matters(c, ready metav1.Condition) bool {
	switch {
	case c.Type == spec.ConditionReady:
		return true
	case c.Status != metav1.ConditionFalse, c.Reason == ready.Reason:
		return false
	case c.Type == spec.ConditionCurrent:
		return c.Reason == reconcile.ReasonLastGood
	}
	return true
}
