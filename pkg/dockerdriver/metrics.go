package dockerdriver

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// operation is a kind of call of the engine, as metrics name it.
type operation string

// The operations.
const (
	opPing              operation = "ping"
	opVersion           operation = "version"
	opInfo              operation = "info"
	opEvents            operation = "events"
	opContainerList     operation = "container_list"
	opContainerInspect  operation = "container_inspect"
	opContainerCreate   operation = "container_create"
	opContainerCopy     operation = "container_copy"
	opContainerAttach   operation = "container_attach"
	opContainerStart    operation = "container_start"
	opContainerKill     operation = "container_kill"
	opContainerUpdate   operation = "container_update"
	opContainerRename   operation = "container_rename"
	opContainerStop     operation = "container_stop"
	opContainerWait     operation = "container_wait"
	opContainerRemove   operation = "container_remove"
	opVolumeCreate      operation = "volume_create"
	opVolumeList        operation = "volume_list"
	opVolumeRemove      operation = "volume_remove"
	opNetworkList       operation = "network_list"
	opNetworkInspect    operation = "network_inspect"
	opNetworkCreate     operation = "network_create"
	opNetworkConnect    operation = "network_connect"
	opNetworkDisconnect operation = "network_disconnect"
	opNetworkRemove     operation = "network_remove"
	opImageInspect      operation = "image_inspect"
	opImageBuild        operation = "image_build"
)

// codeError is the code of a request that got no answer.
const codeError = "error"

// usualCodes are the operations, each with the HTTP status of its success.
func usualCodes() map[operation]int {
	return map[operation]int{
		opPing: http.StatusOK, opVersion: http.StatusOK, opInfo: http.StatusOK, opEvents: http.StatusOK,
		opContainerList: http.StatusOK, opContainerInspect: http.StatusOK, opContainerCreate: http.StatusCreated,
		opContainerCopy: http.StatusOK, opContainerAttach: http.StatusSwitchingProtocols,
		opContainerStart: http.StatusNoContent, opContainerKill: http.StatusNoContent,
		opContainerUpdate: http.StatusOK, opContainerRename: http.StatusNoContent,
		opContainerStop: http.StatusNoContent, opContainerWait: http.StatusOK,
		opContainerRemove: http.StatusNoContent,
		opVolumeCreate:    http.StatusCreated, opVolumeList: http.StatusOK, opVolumeRemove: http.StatusNoContent,
		opNetworkList: http.StatusOK, opNetworkInspect: http.StatusOK, opNetworkCreate: http.StatusCreated,
		opNetworkConnect: http.StatusOK, opNetworkDisconnect: http.StatusOK, opNetworkRemove: http.StatusNoContent,
		opImageInspect: http.StatusOK, opImageBuild: http.StatusOK,
	}
}

// metrics count and time the requests to the engine.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credproxy_docker_requests_total",
			Help: "Requests to the Docker Engine API by operation and HTTP status; code is error when none came.",
		}, []string{"operation", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "credproxy_docker_request_duration_seconds",
			Help:    "Time from a request to the Docker Engine API to the head of its answer, by operation.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"operation"}),
	}
	for op, code := range usualCodes() {
		m.requests.WithLabelValues(string(op), strconv.Itoa(code))
		m.requests.WithLabelValues(string(op), codeError)
		m.duration.WithLabelValues(string(op))
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
