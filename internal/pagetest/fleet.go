package pagetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// Environment is one that is all right.
func Environment(name string) spec.CredProxy {
	cp := spec.CredProxy{}
	cp.Name = name
	yes := true
	cp.Spec = spec.CredProxySpec{
		InternalNetwork: name + "-internal", EgressNetwork: name + "-egress",
		Routes: []spec.Route{
			{
				Path: "/anthropic", Upstream: "https://api.anthropic.com", Roles: []spec.Role{spec.RoleAnthropic}, Methods: []string{"GET", "POST"}, ScrubResponses: &yes,
				Auth:   &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: spec.TokenRef{Env: "CLAUDE_CODE_OAUTH_TOKEN"}},
				Paths:  &spec.Paths{Allow: []string{"/v1/**"}, Deny: []string{"/v1/organizations/**"}},
				Limits: &spec.Limits{BodyBytes: "10Mi", RequestsPerMinute: 60, ConcurrentRequests: 8},
			},
			{
				Path: "/git", Upstream: "https://git.example.org/base",
				Auth: &spec.Auth{Scheme: spec.SchemeBasic, Username: "x-access-token", TokenRef: spec.TokenRef{Provider: "vault", Key: "teams/" + name}},
				Git:  &spec.Git{Fetch: true, Push: []string{"acme/" + name}},
			},
		},
	}
	spec.SetDefaults(&cp, spec.Options{})
	since := ago(3 * time.Hour)
	cp.Status = &spec.CredProxyStatus{
		ContainerID: "4f1c0e8b7a6d5c4b3a2918070f6e5d4c3b2a1908", ContainerName: "cred-proxy-" + name, URL: "http://cred-proxy:9099",
		SpecHash: "v1:8d1f2c3b4a5968778695a4b3c2d1e0f1", RoutesDigest: "1b2c3d4e5f60718293a4b5c6d7e8f901", LastTransitionTime: since,
		Conditions: []metav1.Condition{
			condition(spec.ConditionReady, metav1.ConditionTrue, reconcile.ReasonRunning, "the sidecar serves", since),
			condition(spec.ConditionTokensResolved, metav1.ConditionTrue, reconcile.ReasonResolved, "2 of 2 token references have a value", since),
			condition(spec.ConditionNetworksReady, metav1.ConditionTrue, reconcile.ReasonFound, "both networks exist", since),
			condition(spec.ConditionIsolated, metav1.ConditionTrue, reconcile.ReasonInternal, "the internal network leads nowhere, and nothing on it leads out of it", since),
			condition(spec.ConditionPermitted, metav1.ConditionTrue, reconcile.ReasonPermitted, "the policy permits all of it", since),
			condition(spec.ConditionCurrent, metav1.ConditionTrue, reconcile.ReasonInForce, "what serves is what the file says", since),
		},
		Tokens: []spec.TokenStatus{
			{Ref: cp.Spec.Routes[0].Auth.TokenRef, Reason: reconcile.ReasonResolved},
			{
				Ref: cp.Spec.Routes[1].Auth.TokenRef, Reason: reconcile.ReasonResolved,
				ChangeTime: ago(15 * time.Minute), ExpirationTime: ago(-45*time.Minute - 30*time.Second), RenewalTime: ago(-35*time.Minute - 30*time.Second),
			},
		},
		Traffic: []spec.RouteTraffic{
			{
				Path: "/anthropic", Requests: map[string]int64{"2xx": 1204, "4xx": 7, "5xx": 2}, Refusals: map[string]int64{"rate_limited": 5}, Injections: 1208,
				InFlight: 2, RequestBytes: 4_812_553, ResponseBytes: 91_224_871, Latency: &spec.Latency{Count: 1208, Mean: 1830, P50: 1210, P95: 6400},
				LastTime: ago(40 * time.Second),
			},
			{
				Path: "/git", Requests: map[string]int64{"2xx": 88}, Injections: 88, RequestBytes: 1200, ResponseBytes: 9_224_871,
				Latency: &spec.Latency{Count: 88, Mean: 210, P50: 180, P95: 700}, LastTime: ago(12 * time.Minute),
			},
			{Path: ""},
		},
	}
	return cp
}

func condition(kind string, status metav1.ConditionStatus, reason, message string, since *metav1.Time) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: *since}
}

// ago is a time, half a second more ago than is said: so a page that is made at once says it.
func ago(d time.Duration) *metav1.Time {
	t := metav1.NewTime(time.Now().Add(-d - 500*time.Millisecond))
	return &t
}

// Set gives an environment a condition, since a while.
func Set(cp *spec.CredProxy, kind string, status metav1.ConditionStatus, reason, message string, since time.Duration) {
	c := condition(kind, status, reason, message, ago(since))
	at := slices.IndexFunc(cp.Status.Conditions, func(c metav1.Condition) bool { return c.Type == kind })
	if at < 0 {
		cp.Status.Conditions = append(cp.Status.Conditions, c)
	} else {
		cp.Status.Conditions[at] = c
	}
}

// LackToken takes its provider's token from an environment.
func LackToken(cp *spec.CredProxy) {
	const message = "token provider vault key teams/web: token missing: the provider's command ended with exit status 2; run it by hand"
	Set(cp, spec.ConditionReady, metav1.ConditionFalse, reconcile.ReasonTokenMissing, message, 12*time.Minute)
	Set(cp, spec.ConditionTokensResolved, metav1.ConditionFalse, reconcile.ReasonTokenMissing, message, 12*time.Minute)
	Set(cp, spec.ConditionCurrent, metav1.ConditionFalse, reconcile.ReasonTokenMissing, message, 12*time.Minute)
	cp.Status.Tokens[1] = spec.TokenStatus{Ref: cp.Status.Tokens[1].Ref, Reason: reconcile.ReasonTokenMissing, Message: message}
	cp.Status.PlannedSteps = []spec.PlannedStep{
		{Step: "resolve_tokens", Target: "2 tokens", Cause: "no sidecar runs"},
		{Step: "create", Target: "cred-proxy-" + cp.Name, Cause: "no sidecar runs"},
		{Step: "copy_routes", Target: "cred-proxy-" + cp.Name, Cause: "no sidecar runs"},
		{Step: "start", Target: "cred-proxy-" + cp.Name, Cause: "no sidecar runs"},
	}
	name := "cred-proxy-" + cp.Name
	cp.Status.PlannedChanges = []spec.PlannedChange{
		{Change: spec.ChangeAdd, Object: spec.ChangedSidecar, Name: name},
		{Change: spec.ChangeAdd, Object: spec.ChangedSidecar, Name: name, Field: "internalNetwork", After: cp.Spec.InternalNetwork + " as cred-proxy:9099"},
		{Change: spec.ChangeAdd, Object: spec.ChangedSidecar, Name: name, Field: "egressNetwork", After: cp.Spec.EgressNetwork},
	}
	for _, r := range cp.Spec.Routes {
		cp.Status.PlannedChanges = append(cp.Status.PlannedChanges, spec.PlannedChange{
			Change: spec.ChangeAdd, Object: spec.ChangedRoute, Name: r.Path, After: fmt.Sprintf("%s, %s, token from %s", r.Upstream, r.Auth.Scheme, r.Auth.TokenRef),
		})
	}
	cp.Status.NextAttemptTime = ago(-25 * time.Second)
	cp.Status.ContainerID, cp.Status.ContainerName, cp.Status.URL, cp.Status.SpecHash, cp.Status.RoutesDigest = "", "", "", "", ""
	cp.Status.Traffic = nil
}

// Open puts a privileged container on an environment's internal network.
func Open(cp *spec.CredProxy) {
	message := fmt.Sprintf("container %q is privileged; make it anew without --privileged", cp.Name+"-agent")
	Set(cp, spec.ConditionIsolated, metav1.ConditionFalse, reconcile.ReasonPrivileged, "breach: "+message, 4*time.Minute)
	cp.Status.IsolationFindings = []spec.IsolationFinding{{Severity: "breach", Reason: reconcile.ReasonPrivileged, Object: cp.Name + "-agent", Message: message}}
}

// Warn has the engine pass on the DNS questions of an environment.
func Warn(cp *spec.CredProxy) {
	const message = "Docker 20.10.24 asks name servers outside for what containers on internal networks ask it, which can carry data out (CVE-2024-29018); upgrade to Docker 25.0.5, 26.0 or later"
	Set(cp, spec.ConditionIsolated, metav1.ConditionFalse, reconcile.ReasonDNSForwarded, "warning: "+message, 5*time.Hour)
	cp.Status.IsolationFindings = []spec.IsolationFinding{{Severity: "warning", Reason: reconcile.ReasonDNSForwarded, Object: "Docker", Message: message}}
}

// Pause has an environment paused.
func Pause(cp *spec.CredProxy) {
	Set(cp, spec.ConditionReady, metav1.ConditionTrue, reconcile.ReasonPaused, `annotation credproxy.dev/paused is "true"`, time.Hour)
}

// Progress has an environment be made.
func Progress(cp *spec.CredProxy) {
	Set(cp, spec.ConditionReady, metav1.ConditionFalse, reconcile.ReasonProgressing, "the sidecar is being made", time.Second)
}

// Fleet is n environments that are all right, each of a file of its own.
func Fleet(n int) Facts {
	var f Facts
	words := []string{"web", "api", "docs", "infra", "mobile", "billing", "search", "ops"}
	for i := range n {
		name := words[i%len(words)]
		if i >= len(words) {
			name = fmt.Sprintf("%s-%d", name, i/len(words)+1)
		}
		f.Environments = append(f.Environments, Environment(name))
		f.Files = append(f.Files, source.FileStatus{Path: "teams/" + name + ".yaml", State: source.FileValid, Declares: []string{name}})
		f.Events = append(f.Events, reconcile.Event{
			Sequence: int64(1000 + i), Time: ago(3 * time.Hour).Time, Name: name, Type: "Normal", Reason: reconcile.EventReady,
			Message: "ready: cred-proxy-" + name, Cause: "no sidecar runs",
		})
	}
	slices.SortFunc(f.Environments, func(a, b spec.CredProxy) int { return strings.Compare(a.Name, b.Name) })
	return f
}

// Troubled is a fleet of n, at least six, in which something of each kind is not all right.
func Troubled(n int) Facts {
	f := Fleet(n)
	LackToken(&f.Environments[0])
	LackToken(&f.Environments[1])
	Open(&f.Environments[2])
	Pause(&f.Environments[3])
	Progress(&f.Environments[4])
	Warn(&f.Environments[5])
	f.Files = append(f.Files, source.FileStatus{
		Path: "teams/new.yaml", State: source.FileInvalid, Declares: []string{"new"},
		Errors: []spec.Problem{{Line: 9, Field: "spec.routes[0].upstream", Message: `"http://example.org" is http, which is refused; write https://, or set insecureUpstream: true`}},
	})
	f.Events = append(f.Events,
		reconcile.Event{Sequence: 3001, Time: ago(12 * time.Minute).Time, Name: f.Environments[0].Name, Type: "Warning", Reason: reconcile.ReasonTokenMissing, Message: "token provider vault: token missing"},
		reconcile.Event{Sequence: 3002, Time: ago(4 * time.Minute).Time, Name: f.Environments[2].Name, Type: "Warning", Reason: reconcile.ReasonPrivileged, Message: `container "docs-agent" is privileged`},
	)
	return f
}
