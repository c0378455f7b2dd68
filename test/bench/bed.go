package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// patience is how long anything may take before the benchmark gives up.
const patience = 2 * time.Minute

// bed is what the figures are measured on: two networks, an upstream, a client, and a running controller.
type bed struct {
	title            string
	id, dir          string
	internal, egress string
	upstream, client string
	toolbox          string
	listen           string
	engine           *engine
	controller       *exec.Cmd
	// furniture is how many containers of ours stay throughout.
	furniture int
	// recipe is what the controller's sidecars are made of.
	recipe *recipe
}

func newBed(ctx context.Context) (*bed, error) {
	engine, err := dialEngine(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	id := "bench-" + strings.ToLower(rand.Text()[:6])
	b := &bed{
		id: id, dir: dir, engine: engine,
		internal: id + "-internal", egress: id + "-egress", upstream: id + "-upstream", client: id + "-client",
		toolbox: "credproxy-toolbox:" + id,
	}
	if err := b.lay(ctx); err != nil {
		b.cleanUp(context.WithoutCancel(ctx))
		return nil, err
	}
	return b, nil
}

func (b *bed) lay(ctx context.Context) error {
	version, err := docker(ctx, "version", "--format", "{{.Server.Version}}")
	if err != nil {
		return err
	}
	b.title = fmt.Sprintf("%d cores, Engine %s, %s/%s", runtime.NumCPU(), version, runtime.GOOS, runtime.GOARCH)
	script := `tar -C bin -c toolbox | docker import --change 'ENTRYPOINT ["/toolbox"]' - ` + b.toolbox
	if out, err := exec.CommandContext(ctx, "sh", "-c", script).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", script, err, out)
	}
	for _, args := range [][]string{
		{"network", "create", "--internal", b.internal},
		{"network", "create", b.egress},
		{"run", "-d", "--name", b.upstream, "--network", b.egress, b.toolbox, "upstream"},
		{"run", "-d", "--name", b.client, "--network", b.internal, b.toolbox, "sleep"},
	} {
		if _, err := docker(ctx, args...); err != nil {
			return err
		}
	}
	b.furniture = 2
	return b.startController(ctx)
}

func (b *bed) startController(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b.listen = listener.Addr().String()
	listener.Close()
	for _, dir := range []string{b.specs(), b.tokens()} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	log, err := os.Create(filepath.Join(b.dir, "controller.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	b.controller = exec.CommandContext(context.WithoutCancel(ctx), "bin/controller", "run",
		"--specs", b.specs(), "--token-env", "BENCH_TOKEN", "--token-dir", b.tokens(), "--instance", b.id, "--name-prefix", b.id,
		"--listen", b.listen, "--state-dir", filepath.Join(b.dir, "state"), "--workers", fmt.Sprint(workers))
	b.controller.Env = append(os.Environ(), "BENCH_TOKEN=bench")
	b.controller.Stdout, b.controller.Stderr = log, log
	if err := b.controller.Start(); err != nil {
		return err
	}
	return b.until(ctx, "the controller is ready", func() bool {
		_, err := b.fetch(ctx, "/readyz")
		return err == nil
	})
}

func (b *bed) specs() string { return filepath.Join(b.dir, "specs") }

func (b *bed) tokens() string { return filepath.Join(b.dir, "tokens") }

// name is the container name of a spec's sidecar.
func (b *bed) name(spec string) string { return b.id + "-" + spec }

// drop puts a spec into the directory in one move.
func (b *bed) drop(name string) error { return b.dropWith(name, "env: BENCH_TOKEN") }

// dropWith is drop with another reference of the token.
func (b *bed) dropWith(name, tokenRef string) error {
	text := fmt.Sprintf(`apiVersion: credproxy.dev/v1alpha1
kind: CredProxy
metadata: {name: %s}
spec:
  internalNetwork: %s
  egressNetwork: %s
  hostname: %[1]s
  routes:
  - path: /api
    upstream: http://%[4]s:8080
    insecureUpstream: true
    allowPrivate: true
    auth: {scheme: Bearer, tokenRef: {%[5]s}}
`, name, b.internal, b.egress, b.upstream, tokenRef)
	return replaceFile(b.file(name), text)
}

func (b *bed) file(name string) string { return filepath.Join(b.specs(), name+".yaml") }

// ready reports whether the controller calls all specs of these names Ready.
func (b *bed) ready(ctx context.Context, names ...string) bool {
	body, err := b.fetch(ctx, "/api/v1alpha1/credproxies")
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Status   struct {
				Conditions []struct{ Type, Status string }
			}
		}
	}
	if err != nil || json.Unmarshal(body, &list) != nil {
		return false
	}
	isReady := map[string]bool{}
	for _, item := range list.Items {
		for _, c := range item.Status.Conditions {
			if c.Type == "Ready" && c.Status == "True" {
				isReady[item.Metadata.Name] = true
			}
		}
	}
	for _, name := range names {
		if !isReady[name] {
			return false
		}
	}
	return true
}

// fewAtOnce is how many sidecars may go at once without the controller taking it for a mistake.
const fewAtOnce = 3

// erase removes the files of specs, a few at a time, and waits until their sidecars are gone.
func (b *bed) erase(ctx context.Context, names ...string) error {
	for few := range slices.Chunk(names, fewAtOnce) {
		for _, name := range few {
			if err := os.Remove(b.file(name)); err != nil {
				return err
			}
		}
		err := b.untilEvery(ctx, 50*time.Millisecond, "sidecars are gone", func() bool {
			for _, name := range few {
				if out, err := docker(ctx, "ps", "-aq", "--filter", "name=^/"+b.name(name)+"$"); err != nil || out != "" {
					return false
				}
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	return b.settle(ctx)
}

// settle waits until all sidecars, ours and others, are gone, and gives the kernel a moment: it takes network namespaces apart in
// the background, which would weigh on whatever is measured next.
func (b *bed) settle(ctx context.Context) error {
	err := b.until(ctx, "the sidecars are gone", func() bool {
		out, err := docker(ctx, "ps", "-aq", "--filter", "name="+b.id)
		return err == nil && len(strings.Fields(out)) == b.furniture
	})
	if err != nil {
		return err
	}
	moment := time.NewTimer(2 * time.Second)
	defer moment.Stop()
	select {
	case <-moment.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fetch reads a page of the controller.
func (b *bed) fetch(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.listen+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// metric reads the value of one series.
func (b *bed) metric(ctx context.Context, series string) (float64, error) {
	page, err := b.fetch(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(page)) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			var v float64
			_, err := fmt.Sscan(rest, &v)
			return v, err
		}
	}
	return 0, fmt.Errorf("there is no series %s", series)
}

// until asks every few milliseconds: often enough to see the moment, and seldom enough not to weigh on it.
func (b *bed) until(ctx context.Context, what string, so func() bool) error {
	return b.untilEvery(ctx, 10*time.Millisecond, what, so)
}

// untilEvery is until at another pace, for what takes longer or is dearer to ask.
func (b *bed) untilEvery(ctx context.Context, pace time.Duration, what string, so func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(b.dir, "controller.log"))
			return fmt.Errorf("%s: %w; the controller's log:\n%s", what, ctx.Err(), log)
		case <-tick.C:
		}
	}
	return nil
}

// cleanUp removes all that the benchmark made, and tells what it could not remove.
func (b *bed) cleanUp(ctx context.Context) {
	if b.controller != nil && b.controller.Process != nil {
		_ = b.controller.Process.Signal(syscall.SIGTERM)
		_ = b.controller.Wait()
	}
	for _, kind := range []struct{ list, remove []string }{
		{[]string{"ps", "-aq", "--filter", "name=" + b.id}, []string{"rm", "-fv"}},
		{[]string{"network", "ls", "-q", "--filter", "name=" + b.id}, []string{"network", "rm"}},
		{[]string{"images", "-q", "--filter", "reference=*:" + b.id}, []string{"rmi", "-f"}},
		{[]string{"images", "-q", "--filter", "reference=" + b.cliImage()}, []string{"rmi", "-f"}},
	} {
		out, err := docker(ctx, kind.list...)
		if err == nil && out != "" {
			_, err = docker(ctx, append(kind.remove, strings.Fields(out)...)...)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench: left behind:", err)
		}
	}
	_ = os.RemoveAll(b.dir)
}

func (b *bed) cliImage() string { return "cred-proxy-" + b.id }
