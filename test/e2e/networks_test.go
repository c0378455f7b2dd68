//go:build e2e

package e2e

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// On the networks that a controller makes an agent reaches its sidecar and nothing else, the host included, and who is on
// the egress network reaches nobody there. The sidecar does its work all the same.
func TestNetworksOfASpecAreShutIn(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.setToken("token", "s3cret")
	upstream := w.hostUpstream()
	c := w.run()
	w.drop("web.yaml", w.specTo(upstream, "web", "/v1", "spec: createNetworks: true"))
	c.ready("web")
	docker(t, "run", "-d", "--name", w.agent, "--network", w.internal, toolboxImage, "agent")
	w.served(proxyURL+"/api/x", "/v1/x")

	t.Run("the host", func(t *testing.T) {
		port := hostListener(t)
		addresses := append(hostAddresses(t), gateways(t, w.internal)...)
		for _, p := range probe(t, []string{"docker", "exec", w.agent, "/toolbox"}, onPort(addresses, port)) {
			if p.Connected {
				t.Errorf("the agent reaches the host at %s", p.Addr)
			}
		}
		// Without what the controller adds, it does.
		plain := w.id + "-plain-internal"
		docker(t, "network", "create", "--internal", plain)
		docker(t, "run", "-d", "--name", w.id+"-plain", "--network", plain, toolboxImage, "agent")
		for _, p := range probe(t, []string{"docker", "exec", w.id + "-plain", "/toolbox"}, onPort(gateways(t, plain), port)) {
			if !p.Connected {
				t.Errorf("this story would see nothing: nobody reaches the host at %s: %s", p.Addr, p.Error)
			}
		}
	})
	t.Run("the neighbours", func(t *testing.T) {
		sidecar := inspect(t, w.id+"-web").address(w.egress)
		for network, open := range map[string]bool{w.egress: false, w.openNetwork(): true} {
			one, two := network+"-one", network+"-two"
			docker(t, "run", "-d", "--name", one, "--network", network, toolboxImage, "upstream")
			docker(t, "run", "-d", "--name", two, "--network", network, toolboxImage, "agent")
			for _, p := range probe(t, []string{"docker", "exec", two, "/toolbox"}, []string{inspect(t, one).address(network) + ":8080", sidecar + ":9099"}) {
				if wanted := open && strings.HasSuffix(p.Addr, ":8080"); p.Connected != wanted {
					t.Errorf("on %s, a neighbour reaches %s: %v", network, p.Addr, p.Connected)
				}
			}
		}
	})
}

// openNetwork is a network as people make it.
func (w *world) openNetwork() string {
	w.t.Helper()
	docker(w.t, "network", "create", w.id+"-open")
	return w.id + "-open"
}

// Whichever of the two networks sorts first, requests leave by egress.
func TestRequestsLeaveByEgress(t *testing.T) {
	t.Parallel()
	for name, order := range map[string][2]string{"internal first": {"a", "z"}, "egress first": {"z", "a"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := emptyWorld(t)
			w.internal, w.egress = order[0]+"-"+w.id, order[1]+"-"+w.id
			w.setToken("token", "s3cret")
			upstream := w.hostUpstream()
			c := w.run("--drain-timeout", "2s")
			w.drop("web.yaml", w.specTo(upstream, "web", "/v1", "spec: createNetworks: true"))
			c.ready("web")
			docker(t, "run", "-d", "--name", w.agent, "--network", w.internal, toolboxImage, "agent")
			w.leavesByEgress("/first", upstream)
			docker(t, "network", "disconnect", w.egress, w.id+"-web")
			_, _ = tryDocker("network", "connect", w.egress, w.id+"-web") // the controller may have been first
			w.leavesByEgress("/reconnected", upstream)
			w.drop("web.yaml", w.specTo(upstream, "web", "/v1", "spec: createNetworks: true", "spec: tokenDelivery: Env"))
			eventually(t, "a replacement serves alone", func() error {
				sidecar, err := tryInspect(w.id + "-web")
				return want(err == nil && strings.Contains(strings.Join(sidecar.Config.Env, " "), "CRED_PROXY_TOKEN_1"), err)
			})
			w.leavesByEgress("/replaced", upstream)
		})
	}
}

// A container beside the agent that bears the upstream's name gets nothing, also while nobody on the egress network bears it.
func TestNobodyInsideIsTakenForTheUpstream(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	c.ready("web")
	w.served(proxyURL+"/api/x", "/v1/x")
	impostor := w.id + "-impostor"
	docker(t, "run", "-d", "--name", impostor, "--network", w.internal, "--network-alias", w.upstream, toolboxImage, "upstream")
	docker(t, "rm", "-f", w.upstream)
	eventually(t, "the sidecar finds the impostor alone, and does not ask it", func() error {
		out, err := w.agentRuns("get", proxyURL+"/api/x")
		if err == nil {
			err = want(strings.Contains(out, "its address is one of the internal network"), out)
		}
		return err
	})
	if got := docker(t, "exec", impostor, "/toolbox", "records"); got != "[]" {
		t.Errorf("the impostor heard %s", got)
	}
}

// A range of IPv6 is for the way out alone: the agent has none, so that it cannot reach the host by it.
func TestIPv6IsForTheWayOut(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.setToken("token", "s3cret")
	c := w.run("--network-pool", "10.231.16.0/24", "--network-pool", "fd12:3456:789a::/48")
	w.drop("web.yaml", w.spec("web", "/v1", "spec: createNetworks: true"))
	sidecar := inspect(t, c.ready("web").Status.ContainerID)
	docker(t, "run", "-d", "--name", w.agent, "--network", w.internal, toolboxImage, "agent")
	if out := sidecar.NetworkSettings.Networks[w.egress]; !strings.HasPrefix(out.GlobalIPv6Address, "fd12:3456:789a:") || !strings.HasPrefix(out.IPAddress, "10.231.16.") {
		t.Errorf("on its egress network it has %q and %q", out.IPAddress, out.GlobalIPv6Address)
	}
	for who, c := range map[string]container{"the sidecar": sidecar, "the agent": inspect(t, w.agent)} {
		if in := c.NetworkSettings.Networks[w.internal]; in.GlobalIPv6Address != "" || !strings.HasPrefix(in.IPAddress, "10.231.16.") {
			t.Errorf("on the internal network %s has %q and %q", who, in.IPAddress, in.GlobalIPv6Address)
		}
	}
}

// leavesByEgress has the agent make a request, and looks from where the upstream got it.
func (w *world) leavesByEgress(path string, upstream hostUpstream) {
	w.t.Helper()
	w.served(proxyURL+"/api"+path, "/v1"+path)
	all := upstream.arrived(w.t)
	last := all[len(all)-1]
	from, _, err := net.SplitHostPort(last.Remote)
	if egress := inspect(w.t, w.id+"-web").address(w.egress); err != nil || last.URI != "/v1"+path || from != egress {
		w.t.Errorf("%s came from %s, and not from %s (%v)", last.URI, last.Remote, egress, err)
	}
}

// hostUpstream is an upstream in the network of the engine's host, at an address that only a way out leads to.
type hostUpstream struct{ name, address, records string }

func (w *world) hostUpstream() hostUpstream {
	w.t.Helper()
	port := func() string { return docker(w.t, "run", "--rm", "--network", "host", toolboxImage, "freeport") }
	u := hostUpstream{w.upstream, net.JoinHostPort(hostAddress(w.t, w.netns), port()), "127.0.0.1:" + port()}
	docker(w.t, "run", "-d", "--name", u.name, "--network", "host", toolboxImage, "upstream", "-listen", u.address, "-records", u.records)
	return u
}

// hostAddress gives the engine's host an address until the test ends that is no network's gateway, since no sidecar dials
// those. netns is the host's network namespace; empty for that of the test.
func hostAddress(t *testing.T, netns string) string {
	t.Helper()
	b := make([]byte, 2)
	_, _ = rand.Read(b)
	address := netip.AddrFrom4([4]byte{10, 213, b[0], b[1]}).String()
	ip := func(args ...string) error {
		return command("", "nsenter", append([]string{"--net=" + cmp.Or(netns, "/proc/self/ns/net"), "ip"}, args...)...)
	}
	if err := errors.Join(ip("link", "set", "lo", "up"), ip("address", "add", address+"/32", "dev", "lo")); err != nil {
		t.Fatalf("this takes root, and iproute2: %v", err)
	}
	t.Cleanup(func() { _ = ip("address", "del", address+"/32", "dev", "lo") })
	return address
}

// specTo is spec with another upstream.
func (w *world) specTo(u hostUpstream, name, upstreamPath string, more ...string) string {
	return strings.Replace(w.spec(name, upstreamPath, more...), w.upstream+":8080", u.address, 1)
}

func (u hostUpstream) arrived(t testing.TB) []request {
	t.Helper()
	return requests(t, docker(t, "exec", u.name, "/toolbox", "get", "http://"+u.records))
}

// hostListener accepts connections on all addresses of the host.
func hostListener(t *testing.T) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// hostAddresses are the host's own IPv4 addresses, but for loopback.
func hostAddresses(t *testing.T) (addresses []string) {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			addresses = append(addresses, ip.IP.String())
		}
	}
	return addresses
}

// gateways are the addresses that an engine gives to the host on a network: that which it reports, or else the first.
func gateways(t testing.TB, network string) (addresses []string) {
	t.Helper()
	lines := docker(t, "network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{println}}{{end}}", network)
	for line := range strings.Lines(lines) {
		switch fields := strings.Fields(line); len(fields) {
		case 2:
			addresses = append(addresses, fields[1])
		case 1:
			addresses = append(addresses, netip.MustParsePrefix(fields[0]).Masked().Addr().Next().String())
		}
	}
	return addresses
}

func onPort(addresses []string, port string) []string {
	dialled := make([]string, len(addresses))
	for i, a := range addresses {
		dialled[i] = fmt.Sprint(a, ":", port)
	}
	return dialled
}
