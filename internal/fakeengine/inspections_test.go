package fakeengine

import (
	"errors"
	"testing"
	"testing/synctest"

	"credproxy.dev/controller/pkg/reconcile"
)

func TestAnInspectionThatFails(t *testing.T) {
	damaged := errors.New("layer is damaged")
	for name, fault := range map[string]func() Fault{
		"with an error":     func() Fault { return FailsBefore(damaged) },
		"without an answer": Hangs,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				id, err := s.driver.Create(t.Context(), s.request())
				s.noError(err)
				s.AddContainer(Foreign{Name: "agent", Image: "agent", Networks: map[string][]string{s.egress: {"proxy"}}})
				s.Inject(Inspect, 0, fault())
				o, err := s.driver.Observe(t.Context())
				s.noError(err)
				if len(o.Sidecars) != 0 || o.Unclear["web"] == nil {
					t.Errorf("our own is seen as %+v, unclear %v", o.Sidecars, o.Unclear)
				}
				if len(o.Others) != 1 || len(o.Others[0].Endpoints) != 1 || o.Others[0].Endpoints[0].Aliases != nil {
					t.Errorf("the other is seen as %+v", o.Others)
				}
				s.Heal()
				o, err = s.driver.Observe(t.Context())
				s.noError(err)
				if len(o.Sidecars) != 1 || o.Sidecars[0].ID != id || o.Unclear != nil || o.Others[0].Endpoints[0].Aliases == nil {
					t.Errorf("healed, it shows %+v", o)
				}
			})
		})
	}
}

func TestAnEngineThatGoesWhileItIsInspectedShowsNothing(t *testing.T) {
	s := newStage(t)
	_, err := s.driver.Create(t.Context(), s.request())
	s.noError(err)
	s.Inject(Inspect, 1, s.GoesAway())
	_, err = s.driver.Observe(t.Context())
	wants(t, err, reconcile.ErrEngineUnavailable)
}
