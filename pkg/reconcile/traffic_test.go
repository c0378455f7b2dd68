package reconcile

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// said is what a container's run says of one route: so many injections, and so many requests in flight.
func said(container, name string, run int64, route string, injections, inFlight int64) Counted {
	return Counted{ContainerID: container, SpecName: name, Counters: &routetable.Counters{
		Run: run, Routes: []routetable.RouteCounters{{Route: route, Injections: injections, InFlight: inFlight}},
	}}
}

func ended(container, name string) Counted { return Counted{ContainerID: container, SpecName: name} }

func TestCountsGoOnOverRuns(t *testing.T) {
	for name, c := range map[string]struct {
		said               []Counted
		injected, inFlight int64
	}{
		"one run":                         {[]Counted{said("a", "web", 1, "/r", 3, 2), said("a", "web", 1, "/r", 7, 1)}, 7, 1},
		"said twice":                      {[]Counted{said("a", "web", 1, "/r", 3, 1), said("a", "web", 1, "/r", 3, 1)}, 3, 1},
		"less than before":                {[]Counted{said("a", "web", 1, "/r", 7, 0), said("a", "web", 1, "/r", 3, 0), said("a", "web", 1, "/r", 8, 0)}, 8, 0},
		"a restart":                       {[]Counted{said("a", "web", 1, "/r", 7, 4), ended("a", "web"), said("a", "web", 2, "/r", 2, 1)}, 9, 1},
		"a restart that counted more":     {[]Counted{said("a", "web", 1, "/r", 7, 0), said("a", "web", 2, "/r", 9, 0)}, 16, 0},
		"a replacement":                   {[]Counted{said("a", "web", 1, "/r", 7, 2), said("b", "web", 2, "/r", 1, 3), said("a", "web", 1, "/r", 8, 1), ended("a", "web")}, 9, 3},
		"heard again":                     {[]Counted{said("a", "web", 1, "/r", 7, 1), ended("a", "web"), said("a", "web", 1, "/r", 9, 1)}, 9, 1},
		"another spec's":                  {[]Counted{said("a", "web", 1, "/r", 7, 1), said("b", "other", 1, "/r", 5, 1)}, 7, 1},
		"another route's":                 {[]Counted{said("a", "web", 1, "/r", 7, 1), said("a", "web", 1, "/s", 5, 1)}, 7, 1},
		"the end of what was never heard": {[]Counted{ended("b", "web"), said("a", "web", 1, "/r", 7, 0)}, 7, 0},
	} {
		t.Run(name, func(t *testing.T) {
			traffic := newTraffic()
			for _, c := range c.said {
				traffic.take(c)
			}
			found := traffic.of(map[string][]string{"web": {"/r"}})
			want := map[string][]counted{"web": {{RouteCounters: routetable.RouteCounters{Route: "/r", Injections: c.injected, InFlight: c.inFlight}}}}
			if diff := cmp.Diff(want, found, cmp.AllowUnexported(counted{})); diff != "" {
				t.Errorf("(-wanted +got)\n%s", diff)
			}
		})
	}
}

// TestASidecarThatSaysWhatItLikesIsBounded tells of more routes than there can be, in ever new runs, the most that can be read.
func TestASidecarThatSaysWhatItLikesIsBounded(t *testing.T) {
	traffic := newTraffic()
	for i := range 5000 {
		traffic.take(said("a", "web", int64(i), fmt.Sprintf("/%d", i%1000), 1<<53, 1<<53))
	}
	if n := len(traffic.sums["web"]); n != routetable.MaxCounted+1 || len(traffic.runs) != 1 {
		t.Errorf("%d routes of %d runs are kept", n, len(traffic.runs))
	}
	for range 3000 {
		traffic.take(said("a", "web", time.Now().UnixNano(), "/0", 1<<53, 0))
	}
	if sum := traffic.sums["web"]["/0"].Injections; sum < math.MaxInt64/4 {
		t.Errorf("the sum is %d", sum)
	}
	traffic.declare([]*spec.CredProxy{specOf("web", "/0", "/new")})
	traffic.take(said("a", "web", 1, "/new", 3, 0))
	if found := traffic.of(map[string][]string{"web": {"/new"}}); len(traffic.sums["web"]) != 2 || found["web"][0].Injections != 3 {
		t.Errorf("a route that is declared is counted as %+v", found)
	}
}

func specOf(name string, paths ...string) *spec.CredProxy {
	cp := &spec.CredProxy{}
	cp.Name = name
	for _, path := range paths {
		cp.Spec.Routes = append(cp.Spec.Routes, spec.Route{Path: path})
	}
	return cp
}

func TestWhatIsGoneForGoodIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		traffic, before := newTraffic(), newView(&Observation{At: time.Now()})
		traffic.take(said("a", "web", 1, "/r", 7, 0))
		traffic.take(said("b", "web", 1, "/r", 1, 0))
		traffic.take(ended("a", "web"))
		known := map[string]bool{"web": true}
		traffic.keep(before, known)
		if len(traffic.runs) != 2 {
			t.Error("a look from before its end has a run forgotten")
		}
		<-time.After(time.Second)
		there := newView(&Observation{At: time.Now(), Sidecars: []Sidecar{{ID: "a", SpecName: "web"}}})
		traffic.keep(there, known)
		if len(traffic.runs) != 2 {
			t.Error("a run is forgotten of which the container is there")
		}
		gone := newView(&Observation{At: time.Now()})
		traffic.keep(gone, nil)
		if len(traffic.runs) != 1 || traffic.sums["web"]["/r"].Injections != 8 {
			t.Errorf("left are %v, %v", traffic.runs, traffic.sums)
		}
		traffic.take(ended("b", "web"))
		<-time.After(time.Second)
		traffic.keep(newView(&Observation{At: time.Now()}), nil)
		if len(traffic.runs)+len(traffic.sums) != 0 {
			t.Errorf("left are %v, %v", traffic.runs, traffic.sums)
		}
	})
}

// busy is what sidecars of many specs have counted.
func busy(specs, routes int) (*traffic, map[string][]string) {
	t, declared := newTraffic(), map[string][]string{}
	for s := range specs {
		name := fmt.Sprintf("env-%d", s)
		declared[name] = []string{routetable.NoRoute}
		for r := range routes {
			declared[name] = append(declared[name], fmt.Sprintf("/route-%d", r))
		}
		for _, path := range declared[name] {
			c := routetable.RouteCounters{Route: path, Injections: 123456, RequestBytes: 1 << 30, ResponseBytes: 1 << 40, InFlight: 3}
			for i := range c.Requests {
				c.Requests[i] = int64(1000 * i)
			}
			for i := range c.Duration.Buckets {
				c.Duration.Buckets[i], c.FirstByte.Buckets[i] = int64(100*i), int64(90*i)
			}
			c.Refusals[routetable.RefusalReason("denied")] = 7
			t.take(Counted{ContainerID: name, SpecName: name, Counters: &routetable.Counters{Run: 1, Routes: []routetable.RouteCounters{c}}})
		}
	}
	return t, declared
}

// BenchmarkScrape200x5 is one scrape of the counters of 200 specs with 5 routes each.
func BenchmarkScrape200x5(b *testing.B) {
	t, declared := busy(200, 5)
	registry := prometheus.NewRegistry()
	registry.MustRegister(newTrafficCollector(t, func() map[string][]string { return declared }))
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	var page []byte
	b.ReportAllocs()
	for b.Loop() {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		page = answer.Body.Bytes()
	}
	b.ReportMetric(float64(bytes.Count(page, []byte("\n"))), "lines")
	b.ReportMetric(float64(len(page))/(1<<20), "MiB")
}

func TestTheTrafficsMetricsAreWellFormed(t *testing.T) {
	traffic, declared := busy(2, 2)
	problems, err := testutil.CollectAndLint(newTrafficCollector(traffic, func() map[string][]string { return declared }))
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
