//go:build e2e

package dockerdriver

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	controller "credproxy.dev/controller"
	"credproxy.dev/controller/internal/drivertest"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// TestContract tells the stories that every driver has to pass, with the real sidecar on the real engine.
func TestContract(t *testing.T) {
	image := contractImage(t)
	drivertest.Run(t, func(t *testing.T) drivertest.Env {
		h := hands{prefix: "contract-" + strings.ToLower(rand.Text()[:8]), base: image}
		t.Cleanup(func() { h.clean(t) })
		driver, registry := contractDriver(t, h.prefix, image)
		stranger, _ := contractDriver(t, h.prefix+"-stranger", image)
		id, err := driver.EnsureImage(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		h.image = id
		return drivertest.Env{
			Driver:   driver,
			Stranger: stranger,
			Again: func() drivertest.Driver {
				again, _ := contractDriver(t, h.prefix, image)
				return again
			},
			Instance: h.prefix, Prefix: h.prefix,
			Requests: func() int { return requestsIn(t, registry) },
			Podman:   isPodman(t, driver),
			Hands:    h,
		}
	})
}

// contractImage builds the sidecar of this checkout, under a tag that no other run shares.
func contractImage(t *testing.T) Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cred-proxy")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path, "../../cmd/cred-proxy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dockerfile := fmt.Appendf(nil, "%s\n# %s\n", controller.SidecarDockerfile(), rand.Text())
	t.Cleanup(func() { _, _ = tryDocker("rmi", imageTag(dockerfile, binary)) })
	return Image{Dockerfile: dockerfile, Binary: func(string) ([]byte, error) { return binary, nil }}
}

func contractDriver(t *testing.T, instance string, image Image) (*Driver, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	d, err := New(Options{Instance: instance, Image: image, DrainTimeout: 5 * time.Second, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, registry
}

// requestsIn adds up what a driver counted.
func requestsIn(t *testing.T, registry *prometheus.Registry) (n int) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "credproxy_docker_requests_total" {
			for _, m := range family.GetMetric() {
				n += int(m.GetCounter().GetValue())
			}
		}
	}
	return n
}

func isPodman(t *testing.T, d *Driver) bool {
	t.Helper()
	engine, err := d.ask(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return engine.isPodman()
}

// hands are the docker CLI's.
type hands struct {
	prefix, image string
	base          Image
}

func tryDocker(args ...string) (string, error) {
	out, err := exec.CommandContext(context.Background(), "docker", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("docker %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := tryDocker(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// clean removes all that bears the prefix, and what was made for its instances.
func (h hands) clean(t *testing.T) {
	for _, kind := range []struct{ list, remove []string }{
		{[]string{"ps", "-aq", "--filter", "name=" + h.prefix}, []string{"rm", "-fv"}},
		{[]string{"network", "ls", "-q", "--filter", "name=" + h.prefix}, []string{"network", "rm"}},
		{[]string{"volume", "ls", "-q", "--filter", "label=" + LabelInstance + "=" + h.prefix}, []string{"volume", "rm"}},
	} {
		if left := strings.Fields(docker(t, kind.list...)); len(left) > 0 {
			docker(t, append(kind.remove, left...)...)
		}
	}
}

func (h hands) AddNetwork(t *testing.T, name string, internal bool) string {
	t.Helper()
	return docker(t, "network", "create", fmt.Sprintf("--internal=%t", internal), name)
}

func (h hands) RemoveNetwork(t *testing.T, id string) {
	t.Helper()
	docker(t, "network", "rm", id)
}

// AddContainer runs the sidecar's image, which waits for routes that never come.
func (h hands) AddContainer(t *testing.T, c drivertest.Container) string {
	t.Helper()
	image := h.image
	if len(c.ImageLabels) > 0 {
		image = h.labelled(t, c.ImageLabels)
	}
	args := append([]string{"run", "-d", "--name", c.Name}, asked(c.Reach)...)
	if c.NetworkID != "" {
		args = append(args, "--network", c.NetworkID)
	}
	for _, alias := range c.Aliases {
		args = append(args, "--network-alias", alias)
	}
	return docker(t, append(args, image)...)
}

// asked are the options with which a container may do what it shall.
func asked(r reconcile.Reach) (args []string) {
	if r.Privileged {
		args = append(args, "--privileged")
	} else if !slices.Contains(r.Capabilities, "NET_RAW") {
		args = append(args, "--cap-drop", "NET_RAW")
	}
	for _, name := range r.Capabilities {
		args = append(args, "--cap-add", name)
	}
	for _, s := range r.Shared {
		value := "host"
		if s.Container != "" {
			value = "container:" + s.Container
		}
		args = append(args, fmt.Sprintf("--%s=%s", strings.ToLower(string(s.Kind)), value))
	}
	for i, m := range r.Mounts {
		args = append(args, "-v", fmt.Sprintf("%s:/mounted-%d", cmp.Or(m.Volume, m.Source), i))
	}
	return args
}

// labelled makes an image with labels.
func (h hands) labelled(t *testing.T, labels map[string]string) string {
	t.Helper()
	var lines []string
	for label, value := range labels {
		lines = append(lines, "LABEL "+label+"="+value)
	}
	return h.remould(t, lines...)
}

// CrashingImage makes an image of the sidecar with an argument that it does not know.
func (h hands) CrashingImage(t *testing.T) string {
	t.Helper()
	return h.remould(t, `ENTRYPOINT ["/cred-proxy", "-crash"]`)
}

// remould makes another image of the sidecar's, with lines that are added to its Dockerfile.
func (h hands) remould(t *testing.T, lines ...string) string {
	t.Helper()
	image := h.base
	image.Dockerfile = append(slices.Clone(image.Dockerfile), strings.Join(lines, "\n")+"\n"...)
	binary, err := image.Binary("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = tryDocker("rmi", imageTag(image.Dockerfile, binary)) })
	driver, _ := contractDriver(t, h.prefix, image)
	id, err := driver.EnsureImage(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (h hands) Stop(t *testing.T, id string) {
	t.Helper()
	docker(t, "stop", id)
}

func (h hands) ForbidRestarts(t *testing.T, id string) {
	t.Helper()
	docker(t, "update", "--restart=no", id)
}

func (h hands) Kill(t *testing.T, id string) {
	t.Helper()
	docker(t, "kill", id)
}

func (h hands) RemoveContainer(t *testing.T, id string) {
	t.Helper()
	docker(t, "rm", "-f", id)
}

func (h hands) Connect(t *testing.T, id, network string, aliases ...string) {
	t.Helper()
	args := []string{"network", "connect"}
	for _, alias := range aliases {
		args = append(args, "--alias", alias)
	}
	docker(t, append(args, network, id)...)
}

func (h hands) Disconnect(t *testing.T, id, network string) {
	t.Helper()
	docker(t, "network", "disconnect", network, id)
}

// Upstream is a container, since a sidecar dials nothing that is the host's, on a network of its own, since neighbours on an
// egress network do not reach each other.
func (h hands) Upstream(t *testing.T, containerID string) string {
	t.Helper()
	image, name := h.prefix+"-toolbox", h.prefix+"-upstream"
	script := `tar -C ../../bin -c toolbox | docker import --change 'ENTRYPOINT ["/toolbox"]' - "$0"`
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", script, image).CombinedOutput(); err != nil {
		t.Fatalf("the toolbox, which make toolbox makes, was not imported: %v\n%s", err, out)
	}
	docker(t, "network", "create", name)
	docker(t, "run", "-d", "--name", name, "--network", name, image, "upstream")
	docker(t, "network", "connect", name, containerID)
	t.Cleanup(func() {
		_, _ = tryDocker("rm", "-f", name)
		_, _ = tryDocker("network", "disconnect", "-f", name, containerID)
		_, _ = tryDocker("network", "rm", name)
		_, _ = tryDocker("rmi", image)
	})
	return "http://" + name + ":8080/status"
}

// Ask runs the sidecar's image as the agent that `try` is.
func (h hands) Ask(t *testing.T, q drivertest.Question) {
	t.Helper()
	said := docker(t, "run", "--rm", "--network", q.NetworkID, "--cap-drop", "NET_RAW", h.image,
		routetable.TrialCommand, fmt.Sprintf("http://%s%s/%d", q.Address, q.Route, q.Status))
	if !strings.Contains(said, fmt.Sprintf(`"status":%d`, q.Status)) {
		t.Errorf("it was answered %s", said)
	}
}

func (h hands) Name(_ *testing.T, id string) string {
	name, err := tryDocker("inspect", "--format", "{{.Name}}", id)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(name, "/")
}

func (h hands) Running(t *testing.T, id string) bool {
	t.Helper()
	return docker(t, "inspect", "--format", "{{.State.Running}}", id) == "true"
}

func (h hands) Variable(t *testing.T, id, name string) string {
	t.Helper()
	for line := range strings.Lines(docker(t, "inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", id)) {
		if value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), name+"="); ok {
			return value
		}
	}
	return ""
}

func (h hands) Volume(t *testing.T, id string) string {
	t.Helper()
	return docker(t, "inspect", "--format", `{{range .Mounts}}{{if eq .Destination "`+volumeRoot+`"}}{{.Name}}{{end}}{{end}}`, id)
}

func (h hands) Files(t *testing.T, id string) (names []string) {
	t.Helper()
	packed, err := exec.CommandContext(t.Context(), "docker", "cp", id+":"+volumeRoot+"/.", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(bytes.NewReader(packed))
	for {
		header, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return names
		case err != nil:
			t.Fatal(err)
		case header.Typeflag == tar.TypeReg:
			names = append(names, path.Clean(header.Name))
		}
	}
}

func (h hands) VolumeExists(_ *testing.T, name string) bool {
	_, err := tryDocker("volume", "inspect", name)
	return err == nil
}
