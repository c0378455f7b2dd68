package proxy

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

const unconnected = "is the sidecar connected"

func TestSidecarOnEgressAloneSaysThatItIsLoaded(t *testing.T) {
	egress := Place{3, "eth1", addrOf("10.9.9.9")}
	onPipes(t, egress, ok, func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, routetable.Report{Event: routetable.EventLoaded, Generation: 1, Error: unconnected})
		s.push(t, seal(t, 2, routetable.Route{Path: "/r", Upstream: "http://b.test"}))
		s.signals <- syscall.SIGHUP
		s.wantReport(t, routetable.Report{Event: routetable.EventReloaded, Generation: 2, Error: unconnected})
		network.change(egress, internal())
		s.wantReport(t, ready(2))
		newTalk(network.dial(t)).ask(t)
	})
}

func TestLoadedIsSaidOnceWhoeverAskedForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startOn(t, newPipes(Place{3, "eth1", addrOf("10.9.9.9")}), always(upstreamFunc(ok)), nil)
		synctest.Wait()
		// Before the volume is looked at again.
		s.push(t, seal(t, 1, routetable.Route{Path: "/r", Upstream: "http://a.test"}))
		s.signals <- syscall.SIGHUP
		s.wantReport(t, routetable.Report{Event: routetable.EventLoaded, Generation: 1, Error: unconnected})
		<-time.After(10 * backstopPoll)
		s.signals <- syscall.SIGUSR1
		s.wantReport(t, unasked(1, unconnected))
	})
}

// TestFlickeringInterfaceIsReportedInModeration takes the interface away and gives it back again and again.
func TestFlickeringInterfaceIsReportedInModeration(t *testing.T) {
	onPipes(t, internal(), ok, func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		begun := time.Now()
		heard := make(chan routetable.Report, 100)
		go func() {
			for s.reports.Scan() {
				if r, err := routetable.ParseReport(s.reports.Bytes()); err == nil {
					heard <- r
				}
			}
		}()
		for range 50 {
			network.change()
			<-time.After(35 * time.Millisecond)
			network.change(internal())
			<-time.After(35 * time.Millisecond)
		}
		network.change()
		<-time.After(2 * tellAgain)
		if most := int(time.Since(begun)/tellAgain) + 1; len(heard) > most || len(heard) == 0 {
			t.Errorf("%d reports, at most %d wanted", len(heard), most)
		}
		var last routetable.Report
		for len(heard) > 0 {
			last = <-heard
		}
		if last.Serving || last.Event != routetable.EventState || last.Generation != 1 || last.Error == "" {
			t.Errorf("the last report says %+v", last)
		}
		network.change(internal())
		if r := <-heard; !r.Serving || r.Event != routetable.EventState || r.Error != "" {
			t.Errorf("when it is back: %+v", r)
		}
	})
}

// TestChangeIsToldOnceSomebodyListens lets the reports before it be dropped.
func TestChangeIsToldOnceSomebodyListens(t *testing.T) {
	onPipes(t, internal(), ok, func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		for range 2 * reportQueueBytes / 200 {
			s.signals <- syscall.SIGUSR1
		}
		network.change()
		<-time.After(time.Second)
		for r := s.heard(t); r.Serving; r = s.heard(t) {
			if r.Event != routetable.EventState {
				t.Fatalf("got %+v", r)
			}
		}
	})
}
