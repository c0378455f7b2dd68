//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// A token that worked and that its upstream rejects from then on is shown, and nothing else is done, until it is rotated.
func TestARejectedTokenIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "first-token")
	// A token that changes is found at a resync at the latest.
	c := w.run("--resync", "2s")
	w.drop("web.yaml", w.spec("web", "/v1"))
	made := c.ready("web").Status.ContainerID
	w.served(proxyURL+"/api/x", "/v1/x")
	c.is("web", "TokensResolved", "True Resolved")

	docker(t, "exec", w.upstream, "/toolbox", "get", "-f", "-X", "POST", "-H", "Authorization: Bearer first-token", "http://127.0.0.1:8081/revoke")
	before := len(w.arrived())
	for range 3 {
		if out, err := w.agentGets("-i", proxyURL+"/api/x"); err != nil || !strings.Contains(out, "401") {
			t.Errorf("the agent gets %s, %v", out, err)
		}
	}
	c.is("web", "TokensResolved", "False TokenRejected", "route /api: "+w.upstream+":8080 answers 401 to the token of file token", "rotate it")
	c.is("web", "Ready", "True Running", "reject the tokens of /api")
	c.logged("web", "TokenRejected")
	c.wantEvents("TokenRejected", 1)
	eventually(t, "each answer is counted", func() error {
		n, err := c.metric(`credproxy_token_rejected_total{name="web",route="/api"}`)
		if err == nil {
			err = want(n == 3, n)
		}
		return err
	})
	if asked := len(w.arrived()) - before; asked != 3 {
		t.Errorf("of three requests the upstream got %d", asked)
	}

	w.setToken("token", "second-token")
	c.is("web", "TokensResolved", "True Resolved")
	w.served(proxyURL+"/api/y", "/v1/y")
	c.wantEvents("TokenRejected", 1)
	if now := c.ready("web").Status.ContainerID; now != made {
		t.Error("it took another sidecar")
	}
	said := c.page("/metrics") + c.page("/api/v1alpha1/events") + c.page("/api/v1alpha1/credproxies/web") + logsOf(t, made)
	for _, token := range []string{"first-token", "second-token"} {
		if strings.Contains(said, token) {
			t.Errorf("%s is told", token)
		}
	}
}

// wantEvents holds how many events have a reason.
func (c *controller) wantEvents(reason string, want int) {
	c.t.Helper()
	var list struct{ Items []struct{ Reason string } }
	if err := json.Unmarshal([]byte(c.page("/api/v1alpha1/events")), &list); err != nil {
		c.t.Fatal(err)
	}
	n := 0
	for _, e := range list.Items {
		if e.Reason == reason {
			n++
		}
	}
	if n != want {
		c.t.Errorf("%d of %d events have the reason %s, want %d", n, len(list.Items), reason, want)
	}
}
