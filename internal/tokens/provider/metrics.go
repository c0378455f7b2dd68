package provider

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics have the names of declared providers as labels, and no key: specs choose those.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer, providers []Provider, nextExpiry func(provider string) time.Time) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credproxy_token_provider_requests_total",
			Help: "Calls of token providers by what they gave.",
		}, []string{"provider", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "credproxy_token_provider_request_duration_seconds",
			Help:    "Time of a call of a token provider.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 10), // 10 ms to 38 s
		}, []string{"provider"}),
	}
	for _, p := range providers {
		m.duration.WithLabelValues(p.Name)
		for _, result := range []string{resultSuccess, resultMissing, resultFailed, resultTimeout, resultInvalid} {
			m.requests.WithLabelValues(p.Name, result)
		}
	}
	if reg != nil {
		reg.MustRegister(m.requests, m.duration)
		for _, p := range providers {
			reg.MustRegister(expiryGauge(p.Name, nextExpiry))
		}
	}
	return m
}

func expiryGauge(provider string, nextExpiry func(provider string) time.Time) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "credproxy_token_provider_next_expiry_timestamp_seconds",
		Help:        "When the first of a provider's tokens that are in use expires, in seconds since 1970; 0 if none says when.",
		ConstLabels: prometheus.Labels{"provider": provider},
	}, func() float64 {
		first := nextExpiry(provider)
		if first.IsZero() {
			return 0
		}
		return float64(first.UnixNano()) / 1e9
	})
}

// called counts a call that has ended.
func (m *metrics) called(provider string, began time.Time, why *failure) {
	result := resultSuccess
	if why != nil {
		result = why.result
	}
	m.requests.WithLabelValues(provider, result).Inc()
	m.duration.WithLabelValues(provider).Observe(time.Since(began).Seconds())
}
