package dockerdriver

import (
	"maps"
	"net/http"
	"slices"

	"credproxy.dev/controller/pkg/metric"
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
	opContainerRead     operation = "container_read"
	opContainerAttach   operation = "container_attach"
	opContainerLogs     operation = "container_logs"
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
		opContainerCopy: http.StatusOK, opContainerRead: http.StatusOK, opContainerAttach: http.StatusSwitchingProtocols, opContainerLogs: http.StatusOK,
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

// Metrics are those of requests to the engine.
func Metrics() []metric.Family { return []metric.Family{requestsTotal(), requestDuration()} }

func requestsTotal() metric.Family {
	return metric.Family{
		Name: "credproxy_docker_requests_total", Type: metric.Counter,
		Help: "Requests to the Docker Engine API by operation and HTTP status; code is error when none came.",
		Labels: []metric.Label{
			{Name: "operation", Values: operations(), At: "#operations"},
			{Name: "code"},
		},
	}
}

func requestDuration() metric.Family {
	return metric.Family{
		Name: "credproxy_docker_request_duration_seconds", Type: metric.Histogram,
		Help:    "Time from a request to the Docker Engine API to the head of its answer, by operation.",
		More:    "`container_stop` includes the time that a sidecar takes to drain.",
		Labels:  []metric.Label{{Name: "operation", Values: operations(), At: "#operations"}},
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}
}

// operations are all that there are, in order of their names.
func operations() []metric.Value {
	values := metric.Values(slices.Sorted(maps.Keys(usualCodes()))...)
	for i, value := range values {
		if value.Name == string(opVolumeCreate) {
			values[i].Means = "with Podman"
		}
	}
	return values
}
