//go:build e2e

package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A branch that deletes everything is more often a mistake than a wish: its sidecars serve on until a revert takes it
// back, or until a person says beside the running controller that it is meant.
func TestABranchThatDeletesEverythingMeetsTheBrake(t *testing.T) {
	t.Parallel()
	for name, sync := range map[string]func(*repository){
		"by a plain pull":           (*repository).pull,
		"in the manner of git-sync": (*repository).swap,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.setToken("token", "s3cret")
			r := newRepository(t, w)
			members := []string{"a", "b", "c", "d"}
			for _, member := range members {
				writeFile(t, filepath.Join(r.desk, member+".yaml"), w.spec(member, "/v1", "hostname: "+member))
			}
			r.pushAll()
			sync(r)
			c := w.run("--resync", "1h") // only what is noticed counts
			for _, member := range members {
				c.ready(member)
			}
			before := labelled(t, "container", w.id)

			r.deleteAll()
			sync(r)
			c.braked(members)
			if now := labelled(t, "container", w.id); !slices.Equal(now, before) {
				t.Errorf("there were the containers %v, and there are %v", before, now)
			}
			w.served("http://a:9099/api/x", "/v1/x")

			r.revert()
			sync(r)
			for _, member := range members {
				c.ready(member)
			}
			if now := labelled(t, "container", w.id); !slices.Equal(now, before) {
				t.Errorf("after the revert there are the containers %v, not %v", now, before)
			}

			r.deleteAll()
			sync(r)
			c.braked(members)
			if out, errOut, status := verb(t, append([]string{"apply", "--prune", "--state-dir", w.state}, w.passFlags()...)...); status != 0 {
				t.Errorf("apply --prune exits %d: %s%s", status, out, errOut)
			}
			for _, member := range members {
				c.gone(w, member)
			}
			for _, kind := range []string{"container", "volume"} {
				if left := labelled(t, kind, w.id); len(left) > 0 {
					t.Errorf("%ss are left: %v", kind, left)
				}
			}
		})
	}
}

// deleteAll commits that there are no specs any more.
func (r *repository) deleteAll() {
	r.t.Helper()
	r.git(r.desk, "rm", "-q", "*.yaml")
	writeFile(r.t, filepath.Join(r.desk, "README.md"), "Nothing is left.\n")
	r.pushAll()
}

// braked waits until the removal of each member is withheld, with the names of all that would go.
func (c *controller) braked(members []string) {
	c.t.Helper()
	for _, member := range members {
		c.is(member, "Ready", "False PruneBlocked", strings.Join(members, ", "), "apply --prune")
	}
}
