package reconcile

import (
	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/metric"
)

// controllerName is how the loop and its queue call themselves in metrics.
const controllerName = "credproxy"

// Results of looks and steps, as metrics name them.
const (
	resultSuccess      = "success"
	resultError        = "error"
	resultRequeue      = "requeue"
	resultRequeueAfter = "requeue_after"
)

// LoopMetrics are those of the loop and its queue, under the names that dashboards of controller-runtime and client-go know.
func LoopMetrics() []metric.Family {
	return []metric.Family{
		reconcileTotal(), reconcileErrors(), reconcileTime(), activeWorkers(), maxWorkers(), queueDepth(), queueAdds(), queueRetries(),
		queueWait(), queueWork(), queueUnfinished(), queueLongest(),
	}
}

// ofLoop is a metric of the loop.
func ofLoop(name string, kind metric.Type, help string) metric.Family {
	return metric.Family{
		Name: "controller_runtime_" + name, Type: kind, Help: help, Constant: map[string]string{"controller": controllerName},
	}
}

func reconcileTotal() metric.Family {
	f := ofLoop("reconcile_total", metric.Counter, "Names looked at, by result.")
	f.Labels = []metric.Label{{Name: "result", Values: []metric.Value{
		{
			Name:  resultSuccess,
			Means: "nothing failed; a name that waits for something outside, such as a network, is a success too",
		},
		{Name: resultError, Means: "tried again with growing pauses"},
		{Name: resultRequeueAfter, Means: "a token was missing; tried again after about two seconds"},
		{Name: resultRequeue, Means: "which stays zero"},
	}}}
	return f
}

func reconcileErrors() metric.Family {
	return ofLoop("reconcile_errors_total", metric.Counter, "Looks at a name whose result was an error.")
}

func reconcileTime() metric.Family {
	f := ofLoop("reconcile_time_seconds", metric.Histogram, "Time of one look at a name, its steps included.")
	f.Buckets = []float64{.001, .005, .01, .025, .05, .1, .25, .5, .75, 1, 2.5, 5, 10, 30, 60}
	return f
}

func activeWorkers() metric.Family {
	return ofLoop("active_workers", metric.Gauge, "Workers that are busy.")
}

func maxWorkers() metric.Family {
	f := ofLoop("max_concurrent_reconciles", metric.Gauge, "Workers that may be busy at a time.")
	f.More = "The flag is `--workers`."
	return f
}

// ofQueue is a metric of the queue of names.
func ofQueue(name string, kind metric.Type, help string) metric.Family {
	f := metric.Family{
		Name: "workqueue_" + name, Type: kind, Help: help,
		Labels: []metric.Label{{Name: "name", Values: metric.Values(controllerName)}},
	}
	if kind == metric.Histogram {
		f.Buckets = prometheus.ExponentialBuckets(1e-5, 10, 8) // 10 µs to 100 s
	}
	return f
}

func queueDepth() metric.Family { return ofQueue("depth", metric.Gauge, "Names that wait.") }

func queueAdds() metric.Family { return ofQueue("adds_total", metric.Counter, "Names added.") }

func queueRetries() metric.Family {
	return ofQueue("retries_total", metric.Counter, "Names added again, after a pause.")
}

func queueWait() metric.Family {
	return ofQueue("queue_duration_seconds", metric.Histogram, "Time that a name waits.")
}

func queueWork() metric.Family {
	return ofQueue("work_duration_seconds", metric.Histogram, "Time that a name is worked on.")
}

func queueUnfinished() metric.Family {
	return ofQueue("unfinished_work_seconds", metric.Gauge, "Time spent so far on what is being worked on.")
}

func queueLongest() metric.Family {
	return ofQueue("longest_running_processor_seconds", metric.Gauge, "Time spent so far on the name that has been worked on longest.")
}
