//go:build e2e

package dockerdriver

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	controller "credproxy.dev/controller"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// The tests of this file's kind run on a real engine, the one that the docker CLI would use. Everything they make
// has a random name and is removed again.

const patient = 30 * time.Second

func TestMain(m *testing.M) { os.Exit(runOnEngine(m)) }

func runOnEngine(m *testing.M) int {
	dir, err := os.MkdirTemp("", "dockerdriver")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// The content, and so the tag of the image, is this run's own.
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.run="+rand.Text(), "-o", dir+"/cred-proxy", "./testdata/sidecar")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s\n%v\n", out, err)
		return 1
	}
	if err := os.Setenv("TEST_SIDECAR", filepath.Join(dir, "cred-proxy")); err != nil {
		panic(err)
	}
	code := m.Run()
	if binary, err := os.ReadFile(os.Getenv("TEST_SIDECAR")); err == nil {
		_ = exec.Command("docker", "rmi", "-f", imageTag(controller.SidecarDockerfile(), binary)).Run()
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// lab is one instance on the real engine, with names of its own.
type lab struct {
	*Driver
	t        *testing.T
	prefix   string
	podman   bool
	registry *prometheus.Registry
	opts     Options
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, prefix: "ddtest-" + strings.ToLower(rand.Text()[:8])}
	l.opts = Options{
		Instance: l.prefix,
		Image: Image{Dockerfile: controller.SidecarDockerfile(), Binary: func(string) ([]byte, error) {
			return os.ReadFile(os.Getenv("TEST_SIDECAR"))
		}},
		DrainTimeout: 5 * time.Second,
	}
	t.Cleanup(l.removeVolumes)
	l.Driver, l.registry = l.another()
	l.podman = isPodman(t, l.Driver)
	return l
}

// removeVolumes removes those that are left when the CLI removed their containers, with Podman.
func (l *lab) removeVolumes() {
	left := strings.Fields(l.docker("volume", "ls", "-q", "--filter", "label="+LabelInstance+"="+l.prefix))
	for _, volume := range left {
		l.docker("volume", "rm", volume)
	}
}

// another makes one more driver of the same instance, as a controller does that begins anew.
func (l *lab) another() (*Driver, *prometheus.Registry) {
	l.t.Helper()
	registry := prometheus.NewRegistry()
	opts := l.opts
	opts.Registerer = registry
	d, err := New(opts)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = d.Close() })
	if err := d.Ping(l.ctx()); err != nil {
		l.t.Fatalf("these tests need an engine: %v", err)
	}
	return d, registry
}

func (l *lab) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	l.t.Cleanup(cancel)
	return ctx
}

// docker runs the CLI, which is how these tests look at the engine and disturb it.
func (l *lab) docker(args ...string) string {
	l.t.Helper()
	var said strings.Builder
	cli := exec.Command("docker", args...)
	cli.Stderr = &said
	out, err := cli.Output()
	if err != nil {
		l.t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, said.String())
	}
	return strings.TrimSpace(string(out))
}

// undo runs the CLI at the end, whatever comes of it.
func (l *lab) undo(args ...string) {
	l.t.Cleanup(func() { _ = exec.Command("docker", args...).Run() })
}

// inspected is a value of docker inspect, decoded from JSON.
func inspected[T any](l *lab, object, format string) (value T) {
	l.t.Helper()
	return decoded[T](l, "inspect", "--format", "{{json "+format+"}}", object)
}

// decoded is what the CLI prints as JSON.
func decoded[T any](l *lab, args ...string) (value T) {
	l.t.Helper()
	out := l.docker(args...)
	if err := json.Unmarshal([]byte(out), &value); err != nil {
		l.t.Fatalf("docker %s: %v in %s", strings.Join(args, " "), err, out)
	}
	return value
}

func (l *lab) network(name string, internal bool) string {
	l.t.Helper()
	name = l.prefix + "-" + name
	id, err := l.EnsureNetwork(l.ctx(), reconcile.NetworkRequest{Name: name, SpecName: "web", Internal: internal})
	if err != nil {
		l.t.Fatal(err)
	}
	l.undo("network", "rm", id)
	return id
}

func (l *lab) image() string {
	l.t.Helper()
	id, err := l.EnsureImage(l.ctx(), "")
	if err != nil {
		l.t.Fatal(err)
	}
	return id
}

// create makes a sidecar of spec "web" that has not started.
func (l *lab) create(internal string, change ...func(*reconcile.CreateRequest)) string {
	l.t.Helper()
	req := reconcile.CreateRequest{
		ContainerName: l.prefix + "-web", SpecName: "web", SpecHash: "v1:abc", ImageID: l.image(),
		Network: internal, Alias: "cred-proxy",
		Resources: spec.Resources{Memory: "64Mi", CPUs: "500m", Pids: 64},
	}
	for _, f := range change {
		f(&req)
	}
	id, err := l.Create(l.ctx(), req)
	if err != nil {
		l.t.Fatal(err)
	}
	l.undo("rm", "-fv", id)
	return id
}

// push copies a table of one generation.
func (l *lab) push(id string, table routetable.Table) {
	l.t.Helper()
	data, err := json.Marshal(table)
	if err != nil {
		l.t.Fatal(err)
	}
	files := []routetable.File{
		{Name: fmt.Sprintf("tokens-%d/CRED_PROXY_TOKEN_1", table.Generation), Mode: 0o400, Data: []byte("secret")},
		{Name: routetable.FileName, Mode: 0o600, Data: data},
	}
	if err := l.CopyRoutes(l.ctx(), id, files); err != nil {
		l.t.Fatal(err)
	}
}

func table(generation int64) routetable.Table {
	return routetable.Table{Version: routetable.Version, Generation: generation, RoutesDigest: fmt.Sprint("routes", generation)}
}

// run makes a sidecar that serves generation 1.
func (l *lab) run(internal string) string {
	l.t.Helper()
	id := l.create(internal)
	l.push(id, table(1))
	if err := l.Start(l.ctx(), id); err != nil {
		l.t.Fatal(err)
	}
	if _, err := l.WaitReady(l.ctx(), id, 1); err != nil {
		l.t.Fatal(err)
	}
	return id
}

// sidecars observes, and returns this instance's.
func (l *lab) sidecars() []reconcile.Sidecar {
	l.t.Helper()
	return observe(l, l.Driver).Sidecars
}

func observe(l *lab, d *Driver) *reconcile.Observation {
	l.t.Helper()
	o, err := d.Observe(l.ctx())
	if err != nil {
		l.t.Fatal(err)
	}
	return o
}

// eventually looks until something holds.
func (l *lab) eventually(what string, holds func() bool) {
	l.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patient); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			l.t.Fatalf("still not so: %s", what)
		}
	}
}
