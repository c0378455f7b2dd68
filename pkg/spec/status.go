package spec

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// IsolationFinding is one thing by which an environment is not isolated.
type IsolationFinding struct {
	// Severity is breach when an agent can go around its sidecar, reach the host or pose as others, and otherwise warning.
	Severity string `json:"severity"`
	// Reason is one of the reasons of the condition Isolated.
	Reason string `json:"reason"`
	// Object is the name of the container or network, or the product, that it is about.
	Object string `json:"object"`
	// Message says what it is, and what to do.
	Message string `json:"message"`
}

// TokenStatus is what is known of one token reference. Nothing in it is derived from the token itself.
type TokenStatus struct {
	Ref TokenRef `json:"ref"`
	// Reason is Resolved when the source had a value at the last look, and otherwise why not, such as TokenMissing.
	Reason string `json:"reason"`
	// Message says it in words; empty when Resolved.
	Message string `json:"message,omitempty"`
	// ChangeTime is since when the source has this token: when its file was written, or when its provider first gave it. A
	// variable has none: it is as it was when the controller began.
	ChangeTime *metav1.Time `json:"changeTime,omitempty"`
	// ExpirationTime is when the token ends, as far as its source says.
	ExpirationTime *metav1.Time `json:"expirationTime,omitempty"`
	// RenewalTime is from when on its provider is asked for a newer one.
	RenewalTime *metav1.Time `json:"renewalTime,omitempty"`
}

// PlannedStep is a step that is to be taken, and why.
type PlannedStep struct {
	Step   string `json:"step"`
	Target string `json:"target"`
	Cause  string `json:"cause"`
}

// RouteTraffic is what sidecars have counted of one route since the controller heard of them. Counts that are 0 are left out.
type RouteTraffic struct {
	// Path is that of the route; empty for the requests that no route took.
	Path string `json:"path"`
	// Requests are those that have ended, by the class of the status that was sent, such as 2xx.
	Requests map[string]int64 `json:"requests,omitempty"`
	// Refusals are answers of the sidecar's own, by why it gave them, such as denied.
	Refusals map[string]int64 `json:"refusals,omitempty"`
	// Warnings are the requests that the route's policy would have refused, were it enforced.
	Warnings int64 `json:"warnings,omitempty"`
	// Injections are the requests to which a credential was added.
	Injections int64 `json:"injections,omitempty"`
	// InFlight are the requests that are forwarded now.
	InFlight int64 `json:"inFlight,omitempty"`
	// RequestBytes and ResponseBytes are those of bodies, and of tunnels.
	RequestBytes  int64 `json:"requestBytes,omitempty"`
	ResponseBytes int64 `json:"responseBytes,omitempty"`
	// Latency is of the requests that the upstream answered; nil while there was none.
	Latency *Latency `json:"latency,omitempty"`
	// LastTime is when the last request ended, to within some seconds; nil when the controller has seen none end.
	LastTime *metav1.Time `json:"lastTime,omitempty"`
}

// Latency is how long requests took until their end, in milliseconds.
type Latency struct {
	// Count is of how many it is told.
	Count int64 `json:"count"`
	Mean  int64 `json:"meanMillis"`
	// P50 and P95 are what a half, and 19 of 20, did not exceed, estimated from a histogram.
	P50 int64 `json:"p50Millis"`
	P95 int64 `json:"p95Millis"`
}

func (t *TokenStatus) deepCopy() TokenStatus {
	out := *t
	out.ChangeTime, out.ExpirationTime, out.RenewalTime = copyOf(t.ChangeTime), copyOf(t.ExpirationTime), copyOf(t.RenewalTime)
	return out
}

func (r *RouteTraffic) deepCopy() RouteTraffic {
	out := *r
	out.Requests, out.Refusals = maps.Clone(r.Requests), maps.Clone(r.Refusals)
	out.Latency, out.LastTime = copyOf(r.Latency), copyOf(r.LastTime)
	return out
}

// copyDetails has a copy of a status share none of its details.
func (s *CredProxyStatus) copyDetails(out *CredProxyStatus) {
	out.Tokens, out.Traffic = slices.Clone(s.Tokens), slices.Clone(s.Traffic)
	for i := range s.Tokens {
		out.Tokens[i] = s.Tokens[i].deepCopy()
	}
	for i := range s.Traffic {
		out.Traffic[i] = s.Traffic[i].deepCopy()
	}
	out.IsolationFindings, out.PlannedSteps = slices.Clone(s.IsolationFindings), slices.Clone(s.PlannedSteps)
	out.PlannedChanges = slices.Clone(s.PlannedChanges)
	out.NextAttemptTime = copyOf(s.NextAttemptTime)
}
