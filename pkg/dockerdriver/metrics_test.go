package dockerdriver

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestEveryOperationBeginsAtZero(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := newMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	if n := testutil.CollectAndCount(m.requests); n != 2*len(usualCodes()) {
		t.Errorf("%d series of %d operations", n, len(usualCodes()))
	}
	for op, n := range requests(t, registry) {
		if n != 0 {
			t.Errorf("%s begins at %v", op, n)
		}
	}
	if _, err := newMetrics(registry); err == nil {
		t.Error("two drivers share one registry")
	}
}

func TestRequestsAreCountedByWhatCameOfThem(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("GET /containers/json", http.StatusInternalServerError, failure("broken"))
	registry := prometheus.NewRegistry()
	d := f.driver(func(o *Options) { o.Registerer = registry })
	_, _ = d.Observe(t.Context())
	f.server.CloseClientConnections()
	f.server.Listener.Close()
	_, _ = d.Observe(t.Context())
	for code, want := range map[string]float64{"500": 1, "error": 1, "200": 0} {
		if got := testutil.ToFloat64(d.metrics.requests.WithLabelValues("container_list", code)); got != want {
			t.Errorf("%s: got %v, want %v", code, got, want)
		}
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "instance") {
		t.Errorf("got %v", err)
	}
}
