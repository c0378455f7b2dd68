package reconcile

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/spec"
)

// Label values of metrics that are known beforehand; each starts at zero.
const (
	controllerName = "credproxy"

	resultSuccess      = "success"
	resultError        = "error"
	resultRequeue      = "requeue"
	resultRequeueAfter = "requeue_after"
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
	constant := prometheus.Labels{"controller": controllerName}
	m := &metrics{
		reconciles: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "controller_runtime_reconcile_total", ConstLabels: constant,
			Help: "Reconciliations by result.",
		}, []string{"result"}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "controller_runtime_reconcile_errors_total", ConstLabels: constant,
			Help: "Reconciliations that failed.",
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "controller_runtime_reconcile_time_seconds", ConstLabels: constant,
			Help:    "Time of one reconciliation.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, .75, 1, 2.5, 5, 10, 30, 60},
		}),
		active: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "controller_runtime_active_workers", ConstLabels: constant,
			Help: "Workers that reconcile now.",
		}),
		maxWorkers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "controller_runtime_max_concurrent_reconciles", ConstLabels: constant,
			Help: "Workers that may reconcile at a time.",
		}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "credproxy_step_duration_seconds",
			Help:    "Time of one step of a plan.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"step", "result"}),
		specToReady: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "credproxy_spec_to_ready_seconds",
			Help:    "Time from the first scan that saw a new spec until its sidecar was first ready.",
			Buckets: []float64{.1, .2, .3, .5, .75, 1, 2, 3, 5, 10, 30, 60},
		}),
		drift: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credproxy_drift_total",
			Help: "Departures from the declared state that were repaired, by kind.",
		}, []string{"kind"}),
		orphans: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "credproxy_orphans_removed_total",
			Help: "Sidecars removed because no spec declares them any more.",
		}),
		dockerUp: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "credproxy_docker_up",
			Help: "1 if the last look at the engine succeeded.",
		}),
		eventsUp: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "credproxy_event_stream_up",
			Help: "1 while the engine's event stream is open.",
		}),
	}
	reg.MustRegister(m.reconciles, m.errors, m.duration, m.active, m.maxWorkers, m.steps, m.specToReady, m.drift,
		m.orphans, m.dockerUp, m.eventsUp)
	m.zero()
	return m
}

// zero makes every series that is known beforehand appear, so that a first increase is seen as one.
func (m *metrics) zero() {
	for _, result := range []string{resultSuccess, resultError, resultRequeue, resultRequeueAfter} {
		m.reconciles.WithLabelValues(result)
	}
	for _, step := range StepNames() {
		m.steps.WithLabelValues(string(step), resultSuccess)
		m.steps.WithLabelValues(string(step), resultError)
	}
	for _, kind := range Drifts() {
		m.drift.WithLabelValues(string(kind))
	}
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
		condition: prometheus.NewDesc("credproxy_condition",
			"1 for the status that a spec's condition has, 0 for the others.", []string{"name", "type", "status"}, nil),
		findings: prometheus.NewDesc("credproxy_isolation_findings",
			"Things by which a spec's environment is not isolated, by severity.", []string{"name", "severity"}, nil),
		conflict: prometheus.NewDesc("credproxy_alias_conflict",
			"1 while another container, or another spec, claims a name of the sidecar's on its internal network.", []string{"name"}, nil),
		rejected: prometheus.NewDesc("credproxy_token_rejected_total",
			"Answers 401 of a route's upstream to a token that it took before.", []string{"name", "route"}, nil),
		sidecar: prometheus.NewDesc("credproxy_sidecars",
			"Sidecars of this instance at the last look, by state.", []string{"state"}, nil),
		pruneBlocked: prometheus.NewDesc("credproxy_prune_blocked",
			"Names whose sidecars would be removed, were that not blocked.", nil, nil),
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
			for _, s := range []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown} {
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
	counts := map[string]int{"running": 0, "starting": 0, "stopped": 0, "crashlooping": 0}
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
		return "crashlooping"
	case s.State == StateRunning && serving(s):
		return "running"
	case s.State == StateRunning || s.State == StateCreated:
		return "starting"
	default:
		return "stopped"
	}
}
