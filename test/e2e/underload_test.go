//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

const (
	reloads        = 50    // at least, under load
	reloadRequests = 20000 // at least, while they happen
	replacements   = 10
	// breath is how long a visitor rests after a request: what is tested is no figure of speed, and the engine, which
	// answers for every name that is resolved, needs the machine too.
	breath = "2ms"
	// loadAtMost bounds a story under load, however slow the machine is.
	loadAtMost = 4 * patience
)

// While routes are edited over and over, neither who keeps connections nor who makes new ones loses a request.
func TestReloadsLoseNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v0"))
	last := c.ready("web")
	fresh, keeping := w.visitors("-c", "2", "-pause", breath), w.visitors("-c", "2", "-pause", breath, "-keep")
	fresh.ask("web", proxyURL+"/api/x")
	keeping.ask("web", proxyURL+"/api/x")
	made, deadline := 0, time.Now().Add(loadAtMost)
	for made < reloads || fresh.total().OK+keeping.total().OK < reloadRequests {
		if time.Now().After(deadline) {
			t.Fatalf("after %s there were %d reloads", loadAtMost, made)
		}
		made++
		w.drop("web.yaml", w.spec("web", fmt.Sprintf("/v%d", made)))
		last = c.otherThan("web", last)
	}
	t.Logf("%d reloads", made)
	if ids := labelled(t, "container", w.id); len(ids) != 1 || ids[0] != last.Status.ContainerID {
		t.Errorf("there are containers %v", ids)
	}
	fresh.lostNone("who makes new connections")
	keeping.lostNone("who keeps connections")
}

// While a sidecar is replaced over and over, who makes a new connection for each request and tries the next address
// when one refuses loses none.
func TestReplacementsLoseNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run("--drain-timeout", "5s")
	w.drop("web.yaml", w.spec("web", "/v1"))
	last := c.ready("web")
	fresh, keeping := w.visitors("-c", "2", "-pause", breath), w.visitors("-c", "1", "-pause", breath, "-keep")
	fresh.ask("web", proxyURL+"/api/x")
	keeping.ask("web", proxyURL+"/api/x")
	for i := range replacements {
		delivery := []string{"Env", "Memory", "File"}[i%3]
		w.drop("web.yaml", w.spec("web", "/v1", "spec: tokenDelivery: "+delivery))
		last = c.otherThan("web", last)
		eventually(t, "its predecessor is gone", func() error {
			ids := labelled(t, "container", w.id)
			return want(len(ids) == 1 && ids[0] == last.Status.ContainerID && exists(w.id+"-web"), ids)
		})
		// The engine takes a container off its network just before it takes it off the name. Who looked the name up
		// meanwhile waits for the address that fell silent, and finds the next one still there if no other replacement
		// came in the same breath.
		fresh.turn()
		keeping.turn()
	}
	fresh.lostNone("who makes new connections")
	keeping.lostNone("who keeps connections")
}

// otherThan waits until a spec is Ready in another way than before: with other routes, or by another container.
func (c *controller) otherThan(name string, before object) object {
	c.t.Helper()
	var now object
	eventually(c.t, name+" follows the edit", func() (err error) {
		now, err = c.get(name)
		switch {
		case err != nil:
			return err
		case !now.isReady():
			return errors.New(now.condition("Ready"))
		}
		return want(now.differs(before), now.Status)
	})
	return now
}
