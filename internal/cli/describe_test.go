package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/ptytest"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// described is a spec with all that a description tells of.
func described(t *testing.T, now time.Time) (spec.CredProxy, []reconcile.Event) {
	t.Helper()
	decoded := spec.Decode("web.yaml", []byte(goodSpec+`    auth: {scheme: Bearer, tokenRef: {env: WEB_TOKEN}}
  - path: /maps
    upstream: https://maps.example.org
    auth: {scheme: Custom, tokens: {a: {file: app}, b: {provider: vault, key: user}}, query: [{name: k, value: "{a}{b}"}]}
  - {path: /keyed, upstream: "https://keyed.example.org", auth: {scheme: Header, header: X-Api-Key, tokenRef: {env: WEB_TOKEN}}}
  - {path: /open, upstream: "https://open.example.org"}
  callerAuth: {keyRef: {file: web-key}}
`), spec.Options{})
	if len(decoded.Problems) > 0 {
		t.Fatal(decoded.Problems)
	}
	one := *decoded.Objects[0].CredProxy
	at := func(ago time.Duration) metav1.Time { return metav1.NewTime(now.Add(-ago)) }
	one.Status = &spec.CredProxyStatus{
		URL: "http://cred-proxy:9099", ContainerName: "cred-proxy-web", ContainerID: "0123456789abcdef", WithheldRoutes: []string{"/maps"},
		NextAttemptTime: ptr(at(-20 * time.Second)), LastError: "the last\x1b[2J attempt failed",
		Tokens: []spec.TokenStatus{
			{Ref: spec.TokenRef{Env: "WEB_TOKEN"}, Reason: "Resolved", ChangeTime: ptr(at(3 * time.Hour)), ExpirationTime: ptr(at(-30 * time.Minute))},
			{Ref: spec.TokenRef{File: "app"}, Reason: "TokenMissing", Message: "file app\x1b is not there", ExpirationTime: ptr(at(time.Minute))},
		},
		PlannedSteps: []spec.PlannedStep{{Step: "copy_routes", Target: "cred-proxy-web", Cause: "a token changed at its source"}},
		PlannedChanges: []spec.PlannedChange{
			{Change: spec.ChangeModify, Object: spec.ChangedRoute, Name: "/maps", Field: "upstream", Before: "https://old\x1b.example.org", After: "https://maps.example.org"},
			{Change: spec.ChangeRemove, Object: spec.ChangedNetwork, Name: "web-old"},
		},
		Conditions: []metav1.Condition{
			{Type: "Ready", Status: "True", Reason: "Running", Message: "the sidecar serves", LastTransitionTime: at(5 * time.Minute)},
			{Type: "Isolated", Status: "False", Reason: "MaySpoof", LastTransitionTime: at(3 * time.Hour),
				Message: "container \"other\" may pose as the sidecar on network \"web-internal\", since it has the capability NET_RAW"},
			{Type: "Permitted", Status: "Unknown"},
		},
	}
	events := []reconcile.Event{
		{Time: now.Add(-2 * time.Hour), Name: "api", Type: "Normal", Reason: "Started", Message: "not of this one"},
		{Time: now.Add(-time.Hour), Name: "web", Type: "Normal", Reason: "Started", Message: "started container cred-proxy-web", Cause: "there is none"},
		{Time: now.Add(-time.Minute), Name: "web", Type: "Warning", Reason: "TokenMissing", Message: "env WEB_TOKEN\x1b[2J has no value"},
	}
	return one, events
}

func ptr(t metav1.Time) *metav1.Time { return &t }

func TestOneIsDescribedInWords(t *testing.T) {
	now := time.Now()
	one, events := described(t, now)
	d := description{screen: &screen{Writer: &strings.Builder{}}, now: now}
	d.item(one)
	d.events("web", events)
	want := `Name:        web
Ready:       True: Running
URL:         http://cred-proxy:9099
Container:   cred-proxy-web (0123456789ab)
Networks:    web-internal inside, web-egress outside
Delivery:    File
Limits:      64Mi memory, 1 CPUs, 64 processes
Callers:     those who show the key of file web-key
Routes:
  PATH         UPSTREAM                    CREDENTIAL
  /anthropic   https://api.anthropic.com   Bearer, env WEB_TOKEN
  /maps        https://maps.example.org    Custom, file app, provider vault key user (withheld)
  /keyed       https://keyed.example.org   X-Api-Key from env WEB_TOKEN
  /open        https://open.example.org    none
Tokens:
  TOKEN           AGE   ENDS      STATE
  env WEB_TOKEN   3h    in 30m    Resolved
  file app        -     60s ago   TokenMissing: file app� is not there
Conditions:
  TYPE            STATUS  AGE    REASON
  Ready           True    5m     Running
    the sidecar serves
  Isolated        False   3h     MaySpoof
    container "other" may pose as the sidecar on network "web-internal", since it has the capability NET_RAW
  Permitted       Unknown        
Next steps:
  copy_routes    cred-proxy-web (a token changed at its source)
What they change:
  ~ route /maps upstream: https://old�.example.org → https://maps.example.org
  - network web-old
Next try:    in 20s
Last error:  the last�[2J attempt failed
Events:
  AGE    TYPE    REASON
  60m    Normal  Started
    started container cred-proxy-web (there is none)
  60s    Warning TokenMissing
    env WEB_TOKEN�[2J has no value
`
	if diff := cmp.Diff(want, d.b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestADescriptionFitsIntoATerminal(t *testing.T) {
	now := time.Now()
	one, events := described(t, now)
	pty := ptytest.Open(t, 60, 24)
	d := description{screen: &screen{Writer: pty.Out}, now: now}
	d.item(one)
	d.events("web", events)
	for line := range strings.Lines(d.b.String()) {
		if len([]rune(strings.TrimRight(line, "\n"))) > 60 {
			t.Errorf("%q is too wide", line)
		}
	}
	if want := "    container \"other\" may pose as the sidecar on network\n    \"web-internal\", since it has the capability NET_RAW\n"; !strings.Contains(d.b.String(), want) {
		t.Errorf("no %q in:\n%s", want, d.b.String())
	}
}

func TestANameThatNobodyDeclaresAnyMoreIsDescribedByWhatIsLeft(t *testing.T) {
	d := description{screen: &screen{Writer: &strings.Builder{}}, now: time.Now()}
	left := spec.CredProxy{}
	left.Name = "gone"
	d.item(left)
	d.events("gone", nil)
	want := "Name:        gone\nReady:       Unknown\nConditions:\n  the controller has not looked at it yet\nEvents:      none are kept\n"
	if diff := cmp.Diff(want, d.b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
