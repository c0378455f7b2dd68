//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// On a network with several containers the sidecar serves the one that shows the caller key. The key is a file like a
// token's, changes like one, and arrives at no upstream.
func TestWhoShowsTheCallerKeyIsServed(t *testing.T) {
	t.Parallel()
	const first, second, token = "first-key-of-the-story", "second-key-of-the-story", "s3cret-of-the-callers"
	w := newWorld(t)
	w.setToken("token", token)
	w.setToken("key", first)
	neighbour := w.id + "-neighbour"
	docker(t, "run", "-d", "--name", neighbour, "--network", w.internal, toolboxImage, "agent")
	c := w.run("--resync", "200ms")
	w.drop("web.yaml", w.spec("web", "/v1", "spec: callerAuth: {keyRef: {file: key}}"))
	made := c.ready("web").Status.ContainerID
	c.is("web", "TokensResolved", "True Resolved", "2 of 2")

	for i, slot := range []string{"Cred-Proxy-Key: %s", "X-Api-Key: %s", "Authorization: Bearer %s", "X-Goog-Api-Key: %s"} {
		if _, err := w.agentGets("-f", "-H", fmt.Sprintf(slot, first), fmt.Sprintf("%s/api/%d", proxyURL, i)); err != nil {
			t.Errorf("%s: %v", slot, err)
		}
	}
	refused := func(args ...string) error {
		out, err := tryDocker(append([]string{"exec", neighbour, "/toolbox", "get", "-i"}, args...)...)
		if err != nil {
			return err
		}
		return want(strings.Contains(out, "401 Unauthorized") && strings.Contains(out, "Cred-Proxy-Error: unauthorized") && !strings.Contains(out, "/api"), out)
	}
	for _, args := range [][]string{
		{proxyURL + "/api/neighbour"}, {proxyURL + "/nowhere"}, {"-X", "POST", "-d", "body", proxyURL + "/api/neighbour"},
		{"-H", "Cred-Proxy-Key: " + second, proxyURL + "/api/neighbour"}, {"-H", "Authorization: Bearer " + token, proxyURL + "/api/neighbour"},
	} {
		if err := refused(args...); err != nil {
			t.Errorf("a neighbour that asks with %q: %v", args, err)
		}
	}

	w.drop("web.yaml", w.spec("web", "/v1", "spec: callerAuth: {keyRef: {file: key}, header: X-My-Key}"))
	eventually(t, "try shows the key where the spec wants it", func() error {
		out, _, status := verbWith(t, []string{"STORY_KEY=" + first}, "try", "web", "/nowhere", "--key-env", "STORY_KEY", "--server", "http://"+c.listen, "--instance", w.id)
		return want(status == 1 && strings.Contains(out, "404 no_route"), out)
	})
	if out, _, status := verb(t, "try", "web", "/api/try", "--server", "http://"+c.listen, "--instance", w.id); status != 1 || !strings.Contains(out, "401 unauthorized") {
		t.Errorf("try without the key ends with %d: %s", status, out)
	}
	w.drop("web.yaml", w.spec("web", "/v1", "spec: callerAuth: {keyRef: {file: key}}"))

	w.setToken("key", second)
	eventually(t, "the new key is in force", func() error {
		_, err := w.agentGets("-f", "-H", "Cred-Proxy-Key: "+second, proxyURL+"/api/changed")
		return err
	})
	if err := refused("-H", "Cred-Proxy-Key: "+first, proxyURL+"/api/old"); err != nil {
		t.Errorf("with the old key: %v", err)
	}
	if now := c.ready("web").Status.ContainerID; now != made {
		t.Errorf("a changed key made another container: %s", now)
	}

	arrived := w.arrived()
	if len(arrived) != 5 {
		t.Errorf("%d requests arrived instead of the agent's five: %+v", len(arrived), arrived)
	}
	for _, got := range arrived {
		if all := fmt.Sprint(got); strings.Contains(all, first) || strings.Contains(all, second) || got.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("arrived: %s", all)
		}
	}
	for _, key := range []string{first, second, token} {
		if strings.Contains(c.log.String()+logsOf(t, made), key) || strings.Contains(docker(t, "inspect", made), key) {
			t.Errorf("%s is in a log or in the container's configuration", key)
		}
	}
}
