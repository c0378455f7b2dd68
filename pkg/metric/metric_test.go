package metric

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func steps() Family {
	return Family{
		Name: "any_steps_total", Type: Counter, Help: "Steps that were taken.", Constant: map[string]string{"controller": "any"},
		Labels: []Label{{Name: "step", Values: Values("make", "start")}, {Name: "result", Values: Values("success", "error")}},
	}
}

func TestWhatIsKnownBeforehandBeginsAtZero(t *testing.T) {
	want := `
# HELP any_steps_total Steps that were taken.
# TYPE any_steps_total counter
any_steps_total{controller="any",result="error",step="make"} 0
any_steps_total{controller="any",result="error",step="start"} 0
any_steps_total{controller="any",result="success",step="make"} 0
any_steps_total{controller="any",result="success",step="start"} 0
`
	if err := testutil.CollectAndCompare(steps().NewCounterVec(), strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func TestNothingIsMadeUpForALabelOfWhichNothingIsKnown(t *testing.T) {
	f := steps()
	f.Labels = append(f.Labels, Label{Name: "name"})
	for name, vec := range map[string]prometheus.Collector{
		"counter": f.NewCounterVec(), "gauge": f.NewGaugeVec(), "histogram": f.NewHistogramVec(),
	} {
		if n := testutil.CollectAndCount(vec); n != 0 {
			t.Errorf("a %s has %d series before one was counted", name, n)
		}
	}
}

func TestAHistogramHasItsBuckets(t *testing.T) {
	f := Family{Name: "any_seconds", Type: Histogram, Help: "Time.", Buckets: []float64{.5, 1}}
	h := f.NewHistogram()
	h.Observe(.75)
	want := `
# HELP any_seconds Time.
# TYPE any_seconds histogram
any_seconds_bucket{le="0.5"} 0
any_seconds_bucket{le="1"} 1
any_seconds_bucket{le="+Inf"} 1
any_seconds_sum 0.75
any_seconds_count 1
`
	if err := testutil.CollectAndCompare(h, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func TestAGaugeThatIsAskedForHasAllLabels(t *testing.T) {
	f := Family{
		Name: "any_expiry", Type: Gauge, Help: "When.", Constant: map[string]string{"controller": "any"}, Labels: []Label{{Name: "provider"}},
	}
	want := `
# HELP any_expiry When.
# TYPE any_expiry gauge
any_expiry{controller="any",provider="vault"} 3
`
	if err := testutil.CollectAndCompare(f.NewGaugeFunc(func() float64 { return 3 }, "vault"), strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"controller": "any"}, f.Constant); diff != "" {
		t.Errorf("the declaration was changed (-want +got):\n%s", diff)
	}
}
