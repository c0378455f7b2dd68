package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scenery is an engine with one environment that is isolated, to be opened by each case: a sidecar and its agent.
type scenery struct {
	Observation
}

func newScenery() *scenery {
	s := &scenery{}
	s.Engine = Engine{Product: "Docker", Version: "28.5.2", Socket: "/srv/engine.sock"}
	s.Networks = []Network{
		{ID: "in", Name: "web-internal", Driver: "bridge", Internal: true},
		{ID: "out", Name: "web-egress", Driver: "bridge", HostReachable: true},
		{ID: "far", Name: "db", Driver: "bridge", Internal: true},
		{ID: "none", Name: "none", Driver: "null"},
	}
	s.Sidecars = []Sidecar{{
		ID: "side", Name: "cred-proxy-web", SpecName: "web", State: StateRunning,
		Endpoints: []Endpoint{{NetworkID: "in", NetworkName: "web-internal"}, {NetworkID: "out", NetworkName: "web-egress"}},
		Mounts:    []Mount{{Volume: "vault", Source: "/data/volumes/vault/_data"}},
	}}
	s.add("agent", Reach{}, "in")
	return s
}

// add puts a container that runs on networks.
func (s *scenery) add(name string, reach Reach, networks ...string) *OtherContainer {
	c := OtherContainer{ID: "id-of-" + name, Name: name, State: StateRunning, Reach: &reach}
	for _, id := range networks {
		i := slices.IndexFunc(s.Networks, func(n Network) bool { return n.ID == id })
		e := Endpoint{NetworkID: id, NetworkName: "gone"}
		if i >= 0 {
			e.NetworkName = s.Networks[i].Name
		}
		c.Endpoints = append(c.Endpoints, e)
	}
	s.Others = append(s.Others, c)
	return &s.Others[len(s.Others)-1]
}

func (s *scenery) agent() *OtherContainer { return &s.Others[0] }

// found are the findings, each as its severity, reason and object.
func (s *scenery) found() (found []string) {
	v := newView(&s.Observation)
	for _, f := range v.findings(newWorld().spec, s.Networks[0]) {
		found = append(found, fmt.Sprintf("%s %s %s", f.Severity, f.Reason, f.Object))
	}
	return found
}

func shares(kind NamespaceKind, with string) Reach {
	return Reach{Shared: []SharedNamespace{{Kind: kind, Container: with}}}
}

func sees(source string) Reach { return Reach{Mounts: []Mount{{Source: source}}} }

// Each way out, and what looks like one and is none.
func TestFindings(t *testing.T) {
	for _, tc := range []struct {
		name string
		give func(*scenery)
		want []string
	}{
		{"a sidecar and its agent", func(*scenery) {}, nil},

		{"the network leads out", func(s *scenery) { s.Networks[0].Internal = false }, []string{"breach NotInternal web-internal"}},
		{"a driver that nobody knows", func(s *scenery) { s.Networks[0].Driver, s.Networks[0].HostReachable = "macvlan", true }, []string{"breach DriverUnknown web-internal"}},
		{"an overlay", func(s *scenery) { s.Networks[0].Driver = "overlay" }, nil},
		{"the host is on it", func(s *scenery) { s.Networks[0].HostReachable = true }, []string{"breach HostReachable web-internal"}},
		{"it has IPv6", func(s *scenery) { s.Networks[0].IPv6 = true }, []string{"breach IPv6Enabled web-internal"}},
		{"an agent turns IPv6 on", func(s *scenery) { s.agent().Reach.IPv6 = true }, []string{"breach IPv6Enabled agent"}},

		{"an agent is also where it leads out", func(s *scenery) { s.add("dual", Reach{}, "in", "out") }, []string{"breach OtherNetwork dual"}},
		{"an agent is also on an internal network", func(s *scenery) { s.add("dual", Reach{}, "in", "far") }, nil},
		{"of which the host has an address", func(s *scenery) {
			s.Networks[2].HostReachable = true
			s.add("dual", Reach{}, "in", "far")
		}, []string{"breach HostReachable dual"}},
		{"which has IPv6", func(s *scenery) {
			s.Networks[2].IPv6 = true
			s.add("dual", Reach{}, "in", "far")
		}, []string{"breach IPv6Enabled dual"}},
		{"an agent is also on no network", func(s *scenery) {
			s.Networks[3].HostReachable = true // as all that is told of a driver that is neither a bridge nor an overlay
			s.add("dual", Reach{}, "in", "none")
		}, nil},
		{"an agent is also on a network that was not listed", func(s *scenery) { s.add("dual", Reach{}, "in", "gone") }, []string{"breach OtherNetwork dual"}},
		{"somebody else is where it leads out", func(s *scenery) { s.add("other", Reach{Privileged: true, Mounts: []Mount{{Source: "/"}}}, "out") }, nil},
		{"it comes through another's network namespace", func(s *scenery) {
			s.add("dual", Reach{}, "in", "out")
			s.add("guest", shares(NamespaceNetwork, "dual"))
		}, []string{"breach OtherNetwork dual", "breach OtherNetwork guest"}},

		{"somebody is in the sidecar's network", func(s *scenery) { s.add("guest", shares(NamespaceNetwork, "side")) }, []string{"breach SharedNamespace guest"}},
		{"called by its name", func(s *scenery) { s.add("guest", shares(NamespaceNetwork, "cred-proxy-web")) }, []string{"breach SharedNamespace guest"}},
		{"called by the beginning of its ID", func(s *scenery) { s.add("guest", shares(NamespaceNetwork, "sid")) }, []string{"breach SharedNamespace guest"}},
		{"through another container", func(s *scenery) {
			s.add("first", shares(NamespaceNetwork, "side"))
			s.add("second", shares(NamespaceNetwork, "first"))
		}, []string{"breach SharedNamespace first", "breach SharedNamespace second"}},
		{"in its PID namespace, from another network", func(s *scenery) { s.add("guest", shares(NamespacePID, "side"), "out") }, []string{"breach SharedNamespace guest"}},
		{"in its IPC namespace, from no network", func(s *scenery) { s.add("guest", shares(NamespaceIPC, "side"), "none") }, []string{"breach SharedNamespace guest"}},
		{"in another sidecar's", func(s *scenery) {
			s.Sidecars = append(s.Sidecars, Sidecar{ID: "shop", Name: "cred-proxy-shop", SpecName: "shop", State: StateRunning})
			s.add("guest", shares(NamespacePID, "shop"))
		}, nil},
		{"an agent is in the host's PID namespace", func(s *scenery) { s.add("guest", shares(NamespacePID, ""), "in") }, []string{"breach SharedNamespace guest"}},
		{"by way of another", func(s *scenery) {
			s.add("root", shares(NamespacePID, ""))
			s.add("guest", shares(NamespacePID, "root"), "in")
		}, []string{"breach SharedNamespace guest"}},
		{"agents share among themselves", func(s *scenery) { s.add("guest", shares(NamespacePID, "agent"), "in") }, nil},
		{"an agent is among the processes of somebody who is elsewhere", func(s *scenery) {
			s.add("tool", sees("/run"), "out")
			s.add("guest", shares(NamespacePID, "tool"), "in")
		}, []string{"breach SharedNamespace guest"}},
		{"somebody who is elsewhere is among an agent's processes", func(s *scenery) { s.add("tool", shares(NamespacePID, "agent"), "out") }, []string{"breach SharedNamespace agent"}},
		{"both are among a third one's", func(s *scenery) {
			s.add("init", Reach{}, "none")
			s.add("tool", shares(NamespacePID, "init"), "out")
			s.add("guest", shares(NamespacePID, "init"), "in")
		}, []string{"breach SharedNamespace guest", "breach SharedNamespace guest"}},
		{"that one does not run", func(s *scenery) { s.add("tool", shares(NamespacePID, "agent"), "out").State = StateExited }, nil},
		{"they share what shows no files", func(s *scenery) { s.add("tool", shares(NamespaceUTS, "agent"), "out") }, nil},
		{"one on the host's network is not on ours", func(s *scenery) { s.add("host", shares(NamespaceNetwork, "")) }, nil},
		{"a ring that no engine makes", func(s *scenery) {
			s.add("one", shares(NamespaceNetwork, "two"))
			s.add("two", shares(NamespaceNetwork, "one"))
		}, nil},

		{"a privileged agent", func(s *scenery) { s.agent().Reach.Privileged = true }, []string{"breach Privileged agent"}},
		{"in the agent's network namespace", func(s *scenery) {
			guest := shares(NamespaceNetwork, "agent")
			guest.Privileged = true
			s.add("guest", guest)
		}, []string{"breach Privileged guest"}},
		{"an agent that can become root on the host", func(s *scenery) { s.agent().Reach.Capabilities = []string{"SYS_ADMIN"} }, []string{"breach Privileged agent"}},

		{"an agent alone may spoof", func(s *scenery) { s.agent().Reach.Capabilities = []string{"NET_ADMIN"} }, nil},
		{"it may dial the host with frames of its own", func(s *scenery) { s.agent().Reach.Capabilities = []string{"NET_RAW"} }, []string{"warning HostReachable agent"}},
		{"which has no bridge there", func(s *scenery) {
			s.Networks[0].Driver, s.agent().Reach.Capabilities = "overlay", []string{"NET_RAW"}
		}, nil},
		{"where it can be dialled anyway", func(s *scenery) {
			s.Networks[0].HostReachable, s.agent().Reach.Capabilities = true, []string{"NET_RAW"}
		}, []string{"breach HostReachable web-internal"}},
		{"with a neighbour", func(s *scenery) {
			s.agent().Reach.Capabilities = []string{"NET_ADMIN"}
			s.add("victim", Reach{}, "in")
		}, []string{"breach MaySpoof agent"}},
		{"both may", func(s *scenery) {
			s.agent().Reach.Capabilities = []string{"NET_ADMIN"}
			s.add("other", Reach{Capabilities: []string{"NET_RAW"}}, "in")
		}, []string{"breach MaySpoof agent", "breach MaySpoof other", "warning HostReachable other"}},
		{"the neighbour is in its own namespace", func(s *scenery) {
			s.agent().Reach.Capabilities = []string{"NET_ADMIN"}
			s.add("helper", shares(NamespaceNetwork, "agent"))
		}, nil},
		{"the neighbour does not run", func(s *scenery) {
			s.agent().Reach.Capabilities = []string{"NET_ADMIN"}
			s.add("victim", Reach{}, "in").State = StateExited
		}, nil},
		{"the neighbour is a request on trial", func(s *scenery) {
			s.agent().Reach.Capabilities = []string{"NET_ADMIN"}
			s.add("try", Reach{}, "in").Trial = true
		}, nil},
		{"the neighbour is another sidecar of ours", func(s *scenery) {
			s.agent().Reach.Capabilities = []string{"NET_ADMIN"}
			s.Sidecars = append(s.Sidecars, Sidecar{ID: "shop", Name: "cred-proxy-shop", SpecName: "shop", Endpoints: []Endpoint{{NetworkID: "in"}}})
		}, nil},

		{"the engine's socket", func(s *scenery) { *s.agent().Reach = sees("/var/run/docker.sock") }, []string{"breach HostMount agent"}},
		{"containerd's", func(s *scenery) { *s.agent().Reach = sees("/run/containerd/containerd.sock") }, []string{"breach HostMount agent"}},
		{"a socket elsewhere", func(s *scenery) { *s.agent().Reach = sees("/run/user/1000/docker.sock") }, []string{"breach HostMount agent"}},
		{"the socket that the controller uses", func(s *scenery) { *s.agent().Reach = sees("/srv/engine.sock") }, []string{"breach HostMount agent"}},
		{"what holds that", func(s *scenery) { *s.agent().Reach = sees("/srv/") }, []string{"breach HostMount agent"}},
		{"all", func(s *scenery) { *s.agent().Reach = sees("/") }, []string{"breach HostMount agent"}},
		{"/run", func(s *scenery) { *s.agent().Reach = sees("/run") }, []string{"breach HostMount agent"}},
		{"/var/run, written otherwise", func(s *scenery) { *s.agent().Reach = sees("/var/./run/") }, []string{"breach HostMount agent"}},
		{"the engine's files", func(s *scenery) { *s.agent().Reach = sees("/var/lib/docker") }, []string{"breach HostMount agent"}},
		{"the kernel's", func(s *scenery) { *s.agent().Reach = sees("/proc") }, []string{"breach HostMount agent"}},
		{"what holds containerd's socket, of an engine that starts its own", func(s *scenery) { *s.agent().Reach = sees("/run/docker") }, []string{"breach HostMount agent"}},
		{"what systemd is commanded by", func(s *scenery) { *s.agent().Reach = sees("/run/dbus") }, []string{"breach HostMount agent"}},
		{"what is set of the kernel", func(s *scenery) { *s.agent().Reach = sees("/proc/sys") }, []string{"breach HostMount agent"}},
		{"what root runs", func(s *scenery) { *s.agent().Reach = sees("/etc/cron.d") }, []string{"breach HostMount agent"}},
		{"the environments of containers", func(s *scenery) { *s.agent().Reach = sees("/var/lib/docker/containers") }, []string{"breach HostMount agent"}},
		{"/etc", func(s *scenery) { *s.agent().Reach = sees("/etc") }, []string{"breach HostMount agent"}},
		{"/root", func(s *scenery) { *s.agent().Reach = sees("/root") }, []string{"breach HostMount agent"}},
		{"its own work", func(s *scenery) { *s.agent().Reach = sees("/home/dev/project") }, nil},
		{"one file of /etc", func(s *scenery) { *s.agent().Reach = sees("/etc/localtime") }, nil},
		{"a name that begins alike", func(s *scenery) { *s.agent().Reach = sees("/runner") }, nil},
		{"a volume of its own", func(s *scenery) {
			s.agent().Reach.Mounts = []Mount{{Volume: "work", Source: "/var/lib/docker/volumes/work/_data"}}
		}, nil},

		{"the sidecar's volume", func(s *scenery) { s.agent().Reach.Mounts = []Mount{{Volume: "vault"}} }, []string{"breach SidecarVolume agent"}},
		{"from anywhere", func(s *scenery) { s.add("backup", Reach{Mounts: []Mount{{Volume: "vault"}}}, "none") }, []string{"breach SidecarVolume backup"}},
		{"its path", func(s *scenery) { *s.agent().Reach = sees("/data/volumes/vault/_data/tokens-1") }, []string{"breach SidecarVolume agent"}},
		{"what holds its path", func(s *scenery) { *s.agent().Reach = sees("/data/volumes") }, []string{"breach SidecarVolume agent"}},
		{"another sidecar's path", func(s *scenery) {
			s.Sidecars = append(s.Sidecars, Sidecar{ID: "shop", SpecName: "shop", Mounts: []Mount{{Volume: "shop", Source: "/data/volumes/shop/_data"}}})
			*s.agent().Reach = sees("/data/volumes/shop/_data")
		}, []string{"breach SidecarVolume agent"}},

		{"an engine that forwards names", func(s *scenery) { s.Engine.Version = "20.10.24" }, []string{"warning DNSForwarded Docker"}},
		{"an engine that says nothing of itself", func(s *scenery) { s.Engine = Engine{} }, []string{"warning DNSForwarded "}},
		{"one that could not be inspected", func(s *scenery) { s.agent().Reach = nil }, []string{"warning NotInspected agent"}},
		{"its networks are known all the same", func(s *scenery) { s.add("dual", Reach{}, "in", "out").Reach = nil }, []string{"breach OtherNetwork dual", "warning NotInspected dual"}},

		{"one that is paused", func(s *scenery) { s.agent().Reach.Privileged, s.agent().State = true, StatePaused }, []string{"breach Privileged agent"}},
		{"one that the engine restarts", func(s *scenery) { s.agent().Reach.Privileged, s.agent().State = true, StateRestarting }, []string{"breach Privileged agent"}},
		{"one that does not run", func(s *scenery) { s.agent().Reach.Privileged, s.agent().State = true, StateExited }, nil},
		{"one that was never started", func(s *scenery) { s.agent().Reach.Privileged, s.agent().State = true, StateCreated }, nil},

		{"everything, in its order", func(s *scenery) {
			s.Engine.Version = "24.0.9"
			s.Networks[0].HostReachable = true
			s.add("zed", Reach{Privileged: true}, "in")
			s.add("all", Reach{Privileged: true, Mounts: []Mount{{Source: "/run"}, {Source: "/run"}}}, "in", "out")
		}, []string{
			"breach HostReachable web-internal", "breach OtherNetwork all", "breach Privileged all", "breach Privileged zed",
			"breach HostMount all", "warning DNSForwarded Docker",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newScenery()
			tc.give(s)
			if diff := cmp.Diff(tc.want, s.found()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is found says in words what it is, whose, and what to do.
func TestFindingsAreForPeople(t *testing.T) {
	s := newScenery()
	s.Engine.Version = "20.10.24"
	s.Networks[0].HostReachable, s.Networks[0].IPv6 = true, true
	s.add("bad", Reach{
		Privileged: true, Capabilities: []string{"NET_ADMIN", "NET_RAW"}, Shared: []SharedNamespace{{Kind: NamespacePID}, {Kind: NamespaceIPC, Container: "side"}},
		Mounts: []Mount{{Source: "/\x1b[31m/.."}, {Volume: "vault"}}, IPv6: true,
	}, "in", "out")
	for _, f := range newView(&s.Observation).findings(newWorld().spec, s.Networks[0]) {
		if f.Object != "" && !strings.Contains(f.Message, f.Object) || !strings.Contains(f.Message, "; ") || strings.Contains(f.Message, "\x1b") {
			t.Errorf("%s: %s", f.Reason, f.Message)
		}
		if !slices.Contains(isolationReasons(), f.Reason) {
			t.Errorf("%s has no place in the order", f.Reason)
		}
	}
}
