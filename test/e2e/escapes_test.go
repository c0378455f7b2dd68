//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// escape is a way in which an agent's container can be made so that it gets around its sidecar. It is really tried, and
// the condition has to say of that container what the trying showed.
type escape struct {
	name string
	// flags are those of docker run, beside the internal network; network replaces that.
	flags   []string
	network string
	// more is done to the container before the attempt.
	more func(*escapes, string)
	// attempt is what the toolbox does in the container, and loot what it then prints, with nothing else to be proud of.
	attempt []string
	loot    string
	// prevented tells that the sidecar keeps its files to itself, also where the container could see them.
	prevented bool
	// said is what the condition says of the container.
	said string
	// refused is what the engine says where nobody can make such a container.
	refused string
}

// escapes is an environment whose networks the controller made, and what there is to get for an agent that escapes.
type escapes struct {
	*world
	c    *controller
	loot string
	// engine is the path of the engine's socket, volume the sidecar's, and pid its process.
	engine, volume string
	pid            int
	// tool is a container elsewhere that commands the engine, and database another internal network, made as usual.
	tool, database string
	// upstream is where the token is sent, and host a port on every address of the host, and hostLink its link-local one.
	direct, host, hostLink string
}

// theLoot is the token that escapes are after.
const theLoot = "t0ken-that-agents-are-after"

func newEscapes(t *testing.T) *escapes {
	t.Helper()
	w := emptyWorld(t)
	w.setToken("token", theLoot)
	upstream := w.hostUpstream()
	e := &escapes{world: w, c: w.run(), loot: theLoot, direct: upstream.address, host: hostListener(t)}
	w.drop("web.yaml", w.specTo(upstream, "web", "/v1", "spec: createNetworks: true"))
	sidecar := inspect(t, e.c.ready("web").Status.ContainerID)
	network, address := engineAddress(t)
	if network != "unix" {
		t.Fatalf("this story needs an engine on a unix socket, not on %s", network)
	}
	e.engine, e.volume = address, sidecar.Mounts[0].Name
	pid, err := strconv.Atoi(docker(t, "inspect", "-f", "{{.State.Pid}}", sidecar.ID))
	if err != nil {
		t.Fatal(err)
	}
	e.pid, e.hostLink = pid, e.linkLocal()
	e.tool, e.database = w.id+"-tool", w.id+"-database"
	docker(t, "run", "-d", "--name", e.tool, "-v", e.engine+":/engine.sock", toolboxImage, "sleep")
	docker(t, "network", "create", "--internal", e.database)
	return e
}

// bridge is that of the internal network, found by the network's ID, as the engine names it.
func (e *escapes) bridge() *net.Interface {
	e.t.Helper()
	found, err := net.InterfaceByName("br-" + docker(e.t, "network", "inspect", "-f", "{{.Id}}", e.internal)[:12])
	if err != nil {
		e.t.Fatal(err)
	}
	return found
}

// linkLocal is the host's IPv6 address on the bridge of the internal network, as a container there dials it.
func (e *escapes) linkLocal() string {
	e.t.Helper()
	// The address that the kernel makes of the hardware address (RFC 4291, appendix A): the bridge has it once it has IPv6.
	m := e.bridge().HardwareAddr
	ip := net.IP{0xfe, 0x80, 0, 0, 0, 0, 0, 0, m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]}
	return "[" + ip.String() + "%eth0]:" + e.host
}

func (e *escapes) all() []escape {
	steal := []string{"grep", "/stolen"}
	direct := []string{"get", "-t", "3s", "http://" + e.direct + "/loot"}
	commands := func(path string) []string { return []string{"get", "-unix", path, "http://engine/version"} }
	return []escape{
		{name: "on another network", more: func(e *escapes, name string) { docker(e.t, "network", "connect", e.egress, name) },
			attempt: direct, loot: "/loot", said: "is also on network"},
		{name: "on another internal network, of which the host has an address", more: func(e *escapes, name string) { docker(e.t, "network", "connect", e.database, name) },
			attempt: append([]string{"probe"}, onPort(gateways(e.t, e.database), e.host)...), loot: `"connected":true`, said: "is also on network"},
		{name: "among the processes of who commands the engine", flags: []string{"--pid", "container:" + e.tool},
			attempt: commands("/proc/1/root/engine.sock"), loot: "ApiVersion", said: "is in one PID namespace with container"},
		{name: "in the sidecar's network", network: "container:" + e.id + "-web",
			attempt: direct, loot: "/loot", said: "is in the sidecar's network namespace"},
		{name: "among the sidecar's processes", flags: []string{"--pid", "container:" + e.id + "-web", "--user", "65532:65532"},
			attempt: []string{"grep", "/proc/1/root/run/cred-proxy"}, prevented: true, said: "is in the sidecar's PID namespace"},
		{name: "among the host's processes", flags: []string{"--pid", "host", "--user", "65532:65532"},
			attempt: []string{"grep", fmt.Sprintf("/proc/%d/root/run/cred-proxy", e.pid)}, prevented: true, said: "is in the host's PID namespace"},
		{name: "privileged", flags: []string{"--privileged"},
			attempt: []string{"sysctl", "net.ipv6.conf.all.disable_ipv6", "0"}, said: "is privileged", refused: "operation not permitted"},
		{name: "with IPv6", flags: []string{"--sysctl", "net.ipv6.conf.all.disable_ipv6=0"},
			attempt: []string{"probe", e.hostLink}, loot: `"connected":true`, said: "turns IPv6 on"},
		{name: "with the engine's socket", flags: []string{"-v", e.engine + ":/engine.sock"},
			attempt: commands("/engine.sock"), loot: "ApiVersion", said: `mounts "`},
		{name: "with containerd's socket", flags: []string{"-v", e.containerd() + ":/c.sock"},
			attempt: []string{"probe", "unix:/c.sock"}, loot: `"connected":true`, said: `mounts "`},
		{name: "with the directory of containerd's socket", flags: []string{"-v", filepath.Dir(e.containerd()) + ":/c"},
			attempt: []string{"probe", "unix:/c/containerd.sock"}, loot: `"connected":true`, said: `mounts "`},
		{name: "with the directory of the engine's socket", flags: []string{"-v", "/var/run:/host"},
			attempt: commands("/host/docker.sock"), loot: "ApiVersion", said: `mounts "`},
		{name: "with what that leads to", flags: []string{"-v", "/run:/host"},
			attempt: commands("/host/docker.sock"), loot: "ApiVersion", said: `mounts "`},
		{name: "with the host's files", flags: []string{"-v", "/:/host:ro"},
			attempt: commands("/host/run/docker.sock"), loot: "ApiVersion", said: `mounts "`},
		{name: "with the sidecar's volume", flags: []string{"-v", e.volume + ":/stolen:ro"},
			attempt: steal, loot: "CRED_PROXY_TOKEN_1", said: "mounts the volume in which the sidecar's tokens are"},
		{name: "with the sidecar's volumes", flags: []string{"--volumes-from", e.id + "-web"},
			attempt: []string{"grep", "/run/cred-proxy"}, loot: "CRED_PROXY_TOKEN_1", said: "mounts the volume in which the sidecar's tokens are"},
	}
}

// containerd is the path of the socket of the engine's containerd, which is its own or the machine's.
func (e *escapes) containerd() string {
	e.t.Helper()
	for _, path := range []string{"/run/docker/containerd/containerd.sock", "/run/containerd/containerd.sock"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	e.t.Fatal("the engine's containerd has its socket in none of the usual places")
	return ""
}

// Each escape works, unless the sidecar prevents it, and the condition says so of that container: while it is there, and no
// longer.
func TestEscapesAreSeen(t *testing.T) {
	t.Parallel()
	e := newEscapes(t)
	for i, x := range e.all() {
		t.Run(x.name, func(t *testing.T) { e.tryOut(t, x, fmt.Sprintf("%s-agent-%d", e.id, i)) })
	}
}

func (e *escapes) tryOut(t *testing.T, x escape, name string) {
	t.Helper()
	network := x.network
	if network == "" {
		network = e.internal
	}
	line := append([]string{"run", "-d", "--name", name, "--network", network}, x.flags...)
	switch _, err := tryDocker(append(line, toolboxImage, "agent")...); {
	case err != nil && x.refused != "" && strings.Contains(err.Error(), x.refused):
		docker(t, "rm", "-f", name)
		t.Logf("LEFT OUT: nobody can make such a container on this machine: %v", err)
		return
	case err != nil:
		t.Fatal(err)
	}
	if x.more != nil {
		x.more(e, name)
	}
	e.c.is("web", "Isolated", "False", "breach: container \""+name+"\" "+x.said)
	eventually(t, "what is said to be an escape gets something", func() error { // an address takes a moment to be used
		out, err := e.attempt(name, x.attempt)
		switch {
		case x.prevented:
			return want(err != nil && out == "", out)
		case err == nil:
			err = want(strings.Contains(out, x.loot), out)
		}
		return err
	})
	docker(t, "rm", "-f", name)
	e.harmless(t)
}

// attempt runs the toolbox in a container, with the token on stdin for who looks for it.
func (e *escapes) attempt(name string, args []string) (string, error) {
	cmd := exec.Command("docker", append([]string{"exec", "-i", name, "/toolbox"}, args...)...)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(e.loot), &out, &out
	err := cmd.Run()
	return out.String(), err
}

// harmless waits until the condition tells of no breach.
func (e *escapes) harmless(t *testing.T) {
	t.Helper()
	eventually(t, "no breach is told of", func() error {
		o, err := e.c.get("web")
		if err == nil {
			err = want(!strings.Contains(o.condition("Isolated"), "breach"), o.condition("Isolated"))
		}
		return err
	})
}

// With the capabilities that Docker gives by default, an agent needs no IPv6 of its kernel's to dial the host by IPv6: it
// makes the packets itself. That is said, as a warning: whether the host has IPv6 there, no engine tells.
func TestIPv6ByHandIsSeen(t *testing.T) {
	t.Parallel()
	e := newEscapes(t)
	docker(t, "run", "-d", "--name", e.agent, "--network", e.internal, toolboxImage, "agent")
	e.c.is("web", "Isolated", "False", "warning: container \""+e.agent+"\" may dial the host")
	knock := []string{"knock", "-mac", e.bridge().HardwareAddr.String(), strings.Replace(e.hostLink, "%eth0", "", 1)}
	eventually(t, "the host answers", func() error { // its address takes a moment to be used
		out, err := e.attempt(e.agent, knock)
		if err == nil {
			err = want(out == "syn-ack\n", out)
		}
		return err
	})
	docker(t, "rm", "-f", e.agent)
	docker(t, "run", "-d", "--name", e.agent, "--network", e.internal, "--cap-drop", "NET_RAW", toolboxImage, "agent")
	eventually(t, "nothing is said of the agent", func() error {
		o, err := e.c.get("web")
		if err == nil {
			err = want(!strings.Contains(o.condition("Isolated"), e.agent), o.condition("Isolated"))
		}
		return err
	})
	if out, err := e.attempt(e.agent, knock); err == nil {
		t.Errorf("without NET_RAW it asks all the same: %s", out)
	}
}

// An agent as it should be made is no breach, and nothing of all that works for it.
func TestAnAgentThatIsShutInGetsNowhere(t *testing.T) {
	t.Parallel()
	e := newEscapes(t)
	docker(t, "run", "-d", "--name", e.agent, "--network", e.internal, "--cap-drop", "NET_RAW", toolboxImage, "agent")
	e.served(proxyURL+"/api/x", "/v1/x")
	e.harmless(t)
	sidecar := inspect(t, e.id+"-web")
	for what, attempt := range map[string][]string{
		"the upstream, past the sidecar":     {"get", "-t", "3s", "http://" + e.direct + "/loot"},
		"a raw socket":                       {"knock", "-mac", sidecar.mac(e.internal), sidecar.address(e.internal) + ":9099"},
		"IPv6":                               {"sysctl", "net.ipv6.conf.all.disable_ipv6", "0"},
		"the engine's socket":                {"get", "-unix", e.engine, "http://engine/version"},
		"the token, in all that it can read": {"grep", "/"},
	} {
		if out, err := e.attempt(e.agent, attempt); err == nil {
			t.Errorf("it gets %s: %s", what, out)
		}
	}
	for _, p := range probe(t, []string{"docker", "exec", e.agent, "/toolbox"}, append(onPort(append(hostAddresses(t), gateways(t, e.internal)...), e.host), e.hostLink)) {
		if p.Connected {
			t.Errorf("it reaches the host at %s", p.Addr)
		}
	}
}
