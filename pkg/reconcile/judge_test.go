package reconcile

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

func TestReady(t *testing.T) {
	serves := &Sidecar{State: StateRunning, Report: &routetable.Report{Serving: true, Generation: 7}}
	for _, tc := range []struct {
		name   string
		give   verdict
		status metav1.ConditionStatus
		reason string
	}{
		{"a serving sidecar", verdict{sidecar: serves}, metav1.ConditionTrue, ReasonRunning},
		{"no sidecar yet", verdict{}, metav1.ConditionFalse, ReasonProgressing},
		{"a sidecar that has not answered", verdict{sidecar: &Sidecar{State: StateRunning}}, metav1.ConditionUnknown, ReasonProgressing},
		{"a sidecar that waits for its routes", verdict{sidecar: &Sidecar{State: StateRunning, Report: &routetable.Report{}}}, metav1.ConditionFalse, ReasonProgressing},
		{"a sidecar that the engine restarts", verdict{sidecar: &Sidecar{State: StateRestarting}}, metav1.ConditionFalse, ReasonCrashLooping},
		{"a sidecar between two crashes", verdict{sidecar: &Sidecar{State: StateRunning, RestartCount: crashes}}, metav1.ConditionFalse, ReasonCrashLooping},
		{"a stopped sidecar", verdict{sidecar: &Sidecar{State: StateExited}}, metav1.ConditionFalse, ReasonProgressing},
		{"another image", verdict{sidecar: serves, outdated: true}, metav1.ConditionTrue, ReasonOutdated},
		{"paused and serving", verdict{sidecar: serves, blocked: &Blocked{Reason: ReasonPaused}}, metav1.ConditionTrue, ReasonPaused},
		{"paused before it was made", verdict{blocked: &Blocked{Reason: ReasonPaused}}, metav1.ConditionFalse, ReasonPaused},
		{"refused", verdict{sidecar: serves, blocked: &Blocked{Reason: ReasonAliasConflict}}, metav1.ConditionFalse, ReasonAliasConflict},
		{"a table that was refused", verdict{sidecar: serves, err: fmt.Errorf("x: %w", ErrRoutesRefused)}, metav1.ConditionFalse, ReasonRoutesRefused},
		{"an engine that is away", verdict{sidecar: serves, err: ErrEngineUnavailable}, metav1.ConditionUnknown, ReasonEngineUnavailable},
		{"a failure of no known kind", verdict{err: errors.New("disk full")}, metav1.ConditionFalse, ReasonStepFailed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var status spec.CredProxyStatus
			tc.give.apply(&status)
			got := meta.FindStatusCondition(status.Conditions, spec.ConditionReady)
			if got.Status != tc.status || got.Reason != tc.reason {
				t.Errorf("Ready is %s %s (%s), want %s %s", got.Status, got.Reason, got.Message, tc.status, tc.reason)
			}
		})
	}
}

func TestConditionsReadAsSentences(t *testing.T) {
	serves := &Sidecar{State: StateRunning, Report: &routetable.Report{Serving: true, Generation: 7}}
	for _, tc := range []struct {
		give       verdict
		kind, want string
	}{
		{verdict{sidecar: &Sidecar{State: StateRemoving}}, spec.ConditionReady, "the sidecar is being removed"},
		{verdict{sidecar: serves, err: fmt.Errorf("x: %w", ErrRoutesRefused)}, spec.ConditionReady, "x: routes refused; the sidecar still serves generation 7"},
		{verdict{spec: newWorld().spec, sidecar: serves, tokensChecked: true}, spec.ConditionTokensResolved, "the one token reference has a value"},
	} {
		var status spec.CredProxyStatus
		tc.give.apply(&status)
		if got := meta.FindStatusCondition(status.Conditions, tc.kind); got.Message != tc.want {
			t.Errorf("%s says %q, want %q", tc.kind, got.Message, tc.want)
		}
	}
}

// A token that disappears does not make a serving sidecar unready.
func TestTokenThatDisappeared(t *testing.T) {
	cp := newWorld().spec
	serves := &Sidecar{State: StateRunning, Report: &routetable.Report{Serving: true}}
	var status spec.CredProxyStatus
	verdict{spec: cp, sidecar: serves, tokenErr: fmt.Errorf("env TOKEN: %w", ErrTokenMissing)}.apply(&status)
	if !meta.IsStatusConditionTrue(status.Conditions, spec.ConditionReady) {
		t.Error("Ready is not True")
	}
	got := meta.FindStatusCondition(status.Conditions, spec.ConditionTokensResolved)
	if got.Status != metav1.ConditionFalse || got.Reason != ReasonTokenMissing || status.LastError == "" {
		t.Errorf("TokensResolved is %s %s, last error %q", got.Status, got.Reason, status.LastError)
	}
}

func TestIsolated(t *testing.T) {
	breach := Finding{SeverityBreach, ReasonPrivileged, "agent", "container \"agent\" is privileged"}
	warning := Finding{SeverityWarning, ReasonDNSForwarded, "Docker", "Docker forwards"}
	for name, tc := range map[string]struct {
		give   bounds
		want   metav1.ConditionStatus
		reason string
		words  string
	}{
		"nothing is found": {bounds{judged: true}, metav1.ConditionTrue, ReasonInternal, "nothing on it leads out"},
		"a breach":         {bounds{judged: true, found: []Finding{breach, warning}}, metav1.ConditionFalse, ReasonPrivileged, "breach: container \"agent\" is privileged; warning: Docker forwards"},
		"only a warning":   {bounds{judged: true, found: []Finding{warning}}, metav1.ConditionFalse, ReasonDNSForwarded, "warning: Docker forwards"},
		"no network":       {bounds{}, metav1.ConditionUnknown, ReasonNotChecked, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := verdict{bounds: tc.give}.isolated()
			if got.Status != tc.want || got.Reason != tc.reason || !strings.Contains(got.Message, tc.words) {
				t.Errorf("Isolated is %s %s (%s), want %s %s (%s)", got.Status, got.Reason, got.Message, tc.want, tc.reason, tc.words)
			}
		})
	}
}

// Ready says that an agent can get out, and not that the engine is old.
func TestReadyMentionsBreachesAlone(t *testing.T) {
	found := []Finding{{SeverityBreach, ReasonPrivileged, "agent", "agent is privileged"}, {SeverityWarning, ReasonDNSForwarded, "Docker", "Docker forwards"}}
	serves := &Sidecar{State: StateRunning, Report: &routetable.Report{Serving: true}}
	got := verdict{sidecar: serves, bounds: bounds{judged: true, found: found}}.ready().Message
	if !strings.Contains(got, "agent is privileged") || strings.Contains(got, "Docker") {
		t.Errorf("got %s", got)
	}
}
