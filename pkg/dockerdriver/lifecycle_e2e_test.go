//go:build e2e

package dockerdriver

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

func TestASidecarsWholeLife(t *testing.T) {
	l := newLab(t)
	internal, egress := l.network("in", true), l.network("out", false)
	id := l.create(internal)
	l.push(id, table(1))
	for range 2 { // a retry finds it connected
		if err := l.Connect(l.ctx(), id, egress); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // and started
		if err := l.Start(l.ctx(), id); err != nil {
			t.Fatal(err)
		}
	}
	report, err := l.WaitReady(l.ctx(), id, 1)
	if err != nil || report.Event != routetable.EventReady || report.RoutesDigest != "routes1" {
		t.Fatalf("got %+v, %v", report, err)
	}

	l.push(id, table(2))
	if report, err = l.Reload(l.ctx(), id, 2); err != nil || report.Generation != 2 {
		t.Fatalf("reloading: %+v, %v", report, err)
	}

	want := reconcile.Limits{Memory: 96 << 20, NanoCPUs: 2e9, Pids: 99}
	err = l.Update(l.ctx(), id, spec.Resources{Memory: "96Mi", CPUs: "2", Pids: 99})
	if l.podman && errors.Is(err, reconcile.ErrUnsupported) {
		want, err = reconcile.Limits{Memory: 64 << 20, NanoCPUs: 5e8, Pids: 64}, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Rename(l.ctx(), id, l.prefix+"-renamed"); err != nil {
			t.Fatal(err)
		}
	}
	s := l.sidecars()[0]
	if s.Resources != want || s.Name != l.prefix+"-renamed" {
		t.Errorf("got %+v", s)
	}

	volume := inspected[[]struct{ Name string }](l, id, ".Mounts")[0].Name
	for range 2 {
		if err := l.Drain(l.ctx(), id); err != nil {
			t.Fatal(err)
		}
	}
	if lines := l.LastLines(id); lines[len(lines)-1] != "drained" {
		t.Errorf("it was not asked to drain: %q", lines)
	}
	for range 2 {
		if err := l.Remove(l.ctx(), id); err != nil {
			t.Fatal(err)
		}
	}
	if left := l.docker("volume", "ls", "-q", "--filter", "name="+volume); left != "" {
		t.Errorf("its volume is left: %s", left)
	}
}

// kernelStatus is what the kernel says of a process on this host.
func kernelStatus(t *testing.T, pid int) map[string]string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	status := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		status[name] = strings.Join(strings.Fields(value), " ")
	}
	return status
}

// kernelLimit is a line of what the kernel allows a process, without its title.
func kernelLimit(t *testing.T, pid int, title string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if values, ok := strings.CutPrefix(line, title); ok {
			return strings.Join(strings.Fields(values), " ")
		}
	}
	t.Fatalf("the kernel says nothing of %s: %s", title, text)
	return ""
}

func TestTheContainerIsWhatTheDesignSays(t *testing.T) {
	l := newLab(t)
	internal := l.network("in", true)
	id := l.run(internal)

	type host struct {
		NetworkMode     string
		ReadonlyRootfs  bool
		CapDrop, CapAdd []string
		SecurityOpt     []string
		Memory          int64
		MemorySwap      int64
		NanoCpus        int64
		PidsLimit       int64
		Sysctls         map[string]string
		PortBindings    map[string]any
		RestartPolicy   struct{ Name string }
		LogConfig       struct {
			Type   string
			Config map[string]string
		}
		Ulimits []struct {
			Name       string
			Hard, Soft int64
		}
		Privileged, PublishAllPorts, Init bool
	}
	got := inspected[host](l, id, ".HostConfig")
	want := host{
		NetworkMode: internal, ReadonlyRootfs: true, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"},
		Memory: 64 << 20, MemorySwap: 64 << 20, NanoCpus: 5e8, PidsLimit: 64,
		Sysctls:      map[string]string{"net.ipv4.ip_forward": "0", "net.ipv6.conf.all.forwarding": "0"},
		PortBindings: map[string]any{},
	}
	want.Ulimits = append(want.Ulimits, struct {
		Name       string
		Hard, Soft int64
	}{Name: "core"})
	want.RestartPolicy.Name = "always"
	want.LogConfig.Type = "json-file"
	want.LogConfig.Config = map[string]string{"max-size": "10m", "max-file": "3", "mode": "non-blocking", "max-buffer-size": "1m"}
	if got.PortBindings == nil {
		got.PortBindings = map[string]any{}
	}
	if l.podman {
		// It tells what it made of the request: each capability, limits of its own, and neither sysctls nor the options of the log.
		want.Ulimits = got.Ulimits
		want.NetworkMode, want.CapDrop, want.Sysctls, want.LogConfig.Config = "bridge", got.CapDrop, nil, nil
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	held := kernelStatus(t, inspected[int](l, id, ".State.Pid"))
	if cores := kernelLimit(t, inspected[int](l, id, ".State.Pid"), "Max core file size"); cores != "0 0 bytes" && !l.podman {
		t.Errorf("a dump of it may have %s", cores)
	}
	for field, want := range map[string]string{
		"Uid": "65532 65532 65532 65532", "CapEff": "0000000000000000", "CapBnd": "0000000000000000", "NoNewPrivs": "1",
	} {
		if held[field] != want {
			t.Errorf("the kernel says %s %s, want %s", field, held[field], want)
		}
	}

	type process struct {
		User        string
		Labels      map[string]string
		StopTimeout int
	}
	binary, err := l.opts.Image.Binary("")
	if err != nil {
		t.Fatal(err)
	}
	wantProcess := process{User: "65532:65532", StopTimeout: 10, Labels: map[string]string{
		"credproxy.dev/instance": l.prefix, "credproxy.dev/name": "web", "credproxy.dev/spec-hash": "v1:abc",
		"credproxy.dev/image": imageTag(l.opts.Image.Dockerfile, binary),
	}}
	gotProcess := inspected[process](l, id, ".Config")
	delete(gotProcess.Labels, "io.buildah.version") // Podman's builder signs its images
	if diff := cmp.Diff(wantProcess, gotProcess); diff != "" {
		t.Error(diff)
	}

	volume := inspected[[]struct{ Name, Destination string }](l, id, ".Mounts")[0]
	labels := decoded[map[string]string](l, "volume", "inspect", "--format", "{{json .Labels}}", volume.Name)
	if volume.Destination != "/run/cred-proxy" || labels["credproxy.dev/instance"] != l.prefix || labels["credproxy.dev/name"] != "web" {
		t.Errorf("the volume is %+v with labels %v", volume, labels)
	}
	if lines := l.LastLines(id); !slices.Contains(lines, "ready generation 1 as 65532") {
		t.Errorf("got %q", lines)
	}
	if size := inspected[int64](l, l.image(), ".Size"); size > 10<<20 {
		t.Errorf("the image has %d bytes", size)
	}
}

func TestARefusedGenerationSaysWhy(t *testing.T) {
	l := newLab(t)
	id := l.run(l.network("in", true))
	bad := table(2)
	bad.Version = 99
	l.push(id, bad)
	_, err := l.Reload(l.ctx(), id, 2)
	if !errors.Is(err, reconcile.ErrRoutesRefused) || !strings.Contains(err.Error(), "version [31m99[0m is not known") {
		t.Fatalf("got %v", err)
	}
	if s := l.sidecars()[0]; s.Report.Generation != 1 || s.Report.Refused != 2 || !s.Report.Serving {
		t.Errorf("got %+v", s.Report)
	}
}

func TestASidecarThatEndsIsNotWaitedFor(t *testing.T) {
	l := newLab(t)
	id := l.create(l.network("in", true))
	doomed := table(1)
	doomed.Routes = []routetable.Route{{Upstream: "crash"}}
	l.push(id, doomed)
	if err := l.Start(l.ctx(), id); err != nil {
		t.Fatal(err)
	}
	_, err := l.WaitReady(l.ctx(), id, 1)
	if !errors.Is(err, reconcile.ErrNotRunning) {
		t.Fatalf("got %v", err)
	}
	if lines := l.LastLines(id); !slices.Contains(lines, "no [31mluck[0m at all") {
		t.Errorf("got %q", lines)
	}
}

func TestTokensByEnvironmentAreSeenAgain(t *testing.T) {
	l := newLab(t)
	token := reconcile.NewToken("the=token")
	l.create(l.network("in", true), func(r *reconcile.CreateRequest) {
		r.Env = map[string]reconcile.Token{"CRED_PROXY_TOKEN_1": token}
	})
	s := l.sidecars()[0]
	if len(s.Env) != 1 || !s.Env["CRED_PROXY_TOKEN_1"].Equal(token) {
		t.Errorf("got %v", s.Env)
	}
	if s.State != reconcile.StateCreated || !s.StartedAt.IsZero() || s.Report != nil {
		t.Errorf("got %+v", s)
	}
}

func TestWhatIsMissingHasAKind(t *testing.T) {
	l := newLab(t)
	image, none := l.image(), strings.Repeat("0", 64)
	create := func(change func(*reconcile.CreateRequest)) error {
		req := reconcile.CreateRequest{ContainerName: l.prefix + "-x", SpecName: "x", ImageID: image, Alias: "cred-proxy",
			Network: l.network("in", true), Resources: spec.Resources{Memory: "64Mi", CPUs: "1", Pids: 64}}
		change(&req)
		id, err := l.Create(l.ctx(), req)
		if err == nil {
			l.undo("rm", "-fv", id)
			err = l.Start(l.ctx(), id)
		}
		return err
	}
	for name, c := range map[string]struct {
		do   func() error
		want error
	}{
		"create without its image":   {func() error { return create(func(r *reconcile.CreateRequest) { r.ImageID = "sha256:" + none }) }, reconcile.ErrImageUnavailable},
		"create without its network": {func() error { return create(func(r *reconcile.CreateRequest) { r.Network = none }) }, reconcile.ErrNetworkNotFound},
		"connect nothing":            {func() error { return l.Connect(l.ctx(), none, l.network("in", true)) }, reconcile.ErrNotFound},
		"connect to nothing":         {func() error { return l.Connect(l.ctx(), l.run(l.network("in", true)), none) }, reconcile.ErrNetworkNotFound},
		"disconnect nothing":         {func() error { return l.Disconnect(l.ctx(), none, none) }, nil},
		"start nothing":              {func() error { return l.Start(l.ctx(), none) }, reconcile.ErrNotFound},
		"copy to nothing":            {func() error { return l.CopyRoutes(l.ctx(), none, nil) }, reconcile.ErrNotFound},
		"update nothing":             {func() error { return l.Update(l.ctx(), none, spec.Resources{}) }, reconcile.ErrNotFound},
		"rename nothing":             {func() error { return l.Rename(l.ctx(), none, l.prefix+"-y") }, reconcile.ErrNotFound},
		"drain nothing":              {func() error { return l.Drain(l.ctx(), none) }, nil},
		"remove nothing":             {func() error { return l.Remove(l.ctx(), none) }, nil},
		"remove no volume":           {func() error { return l.RemoveVolume(l.ctx(), l.prefix) }, nil},
		"remove no network":          {func() error { return l.RemoveNetwork(l.ctx(), none) }, nil},
		"an image that is not there": {func() error { _, err := l.EnsureImage(l.ctx(), l.prefix+":none"); return err }, reconcile.ErrImageUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.do(); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestANameThatIsTaken(t *testing.T) {
	l := newLab(t)
	internal := l.network("in", true)
	id := l.create(internal)
	other := l.create(internal, func(r *reconcile.CreateRequest) { r.ContainerName = l.prefix + "-other" })
	_, err := l.Create(l.ctx(), reconcile.CreateRequest{ContainerName: l.prefix + "-web", SpecName: "web", ImageID: l.image(),
		Network: internal, Alias: "cred-proxy"})
	if !errors.Is(err, reconcile.ErrNameConflict) || !strings.Contains(err.Error(), l.prefix+"-web") {
		t.Errorf("creating: %v", err)
	}
	if err := l.Rename(l.ctx(), other, l.prefix+"-web"); !errors.Is(err, reconcile.ErrNameConflict) {
		t.Errorf("renaming: %v", err)
	}
	if name := inspected[string](l, id, ".Name"); name != "/"+l.prefix+"-web" {
		t.Errorf("the holder is now %s", name)
	}
}

func TestManyWhoNeedTheImageBuildItOnce(t *testing.T) {
	l := newLab(t)
	binary := l.opts.Image.Binary
	l.opts.Image.Dockerfile = append(l.opts.Image.Dockerfile, "\n# "+l.prefix+"\n"...)
	d, registry := l.another()
	data, err := binary("")
	if err != nil {
		t.Fatal(err)
	}
	l.undo("rmi", "-f", imageTag(l.opts.Image.Dockerfile, data))

	ids := make([]string, 8)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			id, err := d.EnsureImage(l.ctx(), "")
			if err != nil {
				t.Error(err)
			}
			ids[i] = id
		})
	}
	group.Wait()
	if slices.Sort(ids); ids[0] == "" || ids[0] != ids[len(ids)-1] {
		t.Errorf("got %v", ids)
	}
	if n := requests(t, registry)["image_build"]; n != 1 {
		t.Errorf("it was built %v times", n)
	}
	before := requests(t, registry)
	if _, err := d.EnsureImage(l.ctx(), ""); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]float64{"image_inspect": 1}, difference(requests(t, registry), before)); diff != "" {
		t.Errorf("an image that is there takes more than one inspection: %s", diff)
	}
}
