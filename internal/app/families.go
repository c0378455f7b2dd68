package app

import (
	"slices"

	"credproxy.dev/controller/internal/policyfile"
	"credproxy.dev/controller/internal/tokens/provider"
	"credproxy.dev/controller/pkg/dockerdriver"
	"credproxy.dev/controller/pkg/metric"
	"credproxy.dev/controller/pkg/reconcile"
)

// Metrics are all that a controller has of its own, as docs/metrics.md groups them.
func Metrics() []metric.Group {
	return []metric.Group{
		{Name: "sidecars", Families: append([]metric.Family{specsGauge()}, reconcile.SidecarMetrics()...)},
		{Name: "requests", Families: reconcile.TrafficMetrics()},
		{Name: "engine", Families: slices.Concat([]metric.Family{lastScan(), watchUp()}, policyfile.Metrics(),
			reconcile.EngineMetrics(), dockerdriver.Metrics(), []metric.Family{buildInfo()})},
		{Name: "providers", Families: provider.Metrics()},
		{Name: "loop", Families: reconcile.LoopMetrics()},
	}
}

// States of specs, as metrics name them.
const (
	specsValid     = "valid"
	specsPaused    = "paused"
	specsDuplicate = "duplicate"
	specsInvalid   = "invalid"
)

func specsGauge() metric.Family {
	return metric.Family{
		Name: "credproxy_specs", Type: metric.Gauge,
		Help: "Specs at the last scan, by state; a bad file in which no name can be read counts as one that is invalid.",
		Labels: []metric.Label{{Name: "state", Values: []metric.Value{
			{Name: specsValid},
			{Name: specsPaused, Means: "valid, with the annotation"},
			{Name: specsDuplicate, Means: "names that are declared more than once"},
			{Name: specsInvalid},
		}}},
	}
}

func lastScan() metric.Family {
	return metric.Family{
		Name: "credproxy_last_scan_success_timestamp_seconds", Type: metric.Gauge,
		Help: "When the last complete scan of the spec files began, in seconds since 1970; 0 before the first.",
	}
}

func watchUp() metric.Family {
	return metric.Family{
		Name: "credproxy_watch_up", Type: metric.Gauge,
		Help: "1 while changes of spec and token files are noticed as they happen; otherwise only a periodic look finds them.",
		More: "The period is `--resync`, and ten seconds for tokens.",
	}
}

func buildInfo() metric.Family {
	return metric.Family{
		Name: "credproxy_build_info", Type: metric.Gauge,
		Help:   "Always 1; the labels say which build runs.",
		Labels: []metric.Label{{Name: "version"}, {Name: "goversion"}},
	}
}
