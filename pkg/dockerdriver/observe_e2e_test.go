//go:build e2e

package dockerdriver

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

func TestASettledEngineTakesTwoLists(t *testing.T) {
	l := newLab(t)
	internal := l.network("in", true)
	l.run(internal)
	l.undo("rm", "-fv", l.agent(internal, "--network-alias", "agent"))
	l.sidecars()

	// Whatever else goes on on the engine may add an inspection to one look, but not to each.
	var o *reconcile.Observation
	var diff string
	for range 20 {
		before := requests(t, l.registry)
		o = observe(l, l.Driver)
		diff = cmp.Diff(map[string]float64{"container_list": 1, "network_list": 1}, difference(requests(t, l.registry), before))
		if diff == "" {
			break
		}
	}
	if diff != "" {
		t.Error(diff)
	}
	if len(o.Sidecars) != 1 {
		t.Errorf("got %+v", o.Sidecars)
	}
	before := requests(t, l.registry)
	l.Forget()
	l.sidecars()
	if made := difference(requests(t, l.registry), before); made["container_inspect"] < 2 {
		t.Errorf("after Forget only these: %v", made)
	}
}

// agent runs a container that is not ours on a network, and returns its ID.
func (l *lab) agent(network string, args ...string) string {
	l.t.Helper()
	return l.docker(append(append([]string{"run", "-d", "--network", network}, args...), l.image())...)
}

func TestASidecarIsSeenWhole(t *testing.T) {
	l := newLab(t)
	internal, egress := l.network("in", true), l.network("out", false)
	id := l.run(internal)
	if err := l.Connect(l.ctx(), id, egress); err != nil {
		t.Fatal(err)
	}
	s := l.sidecars()[0]
	address := func(network string) string {
		return inspected[string](l, id, `(index .NetworkSettings.Networks "`+l.prefix+`-`+network+`").IPAddress`)
	}
	want := reconcile.Sidecar{
		ID: id, Name: l.prefix + "-web", SpecName: "web", SpecHash: "v1:abc", State: reconcile.StateRunning, ImageID: l.image(),
		ImageTag: s.ImageTag, Mounts: s.Mounts, Created: s.Created, StartedAt: s.StartedAt,
		Endpoints: []reconcile.Endpoint{
			{NetworkID: internal, NetworkName: l.prefix + "-in", IPv4: address("in"), Aliases: []string{"cred-proxy"}},
			{NetworkID: egress, NetworkName: l.prefix + "-out", IPv4: address("out")},
		},
		Resources: reconcile.Limits{Memory: 64 << 20, NanoCPUs: 5e8, Pids: 64},
		Report:    &routetable.Report{Event: routetable.EventReady, Generation: 1, RoutesDigest: "routes1", Serving: true},
	}
	for i := range s.Endpoints { // an absent list and an empty one say the same
		if len(s.Endpoints[i].Aliases) == 0 {
			s.Endpoints[i].Aliases = nil
		}
	}
	if diff := cmp.Diff(want, s, cmp.Comparer(func(a, b reconcile.Token) bool { return a.Equal(b) })); diff != "" {
		t.Error(diff)
	}
	if len(s.Mounts) != 1 || s.Mounts[0].Volume == "" || s.Mounts[0].Source == "" {
		t.Errorf("its volume is seen as %+v", s.Mounts)
	}
	if age := time.Since(s.StartedAt); age < -time.Minute || age > time.Hour {
		t.Errorf("started at %v", s.StartedAt)
	}
}

func TestReconnectingRestoresTheAlias(t *testing.T) {
	l := newLab(t)
	internal := l.network("in", true)
	id := l.run(internal)
	for range 2 {
		if err := l.Disconnect(l.ctx(), id, internal); err != nil {
			t.Fatal(err)
		}
	}
	if s := l.sidecars()[0]; len(s.Endpoints) != 0 {
		t.Fatalf("got %+v", s.Endpoints)
	}
	if err := l.Connect(l.ctx(), id, internal, "cred-proxy"); err != nil {
		t.Fatal(err)
	}
	if s := l.sidecars()[0]; len(s.Endpoints) != 1 || !slices.Contains(s.Endpoints[0].Aliases, "cred-proxy") {
		t.Fatalf("got %+v", s.Endpoints)
	}
}

func TestAControllerThatBeginsAnewHearsRunningSidecars(t *testing.T) {
	l := newLab(t)
	id := l.run(l.network("in", true))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	d, _ := l.another()
	s := observe(l, d).Sidecars[0]
	if s.Report == nil || s.Report.Event != routetable.EventState || s.Report.Generation != 1 {
		t.Fatalf("the first look has %+v", s.Report)
	}
	if report, err := d.WaitReady(l.ctx(), id, 1); err != nil || report.Generation != 1 {
		t.Fatalf("got %+v, %v", report, err)
	}
}

func TestASidecarThatTheEngineRestartsIsHeardAgain(t *testing.T) {
	l := newLab(t)
	id := l.run(l.network("in", true))
	before := l.sidecars()[0]
	l.docker("restart", id)
	l.eventually("the new run is heard", func() bool {
		s := l.sidecars()[0]
		return s.StartedAt.After(before.StartedAt) && s.Report != nil && s.Report.Generation == 1
	})
	l.docker("stop", id)
	if s := l.sidecars()[0]; s.State != reconcile.StateExited || s.Report != nil {
		t.Errorf("stopped, it is %s and says %+v", s.State, s.Report)
	}
}

func TestLabelsOfAnImageDoNotMakeAContainerOurs(t *testing.T) {
	l := newLab(t)
	dir := t.TempDir()
	dockerfile := "FROM " + l.image() + "\nLABEL credproxy.dev/instance=" + l.prefix + " credproxy.dev/name=forged\n"
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o600); err != nil {
		t.Fatal(err)
	}
	forged := l.docker("build", "-q", dir)
	l.undo("rmi", "-f", forged)
	run := func(args ...string) string {
		id := l.docker(append([]string{"create"}, args...)...)
		l.undo("rm", "-fv", id)
		return id
	}
	run(forged)
	run("--label", "credproxy.dev/instance="+l.prefix+"-2", "--label", "credproxy.dev/name=foreign", l.image())
	own := run("--label", "credproxy.dev/instance="+l.prefix, "--label", "credproxy.dev/name=own", l.image())
	for range 2 {
		if s := l.sidecars(); len(s) != 1 || s[0].ID != own {
			t.Fatalf("got %+v", s)
		}
		l.Forget()
	}
	// What this controller makes of such an image does bear the labels itself.
	internal := l.network("in", true)
	made := l.create(internal, func(r *reconcile.CreateRequest) { r.SpecName, r.ImageID = "forged", forged })
	if s := l.sidecars(); !slices.ContainsFunc(s, func(s reconcile.Sidecar) bool { return s.ID == made && s.SpecName == "forged" }) {
		t.Fatalf("got %+v", s)
	}
}

func TestOthersOnNetworksThatSomebodyMadeHaveTheirNames(t *testing.T) {
	l := newLab(t)
	internal, egress := l.network("in", true), l.network("out", false)
	inside := l.agent(internal, "--network-alias", "cred-proxy", "--name", l.prefix+"-agent")
	outside := l.agent(egress, "--network-alias", "proxy")
	l.undo("rm", "-fv", inside, outside)
	o := observe(l, l.Driver)
	find := func(id string) reconcile.OtherContainer {
		i := slices.IndexFunc(o.Others, func(c reconcile.OtherContainer) bool { return c.ID == id })
		if i < 0 {
			t.Fatalf("%s is not among the others", id)
		}
		return o.Others[i]
	}
	in := find(inside)
	if in.Name != l.prefix+"-agent" || in.State != reconcile.StateRunning || in.Endpoints[0].NetworkID != internal ||
		!slices.Contains(in.Endpoints[0].Aliases, "cred-proxy") || slices.Contains(in.Endpoints[0].Aliases, inside[:12]) {
		t.Errorf("got %+v", in)
	}
	if out := find(outside); out.Endpoints[0].NetworkID != egress || !slices.Contains(out.Endpoints[0].Aliases, "proxy") {
		t.Errorf("got %+v", out)
	}
}

func TestTheHostsOwnAddressesAreKnown(t *testing.T) {
	l := newLab(t)
	for name, args := range map[string][]string{
		"given by the engine": {},
		"a subnet":            {"--subnet", "10.203.17.0/26"},
		"a range":             {"--subnet", "10.203.17.64/26", "--ip-range", "10.203.17.96/27"},
		"a gateway":           {"--subnet", "10.203.17.128/26", "--gateway", "10.203.17.140"},
	} {
		t.Run(name, func(t *testing.T) {
			network := l.prefix + "-gw"
			id := l.docker(append(append([]string{"network", "create", "--internal"}, args...), network)...)
			agent := l.agent(id) // Podman makes the bridge with the first container
			defer l.docker("network", "rm", id)
			defer l.docker("rm", "-fv", agent)
			o := observe(l, l.Driver)
			i := slices.IndexFunc(o.Networks, func(n reconcile.Network) bool { return n.ID == id })
			if i < 0 {
				t.Fatal("it is not listed")
			}
			n := o.Networks[i]
			if n.Name != network || !n.Internal || n.Driver != "bridge" || n.SpecName != "" || len(n.Subnets) != 1 {
				t.Errorf("got %+v", n)
			}
			for _, address := range hostAddresses(t, n.Subnets[0]) {
				if !slices.Contains(n.Gateways, address) {
					t.Errorf("the host has %s there, and only %v is known", address, n.Gateways)
				}
			}
		})
	}
}

// hostAddresses are this host's addresses in a subnet of an engine on this host.
func hostAddresses(t *testing.T, subnet string) (found []string) {
	t.Helper()
	_, within, err := net.ParseCIDR(subnet)
	if err != nil {
		t.Fatal(err)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip := a.(*net.IPNet).IP; within.Contains(ip) {
			found = append(found, ip.String())
		}
	}
	if len(found) == 0 {
		t.Errorf("this host has no address in %s; run the tests in the network namespace of the engine", subnet)
	}
	return found
}

func TestNetworksOfOurOwn(t *testing.T) {
	l := newLab(t)
	id := l.network("in", true)
	if again := l.network("in", true); again != id {
		t.Errorf("a second one was made: %s", again)
	}
	n := decoded[struct {
		Internal bool
		Labels   map[string]string
	}](l, "network", "inspect", "--format", "{{json .}}", id)
	if !n.Internal || n.Labels["credproxy.dev/instance"] != l.prefix || n.Labels["credproxy.dev/name"] != "web" {
		t.Errorf("got %+v", n)
	}
	o := observe(l, l.Driver)
	if i := slices.IndexFunc(o.Networks, func(n reconcile.Network) bool { return n.ID == id }); o.Networks[i].SpecName != "web" {
		t.Errorf("got %+v", o.Networks[i])
	}
	agent := l.agent(id, "--name", l.prefix+"-agent")
	l.undo("rm", "-fv", agent)
	if err := l.RemoveNetwork(l.ctx(), id); err == nil || !mentions(err, l.prefix+"-agent", "docker network disconnect") {
		t.Errorf("removing it while it is in use: %v", err)
	}
	l.docker("rm", "-fv", agent)
	if err := l.RemoveNetwork(l.ctx(), id); err != nil {
		t.Error(err)
	}
}

func TestWatchTellsWhatChanged(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancel(context.Background())
	changes := make(chan reconcile.Change, 1024)
	ended := make(chan error, 1)
	go func() { ended <- l.Watch(ctx, func(c reconcile.Change) { changes <- c }) }()
	seen := func(want reconcile.Change) {
		t.Helper()
		timeout := time.After(patient)
		for {
			select {
			case c := <-changes:
				c.Stranger = false // a container is known to be ours once its Create has returned, which may be after the event
				if c == want {
					return
				}
			case <-timeout:
				t.Fatalf("never told of %+v", want)
			}
		}
	}
	seen(reconcile.Change{})
	internal := l.network("in", true)
	if !l.podman { // it tells of no network as such
		seen(reconcile.Change{Network: l.prefix + "-in", Kind: "create"})
	}
	id := l.create(internal)
	seen(reconcile.Change{SpecName: "web", Kind: "create"})
	l.push(id, table(1))
	if err := l.Start(l.ctx(), id); err != nil {
		t.Fatal(err)
	}
	if l.podman { // it tells of a container that is connected while it runs
		seen(reconcile.Change{SpecName: "web", Kind: "start"})
	} else {
		seen(reconcile.Change{SpecName: "web", Network: l.prefix + "-in", Kind: "connect"})
	}
	if _, err := l.WaitReady(l.ctx(), id, 1); err != nil {
		t.Fatal(err)
	}
	l.sidecars()
	if !l.podman { // it cannot change limits in place
		l.docker("update", "--memory", "80m", "--memory-swap", "80m", id)
		seen(reconcile.Change{SpecName: "web", Kind: "update"})
		if s := l.sidecars()[0]; s.Resources.Memory != 80<<20 {
			t.Errorf("what the event was about was not inspected: %+v", s.Resources)
		}
	}
	l.docker("kill", "-s", "USR1", id)
	seen(reconcile.Change{SpecName: "web", Kind: "report"})
	l.docker("rm", "-fv", id)
	seen(reconcile.Change{SpecName: "web", Kind: "destroy"})
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(patient):
		t.Fatal("it goes on after its end")
	}
}
