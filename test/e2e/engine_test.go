//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// gone is how long an engine is away in the story of one that was stopped.
const engineIsGoneFor = 10 * time.Second

// outage is a story of an engine that goes, and comes back.
type outage struct {
	*outpost
	c     *controller
	names []string
	// versions are what the members' files say now.
	versions map[string]int
}

// Whatever happens to the engine, the controller says so, and follows what was edited meanwhile once it is back,
// without a second sidecar for anything.
func TestEngineOutages(t *testing.T) {
	t.Parallel()
	if !mayHaveOwnEngine(t) {
		t.Log("LEFT OUT: an engine of its own, to be killed, stopped and hung, takes root")
		return
	}
	o := &outage{outpost: newOutpost(t), names: []string{"one", "two", "three"}, versions: map[string]int{}}
	o.setToken("token", "s3cret")
	o.c = o.run("--docker-host", o.engine.host(), "--call-timeout", "2s", "--resync", "10s")
	for _, name := range o.names {
		o.declare(name)
	}
	o.converged()
	t.Run("killed and started again", func(*testing.T) {
		o.engine.kill()
		o.noticed()
		o.declare("two")
		o.engine.start()
		o.converged()
	})
	t.Run("stopped for a while", func(*testing.T) {
		o.engine.stop()
		o.noticed()
		o.declare("three")
		back := time.Now().Add(engineIsGoneFor)
		eventually(t, "the engine has been gone for long enough", func() error {
			if err := o.c.answers("/readyz", http.StatusServiceUnavailable); err != nil {
				t.Error(err)
			}
			return want(time.Now().After(back), "too early")
		})
		o.engine.start()
		o.converged()
	})
	t.Run("hung", func(*testing.T) {
		before, made := o.ids(), o.requests()
		o.engine.hang()
		o.noticed()
		o.declare("one")
		o.engine.resume()
		o.converged()
		if after := o.ids(); after != before {
			t.Errorf("there were containers %s, and there are %s", before, after)
		}
		for operation, n := range o.requests() {
			switch n -= made[operation]; operation {
			case "container_create", "container_start", "container_stop", "container_remove", "container_rename",
				"network_connect", "network_disconnect", "volume_remove":
				if n > 0 {
					t.Errorf("%s was called %d times for sidecars that served all the while", operation, n)
				}
			}
		}
	})
}

// declare edits a spec, or makes it.
func (o *outage) declare(name string) {
	o.t.Helper()
	o.versions[name]++
	o.drop(name+".yaml", o.spec(name, fmt.Sprintf("/v%d", o.versions[name]), "hostname: "+name))
}

// noticed waits until the controller says what is wrong, everywhere.
func (o *outage) noticed() {
	o.t.Helper()
	for _, name := range o.names {
		o.c.is(name, "Ready", "Unknown EngineUnavailable")
	}
	eventually(o.t, "it says that it is not ready", func() error { return o.c.answers("/readyz", http.StatusServiceUnavailable) })
	if up, err := o.c.metric("credproxy_docker_up"); err != nil || up != 0 {
		o.t.Errorf("credproxy_docker_up is %v, %v", up, err)
	}
}

// converged waits until every spec is in force, by one container each.
func (o *outage) converged() {
	o.t.Helper()
	began := time.Now()
	for _, name := range o.names {
		o.c.ready(name)
	}
	o.t.Logf("all are Ready %s after the engine answered", time.Since(began).Round(time.Millisecond))
	for _, name := range o.names {
		o.served("http://"+name+":9099/api/x", fmt.Sprintf("/v%d/x", o.versions[name]))
		o.c.ready(name)
	}
	o.c.readyz()
	for kind, args := range map[string][]string{"container": {"ps", "-aq"}, "volume": {"volume", "ls", "-q"}} {
		left := strings.Fields(o.engine.does(append(args, "--filter", "label=credproxy.dev/instance="+o.id)...))
		if len(left) != len(o.names) {
			o.t.Errorf("%d specs have %d of %s: %v", len(o.names), len(left), kind, left)
		}
	}
}

// ids are the sidecars' names and IDs.
func (o *outage) ids() string {
	return o.engine.does("ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}", "--filter", "label=credproxy.dev/instance="+o.id)
}

// requests counts the calls to the engine by operation.
func (o *outage) requests() map[string]int {
	counts := map[string]int{}
	for line := range strings.Lines(o.c.page("/metrics")) {
		series, value, _ := strings.Cut(line, " ")
		_, operation, ok := strings.Cut(series, `operation="`)
		var n int
		if _, err := fmt.Sscan(value, &n); ok && err == nil && strings.HasPrefix(series, "credproxy_docker_requests_total") {
			counts[strings.TrimSuffix(operation, `"}`)] += n
		}
	}
	return counts
}

// A network that is removed under a sidecar, and made anew, is another network of the same name: the sidecar is
// brought onto it, and the cause is told.
func TestNetworkIsRemovedUnderASidecar(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(*world) (network, neighbour string, flags []string){
		"internal": func(w *world) (string, string, []string) { return w.internal, w.agent, []string{"--internal"} },
		"egress":   func(w *world) (string, string, []string) { return w.egress, w.upstream, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.setToken("token", "s3cret")
			c := w.run("--drain-timeout", "2s")
			w.drop("web.yaml", w.spec("web", "/v1"))
			c.ready("web")
			network, neighbour, flags := of(w)
			docker(t, "network", "disconnect", "-f", network, neighbour)
			eventually(t, "the network is removed", func() error {
				// The controller may have put it back already.
				_, _ = tryDocker("network", "disconnect", "-f", network, w.id+"-web")
				_, err := tryDocker("network", "rm", network)
				return err
			})
			c.is("web", "Ready", "False NetworkNotFound", network)
			docker(t, append([]string{"network", "create", network}, flags...)...)
			docker(t, "network", "connect", network, neighbour)
			c.ready("web")
			w.served(proxyURL+"/api/x", "/v1/x")
			if ids := labelled(t, "container", w.id); len(ids) != 1 {
				t.Errorf("there are containers %v", ids)
			}
			c.logged("name=web", "it is not on its "+name+" network")
		})
	}
}
