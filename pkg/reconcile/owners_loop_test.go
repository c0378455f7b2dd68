package reconcile_test

import (
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// making is an environment whose networks the controller makes.
func making(name string, change ...func(*spec.CredProxySpec)) *spec.CredProxy {
	cp := edited(environment(name), func(s *spec.CredProxySpec) { s.CreateNetworks = true })
	for _, c := range change {
		cp = edited(cp, c)
	}
	return cp
}

// A name of which a network is left, since somebody is on it, is listed with that reason, told once, and let go the moment
// the network is free.
func TestANetworkThatOthersAreOnIsSaidAndGoesWhenItIsFree(t *testing.T) {
	for how, free := range map[string]func(s *stage, agent, network string){
		"disconnected": func(s *stage, agent, network string) { s.engine.DisconnectContainer(agent, network) },
		"removed":      func(s *stage, agent, _ string) { s.engine.RemoveContainer(agent, true) },
	} {
		t.Run(how, func(t *testing.T) {
			play(t, func(s *stage) {
				s.declare(making("web"))
				network := s.network("web-internal")
				agent := s.engine.AddContainer(fakeengine.Foreign{Name: "agent", Networks: map[string][]string{network: nil}})
				s.declare()
				s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonNetworkInUse)
				later(5 * time.Minute)
				s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonNetworkInUse)
				if n := s.count(reconcile.ReasonNetworkInUse); n != 1 {
					t.Errorf("it was told %d times", n)
				}
				if left := s.engine.Snapshot(); len(left.Networks) != 1 || len(left.Volumes) != 0 {
					t.Errorf("left behind: %v %v", left.Networks, left.Volumes)
				}
				free(s, agent, network)
				s.settle()
				if left := s.engine.Snapshot(); len(left.Networks) != 0 {
					t.Errorf("left behind: %v", left.Networks)
				}
				if all := s.List(); len(all) != 0 {
					t.Errorf("still listed: %v", all)
				}
			})
		})
	}
}

// Who runs a controller anew finds what an earlier one could not remove, and who is on it.
func TestANetworkInUseIsFoundByALaterController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := fakeengine.New(time.Millisecond)
		newStage(t, engine, defaultOptions()).runs(func(s *stage) {
			s.declare(making("web"), making("other"))
			s.engine.AddContainer(fakeengine.Foreign{Name: "agent", Networks: map[string][]string{s.network("web-internal"): nil}})
			s.declare(making("other"))
		})
		newStage(t, engine, defaultOptions()).runs(func(s *stage) {
			s.declare(making("other"))
			s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonNetworkInUse)
			s.engine.RemoveNetwork(s.network("web-internal"))
			s.settle()
			if all := s.List(); len(all) != 1 {
				t.Errorf("still listed: %v", all)
			}
		})
	})
}

// A network that was made for a spec is not given to another one, until it was removed with the spec.
func TestANetworkIsMadeForOneSpecAlone(t *testing.T) {
	play(t, func(s *stage) {
		second := making("second", func(s *spec.CredProxySpec) { s.EgressNetwork = "first-egress" })
		s.declare(making("first"), second)
		s.wantReady("first", metav1.ConditionTrue, reconcile.ReasonRunning)
		s.wantReady("second", metav1.ConditionFalse, reconcile.ReasonNetworkConflict)
		if left := s.engine.Snapshot(); len(left.Networks) != 2 {
			t.Errorf("made: %v", left.Networks)
		}
		s.declare(second)
		s.settle()
		s.wantReady("second", metav1.ConditionTrue, reconcile.ReasonRunning)
	})
}

// count is how many events have a reason.
func (s *stage) count(reason string) (n int) {
	for _, e := range s.Events() {
		if e.Reason == reason {
			n++
		}
	}
	return n
}
