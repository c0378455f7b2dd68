//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// manyEnvironments need twice as many networks, which is four times what an engine's own pools hold.
const manyEnvironments = 60

// Many environments with networks of their own are made of the operator's addresses, all serve, and when they are removed
// nothing is left.
func TestManyEnvironmentsWithNetworksOfTheirOwn(t *testing.T) {
	netns := ""
	if mayHaveOwnEngine(t) {
		own := newOwnEngine(t)
		netns = fmt.Sprintf("/proc/%d/ns/net", own.holder.Process.Pid)
		t.Setenv("DOCKER_HOST", own.host())
		if err := importToolbox(toolboxImage); err != nil {
			t.Fatal(err)
		}
	}
	w := emptyWorld(t)
	w.setToken("token", "s3cret")
	w.netns = netns
	upstream := w.hostUpstream()
	before := leftOn(t)
	c := w.run("--network-pool", "10.231.0.0/20", "--drain-timeout", "1s")
	var names []string
	for i := range manyEnvironments {
		name := fmt.Sprintf("env%02d", i)
		names = append(names, name)
		w.internal, w.egress = w.id+"-"+name+"-internal", w.id+"-"+name+"-egress"
		w.drop(name+".yaml", w.specTo(upstream, name, "/"+name, "spec: createNetworks: true"))
	}
	for _, name := range names {
		c.ready(name)
	}
	w.apart(2 * manyEnvironments)
	t.Run("each serves its own agent", func(t *testing.T) {
		for _, name := range []string{names[0], names[manyEnvironments/2], names[manyEnvironments-1]} {
			out, err := tryDocker("run", "--rm", "--name", w.id+"-"+name+"-agent", "--network", w.id+"-"+name+"-internal",
				toolboxImage, "get", "-f", proxyURL+"/api/x")
			if err != nil || !strings.Contains(out, `"/`+name+`/x"`) {
				t.Errorf("%s is answered %s, %v", name, out, err)
			}
		}
	})
	for _, name := range names {
		w.erase(name + ".yaml")
	}
	// That all should go at once looks like a mistake, and has to be said by a person.
	w.prune("--network-pool", "10.231.0.0/20")
	eventually(t, "nothing is left", func() error {
		all, err := c.list()
		if err == nil {
			err = want(len(all) == 0, len(all))
		}
		return err
	})
	for _, kind := range []string{"container", "volume", "network"} {
		if left := labelled(t, kind, w.id); len(left) > 0 {
			t.Errorf("there are %d of %s left", len(left), kind)
		}
	}
	if after := leftOn(t); after != before {
		t.Errorf("there was\n%s\nand there is\n%s", before, after)
	}
}

// apart holds that so many networks of the world have subnets of the pool that overlap nobody's.
func (w *world) apart(wanted int) {
	w.t.Helper()
	pool := netip.MustParsePrefix("10.231.0.0/20")
	ids := labelled(w.t, "network", w.id)
	var subnets []netip.Prefix
	for line := range strings.Lines(docker(w.t, append([]string{"network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}}{{end}}"}, ids...)...)) {
		subnet, err := netip.ParsePrefix(strings.TrimSpace(line))
		if err != nil || !pool.Overlaps(subnet) || subnet.Bits() != 28 {
			w.t.Errorf("a network has %s, %v", line, err)
		}
		for _, other := range subnets {
			if other.Overlaps(subnet) {
				w.t.Errorf("two networks have %s and %s", subnet, other)
			}
		}
		subnets = append(subnets, subnet)
	}
	if len(subnets) != wanted {
		w.t.Errorf("there are %d networks, not %d", len(subnets), wanted)
	}
}

// prune is a person's `controller apply --prune` beside the controller that runs.
func (w *world) prune(flags ...string) {
	w.t.Helper()
	args := append([]string{"apply", "--prune", "--state-dir", w.state}, append(w.passFlags(), flags...)...)
	if out, stderr, status := verb(w.t, args...); status != 0 {
		w.t.Fatalf("apply --prune ends with %d: %s%s", status, out, stderr)
	}
}

// leftOn counts what is on the engine.
func leftOn(t testing.TB) string {
	t.Helper()
	count := func(args ...string) int { return len(strings.Fields(docker(t, args...))) }
	return fmt.Sprintf("%d containers, %d volumes, %d networks", count("ps", "-aq"), count("volume", "ls", "-q"), count("network", "ls", "-q"))
}
