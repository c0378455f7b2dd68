package reconcile

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/spec"
)

// States of sidecars, as metrics name them.
const (
	sidecarRunning      = "running"
	sidecarStarting     = "starting"
	sidecarStopped      = "stopped"
	sidecarCrashLooping = "crashlooping"
)

// metrics are the loop's own. The registry is handed in.
type metrics struct {
	reconciles  *prometheus.CounterVec
	errors      prometheus.Counter
	duration    prometheus.Histogram
	active      prometheus.Gauge
	maxWorkers  prometheus.Gauge
	steps       *prometheus.HistogramVec
	specToReady prometheus.Histogram
	drift       *prometheus.CounterVec
	orphans     prometheus.Counter
	dockerUp    prometheus.Gauge
	eventsUp    prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		reconciles:  reconcileTotal().NewCounterVec(),
		errors:      reconcileErrors().NewCounter(),
		duration:    reconcileTime().NewHistogram(),
		active:      activeWorkers().NewGauge(),
		maxWorkers:  maxWorkers().NewGauge(),
		steps:       stepDuration().NewHistogramVec(),
		specToReady: specToReady().NewHistogram(),
		drift:       driftTotal().NewCounterVec(),
		orphans:     orphansRemoved().NewCounter(),
		dockerUp:    dockerUp().NewGauge(),
		eventsUp:    eventStreamUp().NewGauge(),
	}
	reg.MustRegister(m.reconciles, m.errors, m.duration, m.active, m.maxWorkers, m.steps, m.specToReady, m.drift,
		m.orphans, m.dockerUp, m.eventsUp)
	return m
}

func (m *metrics) step(name StepName, began time.Time, err error) {
	result := resultSuccess
	if err != nil {
		result = resultError
	}
	m.steps.WithLabelValues(string(name), result).Observe(time.Since(began).Seconds())
}

// stateCollector tells, at each scrape, the state of what is declared and observed; so a spec's series go when
// the spec goes.
type stateCollector struct {
	statuses *statuses
	sidecars func() map[string]int
	blocked  func() int

	condition, findings, conflict, rejected, sidecar, pruneBlocked *prometheus.Desc
}

func newStateCollector(s *statuses, sidecars func() map[string]int, blocked func() int) *stateCollector {
	return &stateCollector{
		statuses: s, sidecars: sidecars, blocked: blocked,
		condition: conditionGauge().NewDesc(), findings: isolationFindings().NewDesc(), conflict: aliasConflict().NewDesc(),
		rejected: tokenRejected().NewDesc(), sidecar: sidecarsGauge().NewDesc(), pruneBlocked: pruneBlocked().NewDesc(),
	}
}

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.condition
	ch <- c.findings
	ch <- c.conflict
	ch <- c.rejected
	ch <- c.sidecar
	ch <- c.pruneBlocked
}

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	for state, n := range c.sidecars() {
		ch <- prometheus.MustNewConstMetric(c.sidecar, prometheus.GaugeValue, float64(n), state)
	}
	ch <- prometheus.MustNewConstMetric(c.pruneBlocked, prometheus.GaugeValue, float64(c.blocked()))
	c.statuses.each(func(name string, status *spec.CredProxyStatus) {
		for _, cond := range status.Conditions {
			for _, s := range conditionStatuses() {
				ch <- prometheus.MustNewConstMetric(c.condition, prometheus.GaugeValue, oneIf(cond.Status == s), name, cond.Type, string(s))
			}
		}
	})
	c.statuses.eachBounds(func(name string, b bounds) {
		ch <- prometheus.MustNewConstMetric(c.conflict, prometheus.GaugeValue, oneIf(b.conflict), name)
		for _, s := range Severities() {
			ch <- prometheus.MustNewConstMetric(c.findings, prometheus.GaugeValue, float64(b.count(s)), name, string(s))
		}
	})
	c.statuses.eachRejected(func(name, route string, total float64) {
		ch <- prometheus.MustNewConstMetric(c.rejected, prometheus.CounterValue, total, name, route)
	})
}

func oneIf(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

// sidecarStates counts a view's sidecars as the metric names them.
func sidecarStates(v *view) map[string]int {
	counts := map[string]int{sidecarRunning: 0, sidecarStarting: 0, sidecarStopped: 0, sidecarCrashLooping: 0}
	if v == nil {
		return counts
	}
	for _, sidecars := range v.sidecars {
		for _, s := range sidecars {
			counts[sidecarState(s)]++
		}
	}
	return counts
}

func sidecarState(s Sidecar) string {
	switch {
	case verdict{sidecar: &s}.crashing():
		return sidecarCrashLooping
	case s.State == StateRunning && serving(s):
		return sidecarRunning
	case s.State == StateRunning || s.State == StateCreated:
		return sidecarStarting
	default:
		return sidecarStopped
	}
}
