package reconcile

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func TestRingKeepsTheLastEventsInOrder(t *testing.T) {
	r := newRecorder(slog.New(slog.DiscardHandler))
	for i := range eventCapacity + 10 {
		r.normal("web", "Reloaded", fmt.Sprint(i), "")
	}
	got := r.list()
	if len(got) != eventCapacity || got[0].Message != "10" || got[len(got)-1].Message != fmt.Sprint(eventCapacity+9) {
		t.Errorf("%d events from %q to %q", len(got), got[0].Message, got[len(got)-1].Message)
	}
}

func TestARefusalThatRepeatsIsToldOnce(t *testing.T) {
	r := newRecorder(slog.New(slog.DiscardHandler))
	r.warn("web", ReasonTokenMissing, "env TOKEN")
	r.warn("web", ReasonTokenMissing, "env TOKEN")
	r.warn("api", ReasonTokenMissing, "env TOKEN")
	r.normal("web", "Created", "cred-proxy-web", "")
	r.warn("web", ReasonTokenMissing, "env TOKEN")
	if got := len(r.list()); got != 4 {
		t.Errorf("%d events, want 4", got)
	}
}

func TestEventsAreNumberedAfterThoseOfEarlierControllers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newRecorder(slog.New(slog.DiscardHandler))
		for range 10 {
			first.normal("web", "Reloaded", "cred-proxy-web", "")
		}
		time.Sleep(time.Second) // a restart
		second := newRecorder(slog.New(slog.DiscardHandler))
		second.warn("web", ReasonTokenMissing, "env TOKEN")
		second.normal("web", "Created", "cred-proxy-web", "")
		before, after := first.list(), second.list()
		if before[9].Sequence != before[0].Sequence+9 || after[1].Sequence != after[0].Sequence+1 {
			t.Errorf("the numbers have gaps: %+v, %+v", before, after)
		}
		if after[0].Sequence <= before[9].Sequence {
			t.Errorf("%d comes after %d", after[0].Sequence, before[9].Sequence)
		}
	})
}
