//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// With the capabilities that Docker gives by default, an agent can be taken for the sidecar by another agent on its network:
// that is seen. Without NET_RAW it cannot.
func TestSpoofingIsSeen(t *testing.T) {
	t.Parallel()
	e := newEscapes(t)
	victim, thief := e.agent, e.id+"-thief"
	join := func(name string, flags ...string) {
		t.Helper()
		line := append([]string{"run", "-d", "--name", name, "--network", e.internal}, flags...)
		docker(t, append(line, toolboxImage, "agent")...)
	}
	claimed := inspect(t, e.id+"-web").address(e.internal)
	spoof := func() (string, error) {
		target := inspect(t, victim)
		return e.attempt(thief, []string{"spoof", target.address(e.internal), target.mac(e.internal), claimed})
	}
	join(victim, "--cap-drop", "NET_RAW")
	join(thief)
	e.c.is("web", "Isolated", "False MaySpoof", "container \""+thief+"\" may pose as others", "NET_RAW")
	e.served(proxyURL+"/api/x", "/v1/x")
	eventually(t, "the victim's packets for the sidecar arrive at the thief", func() error {
		stop := e.keepAsking(victim)
		defer stop()
		out, err := spoof()
		var caught struct {
			Intercepted bool
			To          string
		}
		if err == nil {
			err = json.Unmarshal([]byte(out), &caught)
		}
		if err == nil {
			err = want(caught.Intercepted && strings.HasPrefix(caught.To, claimed+":"), out)
		}
		return err
	})

	docker(t, "rm", "-f", thief)
	join(thief, "--cap-drop", "NET_RAW")
	e.harmless(t)
	if out, err := spoof(); err == nil {
		t.Errorf("without NET_RAW it poses as the sidecar all the same: %s", out)
	}
}

// keepAsking has an agent send requests to the sidecar until it is told to stop.
func (e *escapes) keepAsking(agent string) (stop func()) {
	asking, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-asking:
				return
			default:
				// Some go astray: that is the point.
				_, _ = tryDocker("exec", agent, "/toolbox", "get", "-t", "1s", proxyURL+"/api/asking")
			}
		}
	}()
	return func() { close(asking); <-stopped }
}

// Networks that people make with less care than the controller let an agent out, and the condition says how.
func TestNetworksThatLetAnAgentOutAreSeen(t *testing.T) {
	t.Parallel()
	inhibited := []string{"--internal", "-o", "com.docker.network.bridge.inhibit_ipv4=true"}
	for name, tc := range map[string]struct {
		flags []string
		// address is where the agent dials the host.
		address func(network, port string) string
		said    string
	}{
		"it leads out": {
			address: func(_, port string) string { return onPort(gateways(t, "bridge"), port)[0] },
			said:    "False NotInternal: breach: network",
		},
		"the host is on it": {
			flags:   []string{"--internal"},
			address: func(network, port string) string { return onPort(gateways(t, network), port)[0] },
			said:    "False HostReachable: breach: network",
		},
		"it has IPv6": {
			flags:   append(inhibited, "--ipv6", "--subnet", "fd00:cafe:5eed::/64"),
			address: func(_, port string) string { return "[fd00:cafe:5eed::1]:" + port },
			said:    "False IPv6Enabled: breach: network",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := emptyWorld(t)
			w.setToken("token", theLoot)
			docker(t, append([]string{"network", "create", w.internal}, tc.flags...)...)
			docker(t, "network", "create", w.egress)
			c := w.run()
			w.drop("web.yaml", w.spec("web", "/v1"))
			c.is("web", "Isolated", tc.said)
			docker(t, "run", "-d", "--name", w.agent, "--network", w.internal, toolboxImage, "agent")
			address := tc.address(w.internal, hostListener(t))
			eventually(t, "the agent reaches the host", func() error { // an address takes a moment to be used
				p := probe(t, []string{"docker", "exec", w.agent, "/toolbox"}, []string{address})[0]
				return want(p.Connected, p)
			})
		})
	}
}
