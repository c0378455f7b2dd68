package reconcile_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/spec"
)

// series are the values of a metric by its labels but for the name, such as "route=/api code=2xx"; of a histogram, its counts.
func (s *stage) series(metric, name string) map[string]float64 {
	s.t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		if family.GetName() != metric {
			continue
		}
		for _, m := range family.GetMetric() {
			labels, of := []string{}, ""
			for _, pair := range m.GetLabel() {
				if pair.GetName() == "name" {
					of = pair.GetValue()
				} else {
					labels = append(labels, pair.GetName()+"="+pair.GetValue())
				}
			}
			if of == name {
				found[strings.Join(labels, " ")] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return found
}

// wantCounted holds how many requests of the one route were answered with success, by each metric that counts them.
func (s *stage) wantCounted(name string, want float64) {
	s.t.Helper()
	if got := s.series("credproxy_requests_total", name)["code=2xx route=/api"]; got != want {
		s.t.Errorf("%v requests of %s are counted, want %v", got, name, want)
	}
	for _, metric := range []string{"credproxy_injections_total", "credproxy_request_duration_seconds", "credproxy_time_to_first_byte_seconds"} {
		if got := s.series(metric, name)["route=/api"]; got != want {
			s.t.Errorf("%s of %s is %v, want %v", metric, name, got, want)
		}
	}
}

func TestRequestsAreCountedOnceOverReloadRestartAndReplacement(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		s.wantCounted("web", 0)
		s.answers(200, 200, 200)
		s.wantCounted("web", 3)
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "two") // a reload
		later(time.Minute)
		s.answers(200)
		s.wantCounted("web", 4)
		made := s.container("web").ID
		s.engine.KillContainer(made)
		s.settle()
		s.answers(200)
		s.wantCounted("web", 5)
		s.declare(edited(web, func(s *spec.CredProxySpec) { s.Hostname = "other" }))
		if s.container("web").ID == made {
			t.Fatal("it was not replaced")
		}
		s.answers(200)
		s.wantCounted("web", 6)
	})
}

func TestSeriesGoWhenTheRouteOrTheSpecGoes(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		two := edited(web, func(s *spec.CredProxySpec) {
			s.Routes = append(s.Routes, spec.Route{Path: "/open", Upstream: "https://open.example.com"})
		})
		s.declare(two)
		s.answers(200)
		if got := s.series("credproxy_requests_in_flight", "web"); !maps.Equal(got, map[string]float64{"route=/api": 0, "route=/open": 0}) {
			t.Errorf("in flight are %v", got)
		}
		if got := s.series("credproxy_requests_total", "web"); len(got) != 3*6 {
			t.Errorf("requests are %v", got)
		}
		s.declare(web)
		if got := s.series("credproxy_requests_in_flight", "web"); !maps.Equal(got, map[string]float64{"route=/api": 0}) {
			t.Errorf("without a route, in flight are %v", got)
		}
		s.wantCounted("web", 1)
		s.declare()
		for _, metric := range []string{"credproxy_requests_total", "credproxy_requests_in_flight", "credproxy_request_duration_seconds"} {
			if got := s.series(metric, "web"); len(got) > 0 {
				t.Errorf("without the spec, %s is %v", metric, got)
			}
		}
	})
}

func TestWhatIsInFlightEndsWithTheProcess(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.engine.InFlight(s.container("web").ID, "/api", 7)
		if got := s.series("credproxy_requests_in_flight", "web")["route=/api"]; got != 7 {
			t.Errorf("%v are in flight", got)
		}
		s.engine.KillContainer(s.container("web").ID)
		s.settle()
		if got := s.series("credproxy_requests_in_flight", "web")["route=/api"]; got != 0 {
			t.Errorf("%v are in flight after its end", got)
		}
	})
}

// TestCountingCostsNothing counts what the engine is asked, and what is reconciled.
func TestCountingCostsNothing(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.environment("web"))
		s.engine.ResetCalls()
		before := s.reconciled()
		for range 20 {
			s.answers(200, 302, 500)
		}
		if calls := s.engine.Calls(); !maps.Equal(calls, map[fakeengine.Verb]int{}) || s.reconciled() != before {
			t.Errorf("it takes %v and %v looks", calls, s.reconciled()-before)
		}
		if got := s.series("credproxy_requests_total", "web"); got["code=2xx route=/api"] != 20 || got["code=5xx route=/api"] != 20 {
			t.Errorf("counted are %v", got)
		}
	})
}

func (s *stage) reconciled() (n float64) {
	s.t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "controller_runtime_reconcile_total" {
			for _, m := range family.GetMetric() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

func TestANewControllerGoesOnFromWhatSidecarsCounted(t *testing.T) {
	play(t, func(s *stage) {
		web := s.environment("web")
		s.declare(web)
		s.answers(200, 200)
		next := newStage(s.t, s.engine, defaultOptions())
		next.runs(func(next *stage) {
			if got := next.series("credproxy_requests_total", "web"); len(got) != 0 {
				t.Errorf("before it has heard of it, it tells of %v", got)
			}
			next.declare(web)
			next.wantCounted("web", 2)
		})
	})
}
