package provider

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/metric"
)

// metrics have the names of declared providers as labels, and no key: specs choose those.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// Metrics are those of the calls of providers.
func Metrics() []metric.Family {
	return []metric.Family{requestsTotal(), requestDuration(), nextExpiryGauge()}
}

// providerName is the label of what the file of providers declares.
func providerName() metric.Label { return metric.Label{Name: "provider"} }

func requestsTotal() metric.Family {
	return metric.Family{
		Name: "credproxy_token_provider_requests_total", Type: metric.Counter,
		Help: "Calls of a provider's command by what they gave.",
		Labels: []metric.Label{providerName(), {Name: "result", Values: []metric.Value{
			{Name: resultSuccess, Means: "a token"},
			{Name: resultMissing, Means: "an answer that there is none"},
			{Name: resultFailed, Means: "no answer: it could not be run, or ended with an error"},
			{Name: resultTimeout, Means: "no answer in time"},
			{Name: resultInvalid, Means: "an answer that cannot be used"},
		}}},
	}
}

func requestDuration() metric.Family {
	return metric.Family{
		Name: "credproxy_token_provider_request_duration_seconds", Type: metric.Histogram,
		Help:    "Time of a call of a provider's command.",
		Labels:  []metric.Label{providerName()},
		Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 10), // 10 ms to 38 s
	}
}

func nextExpiryGauge() metric.Family {
	return metric.Family{
		Name: "credproxy_token_provider_next_expiry_timestamp_seconds", Type: metric.Gauge,
		Help:   "When the first of a provider's tokens that are in use expires, in seconds since 1970; 0 if none says when.",
		Labels: []metric.Label{providerName()},
	}
}

func newMetrics(reg prometheus.Registerer, providers []Provider, nextExpiry func(provider string) time.Time) *metrics {
	m := &metrics{requests: requestsTotal().NewCounterVec(), duration: requestDuration().NewHistogramVec()}
	for _, p := range providers {
		m.duration.WithLabelValues(p.Name)
		for _, result := range []string{resultSuccess, resultMissing, resultFailed, resultTimeout, resultInvalid} {
			m.requests.WithLabelValues(p.Name, result)
		}
	}
	if reg != nil {
		reg.MustRegister(m.requests, m.duration)
		for _, p := range providers {
			reg.MustRegister(expiryOf(p.Name, nextExpiry))
		}
	}
	return m
}

func expiryOf(provider string, nextExpiry func(provider string) time.Time) prometheus.Collector {
	return nextExpiryGauge().NewGaugeFunc(func() float64 {
		first := nextExpiry(provider)
		if first.IsZero() {
			return 0
		}
		return float64(first.UnixNano()) / 1e9
	}, provider)
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
