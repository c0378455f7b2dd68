package reconcile

import (
	"fmt"
	"log/slog"
	"testing"
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
