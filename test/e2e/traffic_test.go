//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Requests that are made all the while are counted once each, over reloads and replacements.
func TestRequestsAreCountedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v0"))
	last := c.ready("web")
	agents := w.visitors("-c", "2", "-pause", breath)
	agents.ask("web", proxyURL+"/api/x")
	for i := range 3 {
		w.drop("web.yaml", w.spec("web", fmt.Sprintf("/v%d", i+1)))
		last = c.otherThan("web", last)
		agents.turn()
	}
	for _, delivery := range []string{"Env", "File"} {
		w.drop("web.yaml", w.spec("web", "/v3", "spec: tokenDelivery: "+delivery))
		last = c.otherThan("web", last)
		agents.turn()
	}
	agents.leave("web")
	agents.lostNone("who asks meanwhile")
	w.wantCounted(c)

	w.refusedOnce(c, "/none", "", "no_route")
	w.refusedOnce(c, "/api//x", "/api", "bad_path")
	w.logsRequests(last.Status.ContainerID)
}

// arrivedInAll is how many requests the upstream ever received.
func (w *world) arrivedInAll() (n int) {
	w.t.Helper()
	for _, one := range w.tally() {
		n += one.Requests
	}
	return n
}

// wantCounted waits until each metric counts what arrived at the upstream.
func (w *world) wantCounted(c *controller) {
	w.t.Helper()
	sent := float64(w.arrivedInAll())
	for _, series := range []string{
		`credproxy_requests_total{code="2xx",name="web",route="/api"}`,
		`credproxy_injections_total{name="web",route="/api"}`,
		`credproxy_request_duration_seconds_count{name="web",route="/api"}`,
		`credproxy_time_to_first_byte_seconds_bucket{name="web",route="/api",le="+Inf"}`,
	} {
		eventually(w.t, "each request is counted", func() error {
			n, err := c.metric(series)
			if err == nil {
				err = want(n == sent, fmt.Sprintf("%s is %v, and %v arrived", series, n, sent))
			}
			return err
		})
	}
	if n, err := c.metric(`credproxy_requests_in_flight{name="web",route="/api"}`); err != nil || n != 0 {
		w.t.Errorf("%v are in flight, %v", n, err)
	}
}

// refusedOnce makes a request that is refused, and waits until it is counted.
func (w *world) refusedOnce(c *controller, path, route, reason string) {
	w.t.Helper()
	_, _ = w.agentGets(proxyURL + path)
	eventually(w.t, "the refusal is counted", func() error {
		n, err := c.metric(fmt.Sprintf(`credproxy_refusals_total{name="web",reason=%q,route=%q}`, reason, route))
		if err == nil {
			err = want(n == 1, n)
		}
		return err
	})
}

// logsRequests looks at what the sidecar logged.
func (w *world) logsRequests(container string) {
	w.t.Helper()
	n := 0
	for text := range strings.Lines(logsOf(w.t, container)) {
		var line struct {
			Msg, Spec, Route, Path, Error string
			Upstream                      int `json:"upstream_status"`
			Credential                    bool
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			w.t.Errorf("the log has %q: %v", text, err)
		}
		if line.Msg == "request" && line.Spec == "web" && line.Route == "/api" && line.Path == "/api/x" && line.Upstream == 200 && line.Credential {
			n++
		}
	}
	if n == 0 {
		w.t.Error("no request is in the log as it was made")
	}
}
