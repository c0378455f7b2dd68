//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A policy that stops permitting a use takes the token out of the running sidecar, with the stream that is open, and gives it
// back when it permits the use again. A spec in a folder that no rule has is not made.
func TestAPolicyThatStopsPermittingAUseTakesItsTokenAway(t *testing.T) {
	t.Parallel()
	const token = "s3cret-of-the-policy"
	w := newWorld(t)
	w.setToken("token", token)
	policy := filepath.Join(filepath.Dir(w.specs), "policy.yaml")
	permit := func(file string) {
		writeFile(t, policy, fmt.Sprintf(`apiVersion: credproxy.dev/v1alpha1
kind: TokenPolicy
metadata: {name: story}
spec:
  rules:
  - name: team
    folders: ["team/**"]
    tokens: [{file: %s}]
    upstreams: [{scheme: http, host: %s, port: 8080}]
    networks: ["%s-*"]
    allow: [InsecureUpstream, AllowPrivate]
`, file, w.upstream, w.id))
	}
	permit("token")
	for _, folder := range []string{"team", "others"} {
		if err := os.Mkdir(filepath.Join(w.specs, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := w.run("--policy", policy)
	w.drop("others/stray.yaml", w.spec("stray", ""))
	w.drop("team/web.yaml", w.spec("web", ""))
	made := c.ready("web").Status.ContainerID
	c.is("web", "Permitted", "True Permitted")
	c.is("stray", "Ready", "False PolicyDenied", "no rule of the policy has folder others")
	w.served(proxyURL+"/api/hello", "/hello")

	stream := make(chan error, 1)
	go func() {
		_, err := w.agentGets("-f", proxyURL+"/api/sse/open")
		stream <- err
	}()
	eventually(t, "the stream is open", func() error {
		return want(strings.Contains(fmt.Sprint(w.arrived()), "/sse/open"), "not yet")
	})

	permit("another")
	c.is("web", "Permitted", "False PolicyDenied", `rule "team"`, "does not permit file token")
	eventually(t, "the route answers without the token", func() error {
		out, err := w.agentGets("-i", proxyURL+"/api/denied")
		if err != nil {
			return err
		}
		return want(strings.Contains(out, "503") && strings.Contains(out, "Cred-Proxy-Error: no_token"), out)
	})
	select {
	case err := <-stream:
		if err == nil {
			t.Error("the stream ended as if it were whole")
		}
	case <-time.After(patience):
		t.Error("the stream is still open")
	}
	if strings.Contains(docker(t, "cp", made+":/run/cred-proxy", "-"), token) {
		t.Error("the token is still in the sidecar's volume")
	}

	permit("token")
	w.served(proxyURL+"/api/again", "/again")
	if now := c.ready("web").Status.ContainerID; now != made {
		t.Errorf("it took another container: %s", now)
	}
	if ids := labelled(t, "container", w.id); len(ids) != 1 {
		t.Errorf("there are containers %v", ids)
	}
	for _, r := range w.arrived() {
		if strings.Contains(r.URI, "denied") {
			t.Errorf("%s arrived", r.URI)
		}
	}
}
