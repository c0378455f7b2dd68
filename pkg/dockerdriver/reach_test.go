package dockerdriver

import (
	"net/http"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/reconcile"
)

func TestCapabilitiesThatMatter(t *testing.T) {
	for name, c := range map[string]struct {
		host container.HostConfig
		want []string
	}{
		"Docker's own set":                   {container.HostConfig{}, []string{"NET_RAW"}},
		"all dropped":                        {container.HostConfig{CapDrop: []string{"ALL"}}, nil},
		"all dropped, in small letters":      {container.HostConfig{CapDrop: []string{"all"}}, nil},
		"the one dropped":                    {container.HostConfig{CapDrop: []string{"NET_RAW"}}, nil},
		"with its prefix":                    {container.HostConfig{CapDrop: []string{"CAP_NET_RAW"}}, nil},
		"dropped and added: Docker adds":     {container.HostConfig{CapDrop: []string{"NET_RAW"}, CapAdd: []string{"CAP_NET_RAW"}}, []string{"NET_RAW"}},
		"another added":                      {container.HostConfig{CapAdd: []string{"NET_ADMIN"}}, []string{"NET_ADMIN", "NET_RAW"}},
		"all dropped but one":                {container.HostConfig{CapDrop: []string{"ALL"}, CapAdd: []string{"SYS_ADMIN"}}, []string{"SYS_ADMIN"}},
		"one that harms nobody":              {container.HostConfig{CapDrop: []string{"ALL"}, CapAdd: []string{"CHOWN"}}, nil},
		"all added but one":                  {container.HostConfig{CapAdd: []string{"CAP_ALL"}, CapDrop: []string{"SYS_ADMIN", "NET_RAW"}}, []string{"BPF", "DAC_READ_SEARCH", "NET_ADMIN", "SYS_MODULE", "SYS_RAWIO"}},
		"privileged, which says it all":      {container.HostConfig{Privileged: true}, nil},
		"all added and all dropped: all are": {container.HostConfig{CapAdd: []string{"ALL"}, CapDrop: []string{"ALL"}}, []string{"BPF", "DAC_READ_SEARCH", "NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, capabilitiesOf(&c.host)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNamespacesThatAreShared(t *testing.T) {
	for name, c := range map[string]struct {
		host container.HostConfig
		want []reconcile.SharedNamespace
	}{
		"none": {container.HostConfig{NetworkMode: "web-internal", IpcMode: "private", CgroupnsMode: "host", UsernsMode: "host"}, nil},
		"the host's": {container.HostConfig{NetworkMode: "host", PidMode: "host", IpcMode: "host", UTSMode: "host"}, []reconcile.SharedNamespace{
			{Kind: reconcile.NamespaceNetwork}, {Kind: reconcile.NamespacePID}, {Kind: reconcile.NamespaceIPC}, {Kind: reconcile.NamespaceUTS}}},
		"another container's": {container.HostConfig{NetworkMode: "container:c1", PidMode: "container:agent", IpcMode: "shareable"}, []reconcile.SharedNamespace{
			{Kind: reconcile.NamespaceNetwork, Container: "c1"}, {Kind: reconcile.NamespacePID, Container: "agent"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, sharedBy(&c.host)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMountsThatAreSeen(t *testing.T) {
	c := container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{HostConfig: &container.HostConfig{Mounts: []mount.Mount{
			{Type: mount.TypeVolume, Source: "plain", VolumeOptions: &mount.VolumeOptions{}},
			{Type: mount.TypeVolume, Source: "disguised", VolumeOptions: &mount.VolumeOptions{
				DriverConfig: &mount.Driver{Name: "local", Options: map[string]string{"o": "bind", "device": "/run"}}}},
		}}},
		Mounts: []container.MountPoint{
			{Type: mount.TypeBind, Source: "/run/docker.sock"},
			{Type: mount.TypeVolume, Name: "disguised", Source: "/var/lib/docker/volumes/disguised/_data"},
			{Type: mount.TypeTmpfs, Destination: "/tmp"},
		},
	}
	want := []reconcile.Mount{
		{Source: "/run/docker.sock"}, {Volume: "disguised", Source: "/var/lib/docker/volumes/disguised/_data"}, {Source: "/run"},
	}
	if diff := cmp.Diff(want, mountsOf(c)); diff != "" {
		t.Error(diff)
	}
}

func TestSettingsThatTurnIPv6On(t *testing.T) {
	for name, value := range map[string]string{
		"net.ipv6.conf.all.disable_ipv6": "0", "net.ipv6.conf.eth0.disable_ipv6": "0", "net/ipv6/conf/all/disable_ipv6": " 0 ",
		"net.ipv6.conf.default.disable_ipv6": "unreadable",
	} {
		if !turnsIPv6On(map[string]string{"net.ipv4.ip_forward": "0", name: value}) {
			t.Errorf("%s=%s is missed", name, value)
		}
	}
	if turnsIPv6On(map[string]string{"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv6.conf.all.forwarding": "0"}) {
		t.Error("it is off")
	}
}

// A container is made with what it may do: that stays known when it cannot be inspected again.
func TestWhatAContainerMayDoIsRemembered(t *testing.T) {
	f := newFakeEngine(t)
	f.stranger("theirs", answers(http.StatusOK, fields{"Id": "f1", "HostConfig": fields{"Privileged": true}}))
	d := f.driver()
	if o := look(t, d); !o.Others[0].Reach.Privileged {
		t.Fatalf("got %+v", o.Others)
	}
	f.stranger("theirs", answers(http.StatusInternalServerError, failure("damaged")))
	d.Forget()
	if o := look(t, d); o.Others[0].Reach == nil || !o.Others[0].Reach.Privileged {
		t.Errorf("got %+v", o.Others)
	}
	f.answer("GET /containers/json", http.StatusOK, []fields{})
	look(t, d)
	f.stranger("theirs", answers(http.StatusInternalServerError, failure("damaged")))
	if o := look(t, d); o.Others[0].Reach != nil {
		t.Errorf("another container has %+v", o.Others[0].Reach)
	}
}

// What runs is inspected wherever it is, as it may share a sidecar's namespaces; what does not is only for its aliases.
func TestWhatRunsIsInspectedOnAnyNetwork(t *testing.T) {
	for state, want := range map[string]int{"running": 1, "paused": 1, "restarting": 1, "created": 0, "exited": 0} {
		f := newFakeEngine(t)
		f.answer("GET /networks", http.StatusOK, []fields{})
		f.answer("GET /containers/json", http.StatusOK, []fields{{"Id": "f1", "Names": []string{"/agent"}, "State": state}})
		f.answer("GET /containers/f1/json", http.StatusOK, fields{"Id": "f1", "HostConfig": fields{"PidMode": "container:c1"}})
		o := look(t, f.driver())
		if n := f.times("GET /containers/f1/json"); n != want || (o.Others[0].Reach != nil) != (want == 1) {
			t.Errorf("%s: %d inspections, %+v", state, n, o.Others)
		}
	}
}

func TestTheEngineIsAskedWhatItIsOnlyWhenItMayBeAnother(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("exited")
	f.answer("GET /version", http.StatusOK, fields{"Version": "28.5.2"})
	d := f.driver()
	for range 2 {
		if o := look(t, d); o.Engine.Product != "Docker" || o.Engine.Version != "28.5.2" || o.Engine.Socket != "" {
			t.Fatalf("got %+v", o.Engine)
		}
	}
	f.answer("GET /version", http.StatusOK, fields{"Version": "4.3.1", "Components": []fields{{"Name": "Podman Engine"}}})
	d.Forget()
	if o := look(t, d); o.Engine.Product != reconcile.Podman || f.times("GET /version") != 2 {
		t.Errorf("got %+v after %d questions", o.Engine, f.times("GET /version"))
	}
	f.answer("GET /version", http.StatusForbidden, failure("not through this proxy"))
	d.Forget()
	for range 2 {
		if o := look(t, d); o.Engine.Version != "" {
			t.Errorf("got %+v", o.Engine)
		}
	}
	if f.times("GET /version") != 3 {
		t.Error("it is asked again at each look")
	}
}

// A look that hangs in that question is not a look that fails.
func TestAnEngineThatDoesNotSayWhatItIsIsLookedAt(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("exited")
	f.on("GET /version", hang)
	o, err := f.driver(brief).Observe(t.Context())
	if err != nil || len(o.Sidecars) != 1 || !slices.Equal([]string{o.Engine.Product, o.Engine.Version}, []string{"", ""}) {
		t.Errorf("got %+v, %v", o, err)
	}
}
