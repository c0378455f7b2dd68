package policyfile

import (
	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/metric"
)

// metrics say whether the policy in force is what the file says.
type metrics struct{ valid, reloaded prometheus.Gauge }

// Metrics are those of the policy's file.
func Metrics() []metric.Family { return []metric.Family{policyValid(), policyReloaded()} }

func policyValid() metric.Family {
	return metric.Family{
		Name: "credproxy_policy_valid", Type: metric.Gauge,
		Help: "1 while what the policy's file says is in force, also when there is no policy; 0 while the file is bad.",
		More: "Then the last good version of the [policy](policy.md) stays in force, or without one nothing is delivered.",
	}
}

func policyReloaded() metric.Family {
	return metric.Family{
		Name: "credproxy_policy_last_reload_success_timestamp_seconds", Type: metric.Gauge,
		Help: "When a good policy was last read that differed from the one before, in seconds since 1970; 0 before the first.",
	}
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{valid: policyValid().NewGauge(), reloaded: policyReloaded().NewGauge()}
	reg.MustRegister(m.valid, m.reloaded)
	return m
}

// took notes how a version was taken.
func (m *metrics) took(err error) {
	if err != nil {
		m.valid.Set(0)
		return
	}
	m.valid.Set(1)
	m.reloaded.SetToCurrentTime()
}
