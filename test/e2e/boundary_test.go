//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// shutWorld is a world whose environment is isolated, apart from what the engine itself does for all.
func shutWorld(t *testing.T) *world {
	t.Helper()
	w := emptyWorld(t)
	docker(t, "network", "create", "--internal", "-o", "com.docker.network.bridge.inhibit_ipv4=true", w.internal)
	docker(t, "network", "create", w.egress)
	docker(t, "run", "-d", "--name", w.agent, "--network", w.internal, "--cap-drop", "NET_RAW", toolboxImage, "agent")
	docker(t, "run", "-d", "--name", w.upstream, "--network", w.egress, toolboxImage, "upstream", "-name", "one")
	w.setToken("token", "s3cret")
	return w
}

// opening is one way out of an environment: an intruder, or what somebody does to the agent or its network.
type opening struct {
	name string
	// object is whose name the status tells.
	object func(*world) string
	open   func(*testing.T, *world)
	shut   func(*testing.T, *world)
}

func (w *world) intruder() string { return w.id + "-intruder" }

// intrusion is an opening by a container that is run with some arguments, in which SIDECAR and INTERNAL stand for their names.
func intrusion(name string, args ...string) opening {
	return opening{
		name: name, object: (*world).intruder,
		open: func(t *testing.T, w *world) {
			t.Helper()
			run := []string{"run", "-d", "--name", w.intruder()}
			for _, arg := range args {
				arg = strings.ReplaceAll(arg, "SIDECAR", w.id+"-web")
				run = append(run, strings.ReplaceAll(arg, "INTERNAL", w.internal))
			}
			t.Cleanup(func() { _, _ = tryDocker("rm", "-fv", w.intruder()) })
			docker(t, append(run, toolboxImage, "sleep")...)
		},
		shut: func(t *testing.T, w *world) { t.Helper(); docker(t, "rm", "-fv", w.intruder()) },
	}
}

// openings are some that need no restart of anything. The privileged one is not root, whom an engine that lacks a capability
// itself cannot start so.
func openings() []opening {
	const inside = "--network=INTERNAL"
	return []opening{
		intrusion("a privileged container", inside, "--privileged", "--user=65532"),
		intrusion("a container that mounts the engine's socket", inside, "--cap-drop=NET_RAW", "-v=/var/run/docker.sock:/docker.sock:ro"),
		intrusion("a container in the sidecar's network namespace", "--network=container:SIDECAR", "--cap-drop=NET_RAW"),
		intrusion("a container in the sidecar's PID namespace, on no network", "--network=none", "--pid=container:SIDECAR"),
		intrusion("a container with the sidecar's volume, on no network", "--network=none", "--volumes-from=SIDECAR"),
		{
			name:   "an agent that is connected to a network that leads out",
			object: func(w *world) string { return w.agent },
			open:   func(t *testing.T, w *world) { t.Helper(); docker(t, "network", "connect", w.egress, w.agent) },
			shut:   func(t *testing.T, w *world) { t.Helper(); docker(t, "network", "disconnect", w.egress, w.agent) },
		},
	}
}

// An address of the host on the internal network is one that an agent can dial.
func TestTheHostOnTheInternalNetworkIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	c.is("web", "Isolated", "False HostReachable", w.internal, "inhibit_ipv4")
}

// Where isolation is required, the sidecar leaves the agent's network while there is a way out, and comes back as it was.
func TestABreachTakesTheSidecarOff(t *testing.T) {
	t.Parallel()
	w := shutWorld(t)
	c := w.run("--resync", "10m")
	w.drop("web.yaml", w.spec("web", "/v1", "spec: requireIsolation: true"))
	id := c.ready("web").Status.ContainerID
	w.served(proxyURL+"/api/first", "/v1/first")

	foreign := inspect(t, w.agent)
	for _, e := range openings() {
		t.Run(e.name, func(t *testing.T) {
			opened := time.Now()
			e.open(t, w)
			eventually(t, "the sidecar is off", func() error { return want(!on(t, id, w.internal), "it is still on "+w.internal) })
			t.Logf("off %v after the command began", time.Since(opened).Round(time.Millisecond))
			c.is("web", "Ready", "False NotIsolated", fmt.Sprintf("%q", e.object(w)))
			if got, err := w.agentGets("-timeout", "2s", proxyURL+"/api/meanwhile"); err == nil {
				t.Errorf("the agent is served: %s", got)
			}
			closed := time.Now()
			e.shut(t, w)
			if again := c.ready("web").Status.ContainerID; again != id {
				t.Errorf("it is another container: %s", again)
			}
			t.Logf("back %v after the command began", time.Since(closed).Round(time.Millisecond))
			w.served(proxyURL+"/api/again", "/v1/again")
		})
	}
	if s := inspect(t, id); s.State.Status != "running" {
		t.Errorf("the sidecar is %s", s.State.Status)
	}
	untouched(t, foreign)
}

// The operator can require it of every spec, and then none is made while there is a way out.
func TestNoSidecarIsMadeWithABreach(t *testing.T) {
	t.Parallel()
	w := shutWorld(t)
	docker(t, "network", "connect", w.egress, w.agent)
	c := w.run("--require-isolation", "--resync", "10m")
	w.drop("web.yaml", w.spec("web", "/v1"))
	c.is("web", "Ready", "False NotIsolated", w.agent, "no sidecar is made")
	if exists(w.id + "-web") {
		t.Error("it was made")
	}
	docker(t, "network", "disconnect", w.egress, w.agent)
	c.ready("web")
	w.served(proxyURL+"/api/x", "/v1/x")
}

// on reports whether a container is on a network.
func on(t *testing.T, id, network string) bool {
	t.Helper()
	_, is := inspect(t, id).NetworkSettings.Networks[network]
	return is
}
