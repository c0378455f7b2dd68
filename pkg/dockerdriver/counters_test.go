package dockerdriver

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// countersLine is what a sidecar says of one route.
func countersLine(route string, requests int64) []byte {
	c := routetable.RouteCounters{Route: route}
	c.Requests[1] = requests
	line, _ := routetable.CountersLine(5, []routetable.RouteCounters{c})
	return line
}

// TestWhatASidecarCountsIsHandedOnAndNothingElse writes lines, good and bad, between two reports.
func TestWhatASidecarCountsIsHandedOnAndNothingElse(t *testing.T) {
	d, s := speaking(t)
	var heard []string
	d.OnCounted(func(c reconcile.Counted) {
		if c.ContainerID != "c1" || c.SpecName != "web" || c.Counters.Run != 5 {
			t.Errorf("handed on is %+v", c)
		}
		for _, r := range c.Counters.Routes {
			heard = append(heard, fmt.Sprintf("%s %d", r.Route, r.Requests[1]))
		}
	})
	changes := 0
	notify := func(reconcile.Change) { changes++ }
	d.changed.Store(&notify)
	for _, line := range [][]byte{
		countersLine("/a", 1),
		routetable.Report{Event: routetable.EventReady, Generation: 1, Serving: true}.Line(),
		countersLine("/a", 2),
		countersLine("/b\x1b[2J", 3),
		countersLine("/b", -3),
		[]byte(`{"event":"counters","routes":`),
		[]byte(`{"event":"counters","routes":[{"route":"/c","requests":{"2xx":1}}]}`),
		[]byte("counters"),
		countersLine("", 4),
	} {
		d.take(s, line)
	}
	if diff := cmp.Diff([]string{"/a 1", "/a 2", " 4"}, heard); diff != "" {
		t.Errorf("(-wanted +handed on)\n%s", diff)
	}
	if changes != 1 || len(s.reports) != 1 {
		t.Errorf("%d changes were told, of %d reports", changes, len(s.reports))
	}
}

func TestCountersAreNoWord(t *testing.T) {
	d, s := speaking(t)
	d.take(s, countersLine("/a", 1)) // and nobody wants to know
	select {
	case <-s.spoke:
		t.Error("it counts as an answer")
	default:
	}
	if s.last() != nil {
		t.Errorf("it is taken for the report %+v", s.last())
	}
}

func TestTheEndOfARunIsHandedOn(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("running")
	f.attached(func(stdout, _ io.Writer) {
		_, _ = stdout.Write(routetable.Report{Event: routetable.EventReady, Generation: 1, Serving: true}.Line())
		_, _ = stdout.Write(countersLine("/a", 9))
	})
	d := f.driver()
	heard := make(chan reconcile.Counted, 10)
	d.OnCounted(func(c reconcile.Counted) { heard <- c })
	if _, err := d.Observe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := <-heard; c.Counters == nil || c.Counters.Routes[0].Requests[1] != 9 {
		t.Errorf("first %+v", c)
	}
	if c := <-heard; c.Counters != nil || c.ContainerID != "c1" || c.SpecName != "web" {
		t.Errorf("then %+v", c)
	}
}

// TestASidecarThatFloodsWithCountersIsHeldUp writes without end, and everything goes on.
func TestASidecarThatFloodsWithCountersIsHeldUp(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("running")
	f.answer("POST /containers/c1/kill", 204, nil)
	stalled := make(chan struct{})
	f.attached(func(stdout, _ io.Writer) {
		defer close(stalled)
		_, _ = stdout.Write(routetable.Report{Event: routetable.EventReady, Generation: 1, Serving: true}.Line())
		for i := range int64(1 << 20) {
			if _, err := stdout.Write(countersLine("/a", i)); err != nil {
				return
			}
		}
		t.Error("all of it was read")
	})
	d := f.driver()
	counted, cancel := context.WithCancel(t.Context())
	d.OnCounted(func(reconcile.Counted) { cancel() })
	o, err := d.Observe(t.Context())
	if err != nil || o.Sidecars[0].Report == nil {
		t.Fatalf("got %+v, %v", o, err)
	}
	<-counted.Done()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	<-stalled
}
