//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// What somebody else uses stays when the spec goes, is said, and goes when it is free.
func TestANetworkInUseGoesWhenItIsFree(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1", "spec: createNetworks: true"))
	c.ready("web")
	docker(t, "run", "-d", "--name", w.agent, "--network", w.internal, toolboxImage, "agent")

	w.erase("web.yaml")
	c.is("web", "Ready", "False NetworkInUse", w.internal, w.agent)
	eventually(t, "the sidecar and the network that nobody uses are gone", func() error {
		return want(!exists(w.id+"-web") && len(labelled(t, "network", w.id)) == 1, labelled(t, "network", w.id))
	})
	_, stderr, status := verb(t, "wait", "web", "--for", "Deleted", "--timeout", "2s", "--server", c.listen)
	if status != 1 || !containsAll(stderr, []string{"NetworkInUse", w.internal, w.agent}) {
		t.Errorf("the wait for its end ends with %d: %s", status, stderr)
	}
	docker(t, "network", "disconnect", w.internal, w.agent)
	if _, stderr, status := verb(t, "wait", "web", "--for", "Deleted", "--server", c.listen); status != 0 {
		t.Errorf("the wait for its end ends with %d: %s", status, stderr)
	}
	if left := labelled(t, "network", w.id); len(left) > 0 {
		t.Errorf("there are networks %v", left)
	}
	if n := strings.Count(c.page("/api/v1alpha1/events"), `"NetworkInUse"`); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

// A network that was made for a spec is that spec's alone, also for one that comes later, and one of which a spec is not
// the maker is never removed.
func TestANetworkThatWasMadeForASpecIsItsOwn(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.setToken("token", "s3cret")
	theirs := w.openNetwork()
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1", "spec: createNetworks: true"))
	c.ready("web")
	own := w.internal
	w.internal = w.id + "-other-internal"
	w.drop("other.yaml", w.spec("other", "/v1", "spec: createNetworks: true"))
	c.is("other", "Ready", "False NetworkConflict", w.egress, "web")
	w.egress = theirs
	w.drop("other.yaml", w.spec("other", "/v1", "spec: createNetworks: true"))
	c.ready("other")
	w.internal = own
	w.drop("third.yaml", w.spec("third", "/v1", "spec: hostname: third"))
	c.is("third", "Ready", "False NetworkConflict", w.internal, "web")
	for _, name := range []string{"third", "other", "web"} {
		w.erase(name + ".yaml")
		c.gone(w, name)
	}
	eventually(t, "their networks are gone", func() error { return empty(labelled(t, "network", w.id)) })
	docker(t, "network", "inspect", theirs)
}
