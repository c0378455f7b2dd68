package reconcile

import (
	"credproxy.dev/controller/pkg/metric"
	"credproxy.dev/controller/pkg/routetable"
)

// TrafficMetrics are those of what sidecars count.
func TrafficMetrics() []metric.Family {
	return []metric.Family{
		requestsTotal(), refusalsTotal(), policyWarnings(), requestDuration(), timeToFirstByte(), requestBytes(), responseBytes(),
		injectionsTotal(), requestsInFlight(),
	}
}

// ofRoute is a metric of what a sidecar counts of a route.
func ofRoute(name string, kind metric.Type, help string, labels ...metric.Label) metric.Family {
	f := metric.Family{
		Name: "credproxy_" + name, Type: kind, Help: help, Labels: append([]metric.Label{specName(), {Name: "route"}}, labels...),
	}
	if kind == metric.Histogram {
		for _, bound := range routetable.LatencyBounds() {
			f.Buckets = append(f.Buckets, bound.Seconds())
		}
	}
	return f
}

func requestsTotal() metric.Family {
	classes, means := routetable.CodeClasses(), map[string]string{"1xx": "a WebSocket that has ended", "none": "the client left before"}
	values := metric.Values(classes[:]...)
	for i, class := range classes {
		values[i].Means = means[class]
	}
	return ofRoute("requests_total", metric.Counter, "Requests that have ended, by the class of the status that was sent.",
		metric.Label{Name: "code", Values: values})
}

func refusalsTotal() metric.Family {
	reasons, means := routetable.RefusalReasons(), map[string]string{
		"other":        "one that another release has",
		"idle_timeout": "also that of a stream that was cut for its silence",
	}
	values := metric.Values(reasons[:]...)
	for i, reason := range reasons {
		values[i].Means = means[reason]
	}
	f := ofRoute("refusals_total", metric.Counter, "Requests that the sidecar answered itself, by why it did.",
		metric.Label{Name: "reason", Is: "the code of the error", Values: values})
	f.More = "All of them are logged, or told together ([operations](operations.md#the-log-of-a-sidecar)), and counted here."
	return f
}

func policyWarnings() metric.Family {
	return ofRoute("policy_warnings_total", metric.Counter,
		"Requests that the route's methods, paths or git rules would have refused, were its mode not Warn.")
}

func requestDuration() metric.Family {
	f := ofRoute("request_duration_seconds", metric.Histogram,
		"Time from the head of a request until its answer has ended, for those that the upstream answered.")
	f.More = "A stream counts with its whole length."
	return f
}

func timeToFirstByte() metric.Family {
	return ofRoute("time_to_first_byte_seconds", metric.Histogram,
		"Time from the head of a request until the head of its answer, for those that the upstream answered.")
}

func requestBytes() metric.Family {
	return ofRoute("request_bytes_total", metric.Counter, "Bytes of bodies from clients, and those that they sent through a WebSocket.")
}

func responseBytes() metric.Family {
	return ofRoute("response_bytes_total", metric.Counter, "Bytes of bodies to clients, and through a WebSocket.")
}

func injectionsTotal() metric.Family {
	return ofRoute("injections_total", metric.Counter, "Requests to which the route's credential was added.")
}

func requestsInFlight() metric.Family {
	return ofRoute("requests_in_flight", metric.Gauge, "Requests that are forwarded now.")
}
