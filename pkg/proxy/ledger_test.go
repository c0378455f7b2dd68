package proxy

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// counts reads the next line of counters, over reports.
func (s *started) counts(t *testing.T) routetable.Counters {
	t.Helper()
	for s.reports.Scan() {
		if c, err := routetable.ParseCounters(s.reports.Bytes()); err == nil {
			return c
		}
	}
	t.Fatalf("no more counters; log: %s", s.log)
	return routetable.Counters{}
}

// wantCounts reads the next line, which has to be of routes in order with so many requests each.
func (s *started) wantCounts(t *testing.T, want string) {
	t.Helper()
	got := ""
	for _, c := range s.counts(t).Routes {
		n := int64(0)
		for _, class := range c.Requests {
			n += class
		}
		got += fmt.Sprintf("%s=%d ", c.Route, n)
	}
	if got != want {
		t.Errorf("told is %q, want %q", got, want)
	}
}

func TestCountersAreToldWhenTheyChangeAndWhenAsked(t *testing.T) {
	onPipes(t, internal(), ok, func(t *testing.T, s *started, network *pipes) {
		s.wantCounts(t, "=0 /r=0 ")
		begun := time.Now()
		client := newTalk(network.dial(t))
		client.ask(t)
		client.ask(t)
		s.wantCounts(t, "/r=2 ")
		if after := time.Since(begun); after > countersPause {
			t.Errorf("they are told after %v", after)
		}
		// Nothing is told while nothing changes.
		<-time.After(time.Hour)
		begun = time.Now()
		client = newTalk(network.dial(t))
		client.ask(t)
		s.wantCounts(t, "/r=3 ")
		if time.Since(begun) > countersPause {
			t.Error("another line came before it")
		}
		s.signals <- syscall.SIGUSR1
		s.wantCounts(t, "=0 /r=3 ")
		s.push(t, seal(t, 2, routetable.Route{Path: "/r", Upstream: "http://b.test"}, routetable.Route{Path: "/s", Upstream: "http://b.test"}))
		s.signals <- syscall.SIGHUP
		s.wantCounts(t, "=0 /r=3 /s=0 ")
		newTalk(network.dial(t)).ask(t)
		s.signals <- syscall.SIGTERM
		s.wantCounts(t, "/r=4 ")
		if err := <-s.done; err != nil {
			t.Error(err)
		}
	})
}

// TestCountersOfManyRoutesLeaveRoomForReports has nobody read until there is more to tell than there is room for.
func TestCountersOfManyRoutesLeaveRoomForReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startOn(t, newPipes(internal()), always(upstreamFunc(ok)), nil)
		var routes []routetable.Route
		for i := range routetable.MaxCounted {
			routes = append(routes, routetable.Route{Path: fmt.Sprintf("/%d", i), Upstream: "http://a.test"})
		}
		s.push(t, seal(t, 1, routes...))
		<-time.After(time.Minute)
		s.signals <- syscall.SIGUSR1
		s.wantReport(t, ready(1))
		seen, reports := map[string]bool{}, 0
		for len(seen) < routetable.MaxCounted+1 && s.reports.Scan() {
			c, err := routetable.ParseCounters(s.reports.Bytes())
			if err != nil {
				r, _ := routetable.ParseReport(s.reports.Bytes())
				reports += int(1 + r.Dropped*1000)
			}
			for _, route := range c.Routes {
				seen[route.Route] = true
			}
		}
		if len(seen) != routetable.MaxCounted+1 || reports != 1 {
			t.Errorf("%d routes were told, and %d reports", len(seen), reports)
		}
	})
}

func TestTheSpecIsKnownFromTheEnvironment(t *testing.T) {
	m := newMachine(internal())
	upstream := newRecorder(t)
	s := start(t, m, map[string]string{routetable.SpecVariable: "my-\"web"})
	s.push(t, seal(t, 1, routeTo(upstream.URL)))
	s.wantReport(t, ready(1))
	if res, _ := get(t, "http://"+m.addr(internal())+"/r/x"); res.StatusCode != http.StatusOK {
		t.Fatalf("status %d", res.StatusCode)
	}
	if line := requestLines(t, s.log, 1)[0]; line["spec"] != "my-\"web" {
		t.Errorf("logged is %v", line)
	}
}
