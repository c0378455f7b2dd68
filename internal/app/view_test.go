package app

import (
	"errors"
	"maps"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

func TestWhatServesIsCurrentOnlyWhereNothingNewerIsWritten(t *testing.T) {
	const note = "web.yaml:3: kind: is missing; the last good version stays in force"
	serving := metav1.Condition{Status: metav1.ConditionTrue, Reason: reconcile.ReasonRunning, Message: "the sidecar serves"}
	tests := map[string]struct {
		standing        standing
		ready           metav1.Condition
		status          metav1.ConditionStatus
		reason, message string
	}{
		"good and serving": {standing{}, serving, "True", "InForce", "what serves is what the file says"},
		"a bad file":       {standing{stale: map[string]string{"web": note}}, serving, "False", "LastGood", note},
		"another bad file": {standing{stale: map[string]string{"api": note}}, serving, "True", "InForce", "what serves is what the file says"},
		"not read":         {standing{unread: "git is writing"}, serving, "Unknown", "NotChecked", "git is writing"},
		"paused": {standing{}, metav1.Condition{Status: "True", Reason: "Paused"}, "Unknown", "Paused",
			"no step is taken while it is paused, so what serves may be older than the file"},
		"being made": {standing{}, metav1.Condition{Status: "False", Reason: "Progressing", Message: "wait"}, "False", "Progressing", "wait"},
		"a bad file, and not Ready": {standing{stale: map[string]string{"web": note}},
			metav1.Condition{Status: "False", Reason: "PolicyDenied", Message: "it is denied"}, "False", "PolicyDenied", "it is denied; besides, " + note},
		"a bad file, and nobody knows of the sidecar": {standing{stale: map[string]string{"web": note}},
			metav1.Condition{Status: "Unknown", Reason: "EngineUnavailable"}, "False", "LastGood", note},
		"nobody knows of the sidecar": {standing{}, metav1.Condition{Status: "Unknown", Reason: "EngineUnavailable"}, "Unknown", "EngineUnavailable", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.ready.Type = spec.ConditionReady
			one := spec.CredProxy{Status: &spec.CredProxyStatus{Conditions: []metav1.Condition{tt.ready}}}
			one.Name = "web"
			got := tt.standing.noted(one).Status.Conditions[1]
			if got.Type != spec.ConditionCurrent || got.Status != tt.status || got.Reason != tt.reason || got.Message != tt.message {
				t.Errorf("Current is %+v", got)
			}
			if len(one.Status.Conditions) != 1 {
				t.Error("the controller's own status was changed")
			}
		})
	}
}

func TestABadFileIsToldBesideWhatKeepsItFromBeingReady(t *testing.T) {
	one := spec.CredProxy{Status: &spec.CredProxyStatus{LastError: "it is denied", Conditions: []metav1.Condition{
		{Type: spec.ConditionReady, Status: "False", Reason: "PolicyDenied", Message: "it is denied; its sidecar serves on"},
	}}}
	one.Name = "web"
	bad := standing{stale: map[string]string{"web": "web.yaml:3: kind: is missing"}}
	if got := bad.noted(one).Status.LastError; got != "web.yaml:3: kind: is missing" {
		t.Errorf("the last error is %q", got)
	}
	one.Status.LastError = "the engine does not answer"
	if got := bad.noted(one).Status.LastError; got != "the engine does not answer" {
		t.Errorf("the last error is %q", got)
	}
}

func TestTheControllerIsToldWhichSpecsAreLastGoodVersions(t *testing.T) {
	web, api := &spec.CredProxy{}, &spec.CredProxy{}
	web.Name, api.Name = "web", "api"
	got := declared("specs", source.Snapshot{
		Specs: []source.Object{{CredProxy: api, File: "api.yaml"}, {CredProxy: web, File: "web.yaml", Stale: true}},
		Files: []source.FileStatus{{Path: "api.yaml", State: source.FileValid}, {Path: "web.yaml", State: source.FileInvalid,
			LastGood: true, Errors: []spec.Problem{{Line: 3, Field: "kind", Message: "is missing"}, {Line: 4}, {Line: 5}}}},
	}).Stale
	want := map[string]string{"web": "web.yaml:3: kind: is missing; and 2 more: controller validate specs/web.yaml; the last good version stays in force"}
	if !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatIsNotReadIsNotCurrent(t *testing.T) {
	f := files{last: source.Snapshot{Err: errors.New("git is at work")}}
	if got := f.standing().unread; got != "not every spec file could be read: git is at work" {
		t.Errorf("it says %q", got)
	}
}
