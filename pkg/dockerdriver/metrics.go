package dockerdriver

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count and time the requests to the engine.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{requests: requestsTotal().NewCounterVec(), duration: requestDuration().NewHistogramVec()}
	for op, code := range usualCodes() {
		m.requests.WithLabelValues(string(op), strconv.Itoa(code))
		m.requests.WithLabelValues(string(op), codeError)
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.duration} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// done records one request that began at a time; status is 0 when no answer came.
func (m *metrics) done(op operation, status int, began time.Time) {
	code := codeError
	if status != 0 {
		code = strconv.Itoa(status)
	}
	m.requests.WithLabelValues(string(op), code).Inc()
	m.duration.WithLabelValues(string(op)).Observe(time.Since(began).Seconds())
}

// timed is a transport that records each request under the operation that its context names.
type timed struct {
	next    http.RoundTripper
	metrics *metrics
}

// RoundTrip implements http.RoundTripper.
func (t *timed) RoundTrip(req *http.Request) (*http.Response, error) {
	op, ok := req.Context().Value(operationKey{}).(operation)
	if !ok {
		op = opPing // the client's own question for the API's version
	}
	began := time.Now()
	resp, err := t.next.RoundTrip(req)
	status := 0
	if err == nil {
		status = resp.StatusCode
	}
	if asked, ok := req.Context().Value(statusKey{}).(*int); ok {
		*asked = status
	}
	t.metrics.done(op, status, began)
	return resp, err
}
