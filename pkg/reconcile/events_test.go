package reconcile

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

func TestRingKeepsTheLastEventsInOrder(t *testing.T) {
	r := newRecorder(slog.New(slog.DiscardHandler), func() {})
	for i := range eventCapacity + 10 {
		r.did(Event{Name: "web", Type: eventNormal, Reason: "Reloaded", Message: fmt.Sprint(i)})
	}
	got := r.list()
	if len(got) != eventCapacity || got[0].Message != "10" || got[len(got)-1].Message != fmt.Sprint(eventCapacity+9) {
		t.Errorf("%d events from %q to %q", len(got), got[0].Message, got[len(got)-1].Message)
	}
}

func TestARefusalThatRepeatsIsToldOnce(t *testing.T) {
	r := newRecorder(slog.New(slog.DiscardHandler), func() {})
	r.warn("web", ReasonTokenMissing, "env TOKEN")
	r.warn("web", ReasonTokenMissing, "env TOKEN")
	r.warn("api", ReasonTokenMissing, "env TOKEN")
	r.did(Event{Name: "web", Type: eventNormal, Reason: "Created", Message: "cred-proxy-web"})
	r.warn("web", ReasonTokenMissing, "env TOKEN")
	if got := len(r.list()); got != 4 {
		t.Errorf("%d events, want 4", got)
	}
}

func TestEventsAreNumberedAfterThoseOfEarlierControllers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newRecorder(slog.New(slog.DiscardHandler), func() {})
		for range 10 {
			first.did(Event{Name: "web", Type: eventNormal, Reason: "Reloaded", Message: "cred-proxy-web"})
		}
		time.Sleep(time.Second) // a restart
		second := newRecorder(slog.New(slog.DiscardHandler), func() {})
		second.warn("web", ReasonTokenMissing, "env TOKEN")
		second.did(Event{Name: "web", Type: eventNormal, Reason: "Created", Message: "cred-proxy-web"})
		before, after := first.list(), second.list()
		if before[9].Sequence != before[0].Sequence+9 || after[1].Sequence != after[0].Sequence+1 {
			t.Errorf("the numbers have gaps: %+v, %+v", before, after)
		}
		if after[0].Sequence <= before[9].Sequence {
			t.Errorf("%d comes after %d", after[0].Sequence, before[9].Sequence)
		}
	})
}

// The engine starts a sidecar that ends again by itself, so that no step tells of either.
func TestASidecarThatKeepsEndingAndComesBackIsToldOnceEach(t *testing.T) {
	c := New(nil, nil, Options{}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	cp := newWorld().spec
	c.statuses.declare(Declared{Specs: []*spec.CredProxy{cp}})
	look := func(s Sidecar) {
		found := verdict{spec: cp, sidecar: &s}
		c.tellRefusal("web", found)
		c.settle("web", found, false)
	}
	serving := Sidecar{State: StateRunning, Report: &routetable.Report{Serving: true}}
	look(serving)
	for restarts := range 3 {
		look(Sidecar{State: StateRestarting, ExitCode: 1, RestartCount: restarts})
	}
	look(Sidecar{State: StateRunning, RestartCount: 1}) // and has not answered yet
	look(serving)
	look(serving)
	var told []string
	for _, e := range c.Events() {
		told = append(told, e.Type+" "+e.Reason+" "+e.Cause)
	}
	if want := []string{"Warning CrashLooping ", "Normal Recovered it was CrashLooping"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
