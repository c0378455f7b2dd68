package reconcile

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/metric"
	"credproxy.dev/controller/pkg/spec"
)

// SidecarMetrics are those of specs and their sidecars.
func SidecarMetrics() []metric.Family {
	return []metric.Family{
		sidecarsGauge(), conditionGauge(), isolationFindings(), aliasConflict(), tokenRejected(), tokenExpiry(), tokenRenewal(),
		specToReady(), stepDuration(), driftTotal(), orphansRemoved(), pruneBlocked(),
	}
}

// EngineMetrics are those of the engine, as the loop sees it.
func EngineMetrics() []metric.Family { return []metric.Family{dockerUp(), eventStreamUp()} }

// specName is the label of the name of a spec.
func specName() metric.Label { return metric.Label{Name: "name"} }

func sidecarsGauge() metric.Family {
	return metric.Family{
		Name: "credproxy_sidecars", Type: metric.Gauge,
		Help: "Sidecars of this instance at the last look, by state.",
		Labels: []metric.Label{{Name: "state", Values: []metric.Value{
			{Name: sidecarRunning, Means: "it reports that it serves"}, {Name: sidecarStarting}, {Name: sidecarStopped},
			{Name: sidecarCrashLooping, Means: "the engine keeps restarting it"},
		}}},
	}
}

func conditionGauge() metric.Family {
	types := []string{
		spec.ConditionReady, spec.ConditionTokensResolved, spec.ConditionNetworksReady, spec.ConditionIsolated, spec.ConditionPermitted,
	}
	return metric.Family{
		Name: "credproxy_condition", Type: metric.Gauge,
		Help: "1 for the status that a spec's condition has, 0 for the other two.",
		Labels: []metric.Label{
			specName(), {Name: "type", Values: metric.Values(types...)}, {Name: "status", Values: metric.Values(conditionStatuses()...)},
		},
	}
}

func conditionStatuses() []metav1.ConditionStatus {
	return []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown}
}

func isolationFindings() metric.Family {
	return metric.Family{
		Name: "credproxy_isolation_findings", Type: metric.Gauge,
		Help: "Things by which a spec's environment is not isolated, by severity.",
		More: "Both are 0 while the internal network is not found; Isolated is Unknown then.",
		Labels: []metric.Label{specName(), {Name: "severity", Values: []metric.Value{
			{
				Name:  string(SeverityBreach),
				Means: "its agent can go around the sidecar, reach the host or another's tokens, or pose as somebody else",
			},
			{Name: string(SeverityWarning), Means: "something weaker"},
		}}},
	}
}

func aliasConflict() metric.Family {
	return metric.Family{
		Name: "credproxy_alias_conflict", Type: metric.Gauge,
		Help:   "1 while another container, or another spec, claims a name of the sidecar's on its internal network.",
		Labels: []metric.Label{specName()},
	}
}

func tokenRejected() metric.Family {
	return metric.Family{
		Name: "credproxy_token_rejected_total", Type: metric.Counter,
		Help: "Answers 401 of a route's upstream to a token that it took before.",
		More: "The sidecar tells them at once when they begin, and then at the next look after every ten seconds. The count goes on " +
			"over restarts of the sidecar, and begins with the sidecar's own after one of the controller.",
		Labels: []metric.Label{specName(), {Name: "route", Is: "the path of a route with a token"}},
	}
}

func specToReady() metric.Family {
	return metric.Family{
		Name: "credproxy_spec_to_ready_seconds", Type: metric.Histogram,
		Help:    "Time from the scan that saw a new spec, as it is now, until its sidecar was first ready.",
		More:    "A wait for a missing token or network counts. A sidecar that ran before the controller did is not counted.",
		Buckets: []float64{.1, .2, .3, .5, .75, 1, 2, 3, 5, 10, 30, 60},
	}
}

func stepDuration() metric.Family {
	return metric.Family{
		Name: "credproxy_step_duration_seconds", Type: metric.Histogram,
		Help: "Time of one step of a plan, by step and result.",
		Labels: []metric.Label{
			{Name: "step", Values: stepValues(), At: "#steps"},
			{Name: "result", Values: metric.Values(resultSuccess, resultError)},
		},
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}
}

func driftTotal() metric.Family {
	return metric.Family{
		Name: "credproxy_drift_total", Type: metric.Counter,
		Help:   "Departures from what was made that were repaired, by kind.",
		Labels: []metric.Label{{Name: "kind", Values: driftValues()}},
	}
}

func driftValues() []metric.Value {
	means := map[Drift]string{
		DriftLimits:   "or its restart policy",
		DriftAttached: "it was put on a network that it does not belong on",
		DriftRoutes:   "it served another table than the one delivered",
		DriftLeftover: "something unfinished or doubled",
	}
	values := metric.Values(Drifts()...)
	for i, kind := range Drifts() {
		values[i].Means = means[kind]
	}
	return values
}

func orphansRemoved() metric.Family {
	return metric.Family{
		Name: "credproxy_orphans_removed_total", Type: metric.Counter,
		Help: "Sidecars removed because no spec declares them.",
	}
}

func pruneBlocked() metric.Family {
	return metric.Family{
		Name: "credproxy_prune_blocked", Type: metric.Gauge,
		Help: "Names whose sidecars would be removed, were that not blocked.",
		More: "`controller plan` says why.",
	}
}

func dockerUp() metric.Family {
	return metric.Family{Name: "credproxy_docker_up", Type: metric.Gauge, Help: "1 if the last look at the engine succeeded."}
}

func eventStreamUp() metric.Family {
	return metric.Family{
		Name: "credproxy_event_stream_up", Type: metric.Gauge,
		Help: "1 while the engine's event stream is open; otherwise only the periodic look finds drift.",
		More: "The period is `--resync`.",
	}
}
