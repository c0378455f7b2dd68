//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
)

// A controller that ends leaves sidecars running, and the next one takes them over as they are.
func TestSidecarsOutliveTheController(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	first := c.ready("web")
	before := inspect(t, first.Status.ContainerID)
	c.terminate()
	if c.err != nil {
		t.Errorf("SIGTERM ended it with %v", c.err)
	}
	w.served(proxyURL+"/api/meanwhile", "/v1/meanwhile")

	c = w.run()
	second := c.ready("web")
	after := inspect(t, first.Status.ContainerID)
	if second.Status.ContainerID != first.Status.ContainerID || after.State.StartedAt != before.State.StartedAt {
		t.Errorf("the sidecar was replaced or restarted: %s, started at %s", second.Status.ContainerID, after.State.StartedAt)
	}
	w.drop("web.yaml", w.spec("web", "/v2"))
	w.served(proxyURL+"/api/x", "/v2/x")
	c.terminate()

	// What is edited and deleted meanwhile is followed at the next start.
	w.drop("web.yaml", w.spec("web", "/v3"))
	w.drop("other.yaml", w.spec("other", "/v1", "spec: hostname: other"))
	c = w.run()
	w.served(proxyURL+"/api/x", "/v3/x")
	c.ready("other")
	c.terminate()
	w.erase("other.yaml")
	c = w.run()
	c.ready("web")
	eventually(t, "the deleted one is gone", func() error { return want(len(labelled(t, "container", w.id)) == 1, "there") })
}

// Killed in the middle of making several, the next controller ends with one sidecar each and no litter.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	var names []string
	for i := range 5 {
		name := fmt.Sprintf("web%d", i)
		names = append(names, name)
		w.drop(name+".yaml", w.spec(name, "/"+name, "spec: hostname: "+name))
	}
	for made := range 4 {
		c := w.run()
		eventually(t, "some are made", func() error {
			ids := labelled(t, "container", w.id)
			return want(len(ids) > made, ids)
		})
		c.kill()
	}
	c := w.run()
	for _, name := range names {
		c.ready(name)
		w.served("http://"+name+":9099/api/x", "/"+name+"/x")
	}
	if ids := labelled(t, "container", w.id); len(ids) != len(names) {
		t.Errorf("%d specs have %d containers", len(names), len(ids))
	}
	for _, name := range names {
		if !exists(w.id + "-" + name) {
			t.Errorf("%s does not have its own name", name)
		}
	}
	eventually(t, "there is one volume each", func() error {
		volumes := labelled(t, "volume", w.id)
		return want(len(volumes) == len(names), volumes)
	})
}

// What others do to a sidecar is repaired.
func TestDriftIsRepaired(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(t *testing.T, w *world, id string){
		"removed": func(t *testing.T, _ *world, id string) { docker(t, "rm", "-fv", id) },
		"killed":  func(t *testing.T, _ *world, id string) { docker(t, "kill", id) },
		"stopped": func(t *testing.T, _ *world, id string) { docker(t, "stop", id) },
		"paused":  func(t *testing.T, _ *world, id string) { docker(t, "pause", id) },
		"renamed": func(t *testing.T, w *world, id string) { docker(t, "rename", id, w.id+"-else") },
		"limits": func(t *testing.T, _ *world, id string) {
			docker(t, "update", "--memory", "100m", "--memory-swap", "100m", id)
		},
		"off internal": func(t *testing.T, w *world, id string) { docker(t, "network", "disconnect", w.internal, id) },
		"off egress":   func(t *testing.T, w *world, id string) { docker(t, "network", "disconnect", w.egress, id) },
		"without alias": func(t *testing.T, w *world, id string) {
			docker(t, "network", "disconnect", w.internal, id)
			_, _ = tryDocker("network", "connect", w.internal, id) // the controller may have been first
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.setToken("token", "s3cret")
			// No resync will find it: the engine's event does.
			c := w.run("--resync", "1h", "--drain-timeout", "2s")
			w.drop("web.yaml", w.spec("web", "/v1"))
			harm(t, w, c.ready("web").Status.ContainerID)
			eventually(t, "it is as it should be", func() error {
				s, err := tryInspect(w.id + "-web")
				if err != nil {
					return err
				}
				return want(s.State.Status == "running" && s.HostConfig.Memory == 64<<20 &&
					slices.Contains(s.NetworkSettings.Networks[w.internal].Aliases, "cred-proxy") &&
					s.address(w.egress) != "", s)
			})
			c.ready("web")
			w.served(proxyURL+"/api/x", "/v1/x")
			if ids := labelled(t, "container", w.id); len(ids) != 1 {
				t.Errorf("there are containers %v", ids)
			}
		})
	}
}

// The engine starts a sidecar again that ends by itself, without a controller and after the signals of one.
func TestTheEngineStartsASidecarThatWasSignalledAgain(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // nobody else may end its process past the engine
	}
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	c.ready("web")
	w.drop("web.yaml", w.spec("web", "/v2"))
	w.served(proxyURL+"/api/x", "/v2/x")
	c.terminate()
	before := inspect(t, w.id+"-web")
	if err := syscall.Kill(before.State.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the engine has started it again", func() error {
		now := inspect(t, w.id+"-web")
		return want(now.ID == before.ID && now.State.Status == "running" && now.RestartCount == 1, now.State)
	})
	w.served(proxyURL+"/api/x", "/v2/x")
}
