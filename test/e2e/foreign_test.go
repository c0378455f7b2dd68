//go:build e2e

package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// untouched fails when a container is not what it was.
func untouched(t *testing.T, before container) {
	t.Helper()
	after := inspect(t, before.ID)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("a container that is not ours was touched: %s", diff)
	}
}

// A container that is not ours and holds the name is left alone, and the status says who holds it.
func TestNameThatSomeoneElseHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	name := w.id + "-web"
	docker(t, "run", "-d", "--name", name, "--network", "none", toolboxImage, "sleep")
	foreign := inspect(t, name)

	c := w.run("--resync", "500ms")
	w.drop("web.yaml", w.spec("web", "/v1"))
	w.drop("other.yaml", w.spec("other", "/v1", "spec: hostname: other"))
	c.is("web", "Ready", "False NameConflict", name)
	c.logged("NameConflict", name)
	c.ready("other")
	untouched(t, foreign)

	docker(t, "rm", "-f", name)
	c.ready("web")
}

// Labels that come from an image do not make a container ours, whoever wrote the image.
func TestLabelsFromAnImageDoNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	image := toolboxImage + "-" + w.id
	err := importToolbox(image, "LABEL credproxy.dev/instance="+w.id+" credproxy.dev/name=ghost credproxy.dev/spec-hash=v1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", "-f", image).Run() })
	docker(t, "run", "-d", "--name", w.id+"-ghost", "--network", "none", image, "sleep")
	ghost := inspect(t, w.id+"-ghost")

	c := w.run("--resync", "200ms")
	w.drop("web.yaml", w.spec("web", "/v1"))
	c.ready("web")
	w.erase("web.yaml")
	eventually(t, "web is gone", func() error { return want(!exists(w.id+"-web"), "there") })
	plan, errOut, status := verb(t, append([]string{"plan", "--exit-code"}, w.passFlags()...)...)
	if status != 0 || strings.Contains(plan, "ghost") {
		t.Errorf("plan exits %d: %s%s", status, plan, errOut)
	}
	untouched(t, ghost)
}

// An alias on the internal network that someone else holds is not shared: the agent could reach either.
func TestAliasThatSomeoneElseHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	docker(t, "run", "-d", "--name", w.id+"-usurper", "--network", w.internal, "--network-alias", "cred-proxy", toolboxImage, "sleep")
	foreign := inspect(t, w.id+"-usurper")
	c := w.run("--resync", "500ms")
	w.drop("web.yaml", w.spec("web", "/v1"))
	c.is("web", "Ready", "False AliasConflict", w.id+"-usurper")
	untouched(t, foreign)
	docker(t, "rm", "-f", w.id+"-usurper")
	c.ready("web")
}

// Two specs that want the same place on the same network are both told.
func TestAliasInTwoSpecs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	w.drop("both.yaml", w.spec("one", "/v1")+"---\n"+w.spec("two", "/v2"))
	c := w.run()
	c.is("one", "Ready", "False AliasConflict", "two")
	c.is("two", "Ready", "False AliasConflict", "one")
	w.drop("both.yaml", w.spec("one", "/v1")+"---\n"+w.spec("two", "/v2", "spec: hostname: second"))
	c.ready("one")
	c.ready("two")
	w.served("http://second:9099/api/x", "/v2/x")
}

// Two instances on one engine do not see each other, even with specs of the same name.
func TestTwoInstances(t *testing.T) {
	t.Parallel()
	one, two := newWorld(t), newWorld(t)
	one.setToken("token", "token-one")
	two.setToken("token", "token-two")
	c1, c2 := one.run("--resync", "200ms"), two.run("--resync", "200ms")
	one.drop("web.yaml", one.spec("web", "/v1"))
	two.drop("web.yaml", two.spec("web", "/v2"))
	first := c1.ready("web")
	c2.ready("web")
	before := inspect(t, first.Status.ContainerID)
	one.served(proxyURL+"/api/x", "/v1/x")
	two.served(proxyURL+"/api/x", "/v2/x")

	two.erase("web.yaml")
	c2.gone(two, "web")
	untouched(t, before)
	one.served(proxyURL+"/api/y", "/v1/y")
}
