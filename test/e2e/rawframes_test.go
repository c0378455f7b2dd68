//go:build e2e

package e2e

import "testing"

// A neighbour on the egress network need not ask the kernel where a packet goes: it can put one that is meant for the
// sidecar's internal address on the wire of the egress network. Linux takes it in there, and nobody listens for it.
func TestRawFramesFromTheEgressNetworkFindNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	s := inspect(t, c.ready("web").Status.ContainerID)
	inside := s.address(w.internal) + ":9099"

	knock := func(from, mac, address string) string {
		t.Helper()
		return docker(t, "exec", from, "/toolbox", "knock", "-mac", mac, address)
	}
	if heard := knock(w.agent, s.mac(w.internal), inside); heard != "syn-ack" {
		t.Errorf("the agent hears %q when it knocks where it may", heard)
	}
	for _, address := range []string{inside, s.address(w.egress) + ":9099"} {
		if heard := knock(w.upstream, s.mac(w.egress), address); heard == "syn-ack" {
			t.Errorf("a neighbour on the egress network gets a connection to %s", address)
		}
	}
}
