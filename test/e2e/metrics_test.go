//go:build e2e

package e2e

import (
	"errors"
	"strings"
	"testing"
)

// metricNames are all that the contract promises, histograms by their counts.
func metricNames() []string {
	return []string{
		"controller_runtime_reconcile_total", "controller_runtime_reconcile_errors_total",
		"controller_runtime_reconcile_time_seconds_count", "controller_runtime_active_workers",
		"controller_runtime_max_concurrent_reconciles",
		"workqueue_depth", "workqueue_adds_total", "workqueue_queue_duration_seconds_count",
		"workqueue_work_duration_seconds_count", "workqueue_unfinished_work_seconds",
		"workqueue_longest_running_processor_seconds", "workqueue_retries_total",
		"credproxy_step_duration_seconds_count", "credproxy_docker_requests_total",
		"credproxy_docker_request_duration_seconds_count", "credproxy_spec_to_ready_seconds_count", "credproxy_specs",
		"credproxy_sidecars", "credproxy_condition", "credproxy_token_rejected_total", "credproxy_requests_total",
		"credproxy_request_duration_seconds_count", "credproxy_time_to_first_byte_seconds_count", "credproxy_request_bytes_total",
		"credproxy_response_bytes_total", "credproxy_injections_total", "credproxy_requests_in_flight", "credproxy_drift_total", "credproxy_orphans_removed_total",
		"credproxy_prune_blocked", "credproxy_docker_up", "credproxy_event_stream_up", "credproxy_watch_up",
		"credproxy_last_scan_success_timestamp_seconds", "credproxy_build_info",
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	c.readyz()
	for _, series := range []string{
		`credproxy_step_duration_seconds_count{result="success",step="create"}`,
		`credproxy_step_duration_seconds_count{result="error",step="remove_network"}`,
		`credproxy_specs{state="invalid"}`,
		`credproxy_sidecars{state="crashlooping"}`,
		`credproxy_spec_to_ready_seconds_count`,
		`credproxy_orphans_removed_total`,
		`controller_runtime_reconcile_errors_total{controller="credproxy"}`,
	} {
		if v, err := c.metric(series); err != nil || v != 0 {
			t.Errorf("at the start %s is %v, %v", series, v, err)
		}
	}

	w.drop("web.yaml", w.spec("web", "/v1"))
	o := c.ready("web")
	for series, least := range map[string]float64{
		`credproxy_step_duration_seconds_count{result="success",step="create"}`:       1,
		`credproxy_step_duration_seconds_count{result="success",step="wait_ready"}`:   1,
		`credproxy_spec_to_ready_seconds_count`:                                       1,
		`credproxy_spec_to_ready_seconds_bucket{le="0.75"}`:                           0,
		`credproxy_specs{state="valid"}`:                                              1,
		`credproxy_sidecars{state="running"}`:                                         1,
		`credproxy_condition{name="web",status="True",type="Ready"}`:                  1,
		`credproxy_docker_up`:                                                         1,
		`credproxy_event_stream_up`:                                                   1,
		`credproxy_watch_up`:                                                          1,
		`credproxy_requests_total{code="2xx",name="web",route="/api"}`:                0,
		`controller_runtime_reconcile_total{controller="credproxy",result="success"}`: 1,
		`workqueue_adds_total{name="credproxy"}`:                                      1,
	} {
		eventually(t, series+" counts", func() error {
			v, err := c.metric(series)
			if err == nil {
				err = want(v >= least, v)
			}
			return err
		})
	}
	page := c.page("/metrics")
	for _, name := range metricNames() {
		if !strings.Contains(page, "\n"+name+"{") && !strings.Contains(page, "\n"+name+" ") {
			t.Errorf("there is no %s", name)
		}
	}
	for _, secret := range []string{"s3cret", o.Status.ContainerID[:12], o.Status.SpecHash, w.specs} {
		if strings.Contains(page, secret) {
			t.Errorf("the metrics hold %q", secret)
		}
	}

	w.erase("web.yaml")
	c.gone(w, "web")
	eventually(t, "its series are gone", func() error {
		if strings.Contains(c.page("/metrics"), `name="web"`) {
			return errors.New("there are some")
		}
		return nil
	})
	if v, err := c.metric("credproxy_orphans_removed_total"); err != nil || v != 1 {
		t.Errorf("credproxy_orphans_removed_total is %v, %v", v, err)
	}
}
