package policyfile

import "github.com/prometheus/client_golang/prometheus"

// metrics say whether the policy in force is what the file says.
type metrics struct{ valid, reloaded prometheus.Gauge }

const validHelp = "1 while what the policy's file says is in force, also when there is no policy; 0 while the file is bad."

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		valid: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "credproxy_policy_valid",
			Help: validHelp,
		}),
		reloaded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "credproxy_policy_last_reload_success_timestamp_seconds",
			Help: "When a good policy was last read that differed from the one before, in seconds since 1970; 0 before the first.",
		}),
	}
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
