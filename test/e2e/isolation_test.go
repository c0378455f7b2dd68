//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// probed is what the toolbox says of one address.
type probed struct {
	Addr      string
	Connected bool
	Answer    string
	Error     string
}

// The listener serves the internal network alone: a neighbour on the egress network, a container that can route to
// the sidecar's internal address, and the host get not a single byte, and the upstream hears nothing from them.
func TestNobodyElseIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	id := c.ready("web").Status.ContainerID
	neighbour := w.id + "-neighbour"
	docker(t, "run", "-d", "--name", neighbour, "--network", w.egress, toolboxImage, "sleep")
	user := unprivilegedUser(t)

	nobodyIsServed := func(t *testing.T) {
		t.Helper()
		s := inspect(t, id)
		addrs := []string{s.address(w.internal) + ":9099", s.address(w.egress) + ":9099"}
		for who, through := range map[string][]string{
			"a neighbour on the egress network":   {"docker", "exec", neighbour, "/toolbox"},
			"the upstream":                        {"docker", "exec", w.upstream, "/toolbox"},
			"an unprivileged user of the host":    user,
			"the user of the host that runs this": {toolboxBinary},
		} {
			for _, p := range probe(t, through, addrs) {
				if p.Answer != "" {
					t.Errorf("%s was answered at %s: %s", who, p.Addr, p.Answer)
				}
				if p.Error == "" && !p.Connected {
					t.Errorf("the probe of %s at %s says nothing", who, p.Addr)
				}
			}
		}
	}
	t.Run("at first", nobodyIsServed)
	w.served(proxyURL+"/api/first", "/v1/first")

	// A disconnect and connect gives the sidecar another interface, under another name.
	docker(t, "network", "disconnect", w.internal, id)
	_, _ = tryDocker("network", "connect", "--alias", "cred-proxy", w.internal, id) // the controller may have been first
	w.served(proxyURL+"/api/after", "/v1/after")
	t.Run("after the internal network was reconnected", nobodyIsServed)

	docker(t, "network", "disconnect", w.egress, id)
	_, _ = tryDocker("network", "connect", w.egress, id)
	w.served(proxyURL+"/api/egress", "/v1/egress")
	t.Run("after the egress network was reconnected", nobodyIsServed)

	docker(t, "restart", "-t", "1", id)
	w.served(proxyURL+"/api/restarted", "/v1/restarted")
	t.Run("after a restart", nobodyIsServed)

	for _, got := range w.arrived() {
		if !strings.HasPrefix(got.URI, "/v1/") {
			t.Errorf("a probe arrived: %+v", got)
		}
	}
}

// unprivilegedUser runs the toolbox as nobody, where the tests run as root, and otherwise as they run.
func unprivilegedUser(t *testing.T) []string {
	t.Helper()
	if os.Geteuid() != 0 {
		return []string{toolboxBinary}
	}
	// The checkout may be in a directory that nobody else can enter, and so are those of t.TempDir.
	dir, err := os.MkdirTemp("", "toolbox") //nolint:usetesting // for the reason above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	data, err := os.ReadFile(toolboxBinary)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "toolbox")
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program}
}

// probe dials addresses from somewhere.
func probe(t *testing.T, through, addrs []string) []probed {
	t.Helper()
	line := append(append(append([]string{}, through...), "probe"), addrs...)
	out, err := exec.Command(line[0], line[1:]...).Output()
	if err != nil {
		t.Fatalf("%v: %v", line, err)
	}
	var results []probed
	if err := json.Unmarshal(out, &results); err != nil {
		t.Fatal(err)
	}
	return results
}
