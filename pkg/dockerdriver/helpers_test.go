package dockerdriver

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// requests are the counts of requests by operation, whatever came of them.
func requests(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "credproxy_docker_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "operation" {
					counts[label.GetValue()] += m.GetCounter().GetValue()
				}
			}
		}
	}
	return counts
}

// difference is what was requested between two counts.
func difference(after, before map[string]float64) map[string]float64 {
	made := map[string]float64{}
	for op, n := range after {
		if n != before[op] {
			made[op] = n - before[op]
		}
	}
	return made
}

// mentions reports whether an error's words hold all of some others.
func mentions(err error, words ...string) bool {
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			return false
		}
	}
	return true
}
