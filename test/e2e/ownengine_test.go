//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// logShown is how many lines of its log are shown of an engine whose story failed.
const logShown = 200

// ownEngine is an engine that a story may kill: with its own network namespace, data, sockets and containerd, so that
// the machine's is left alone. It takes root.
type ownEngine struct {
	t   testing.TB
	dir string
	// flags are given to the engine besides its own.
	flags []string
	// api asks over the engine's socket.
	api http.Client
	// holder keeps the network namespace while the engine is dead.
	holder *exec.Cmd
	daemon *exec.Cmd
	ended  chan struct{}
	log    *logBuffer
}

// mayHaveOwnEngine reports whether the caller can start one. In CI nothing is left out.
func mayHaveOwnEngine(t testing.TB) bool {
	t.Helper()
	root := os.Geteuid() == 0
	if !root && os.Getenv("CI") != "" {
		t.Fatal("an engine of its own takes root, and CI leaves nothing out")
	}
	return root
}

func newOwnEngine(t testing.TB, flags ...string) *ownEngine {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine") //nolint:usetesting // the paths of sockets have to be short
	if err != nil {
		t.Fatal(err)
	}
	e := &ownEngine{t: t, dir: dir, flags: flags, log: &logBuffer{}}
	t.Cleanup(e.cleanUp)
	e.api.Transport = &http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", e.path("engine.sock"))
	}}
	// What the machine's engine is told is not for this one.
	writeFile(t, e.path("daemon.json"), "{}")
	e.holder = exec.Command(toolboxBinary, "sleep")
	e.holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := e.holder.Start(); err != nil {
		t.Fatal(err)
	}
	e.start()
	return e
}

func (e *ownEngine) path(file string) string { return filepath.Join(e.dir, file) }

func (e *ownEngine) host() string { return "unix://" + e.path("engine.sock") }

// start starts the engine, and waits until it answers.
func (e *ownEngine) start() {
	e.t.Helper()
	name := filepath.Base(e.dir)
	// nsenter enters the network alone: with `ip netns exec` cgroups would be out of sight.
	line := append([]string{fmt.Sprintf("--net=/proc/%d/ns/net", e.holder.Process.Pid), "dockerd",
		"--config-file", e.path("daemon.json"), "--data-root", e.path("data"), "--exec-root", e.path("exec"),
		"--pidfile", e.path("pid"), "--host", e.host(),
		"--containerd-namespace", name, "--containerd-plugins-namespace", name + "-plugins"}, e.flags...)
	e.daemon = exec.Command("nsenter", line...)
	e.daemon.Stdout, e.daemon.Stderr = e.log, e.log
	if err := e.daemon.Start(); err != nil {
		e.t.Fatal(err)
	}
	daemon, ended := e.daemon, make(chan struct{})
	e.ended = ended
	go func() {
		_ = daemon.Wait() // it is killed, and says so
		close(ended)
	}()
	eventually(e.t, "the engine answers", func() error {
		_, err := e.docker("version")
		return err
	})
}

// kill ends the engine as a power cut would, except that the containers run on.
func (e *ownEngine) kill() {
	e.t.Helper()
	_ = e.daemon.Process.Kill()
	<-e.ended
	// The kernel ends its containerd with it, if it has one of its own; the next one would take it for alive until
	// somebody has waited for it.
	pid, err := os.ReadFile(e.path("exec/containerd/containerd.pid"))
	if err != nil {
		return
	}
	eventually(e.t, "its containerd has ended", func() error {
		_, err := os.Stat("/proc/" + strings.TrimSpace(string(pid)))
		return want(errors.Is(err, os.ErrNotExist), "there")
	})
}

// stop ends the engine, and its containers with it.
func (e *ownEngine) stop() {
	e.t.Helper()
	_ = e.daemon.Process.Signal(syscall.SIGTERM)
	select {
	case <-e.ended:
	case <-time.After(patience):
		e.t.Errorf("the engine did not end within %s of SIGTERM", patience)
		e.kill()
	}
}

// hang lets the engine accept connections and answer none.
func (e *ownEngine) hang() { e.signal(syscall.SIGSTOP) }

func (e *ownEngine) resume() { e.signal(syscall.SIGCONT) }

func (e *ownEngine) signal(s syscall.Signal) {
	e.t.Helper()
	if err := e.daemon.Process.Signal(s); err != nil {
		e.t.Fatal(err)
	}
}

// docker runs the docker command on this engine.
func (e *ownEngine) docker(args ...string) (string, error) {
	return tryDocker(append([]string{"-H", e.host()}, args...)...)
}

// get asks the engine's API, without a command for each question.
func (e *ownEngine) get(path string) (io.ReadCloser, error) {
	resp, err := e.api.Get("http://engine" + path)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		said, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		return nil, fmt.Errorf("%s: %s: %s (%w)", path, resp.Status, said, err)
	}
	return resp.Body, nil
}

// does is docker for what has to succeed.
func (e *ownEngine) does(args ...string) string {
	e.t.Helper()
	out, err := e.docker(args...)
	if err != nil {
		e.t.Fatal(err)
	}
	return out
}

// cleanUp removes the containers, and ends all that runs by its ID.
func (e *ownEngine) cleanUp() {
	if e.daemon != nil {
		_ = e.daemon.Process.Signal(syscall.SIGCONT) // it may hang, or have ended
		if ids, err := e.docker("ps", "-aq"); err == nil && ids != "" {
			_, _ = e.docker(append([]string{"rm", "-fv"}, strings.Fields(ids)...)...) // the rest is ended below
		}
		e.stop()
	}
	for _, pid := range e.leftProcesses() {
		e.t.Errorf("process %d had to be ended", pid)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if e.holder != nil && e.holder.Process != nil {
		_ = e.holder.Process.Kill()
		_ = e.holder.Wait()
	}
	for _, mount := range e.leftMounts() {
		if err := syscall.Unmount(mount, syscall.MNT_DETACH); err != nil {
			e.t.Errorf("%s is mounted still: %v", mount, err)
		}
	}
	if err := os.RemoveAll(e.dir); err != nil {
		e.t.Error(err)
	}
	if e.t.Failed() {
		lines := strings.Split(e.log.String(), "\n")
		e.t.Logf("the end of the engine's log:\n%s", strings.Join(lines[max(0, len(lines)-logShown):], "\n"))
	}
}

// leftProcesses are those that name the engine's directory on their command lines.
func (e *ownEngine) leftProcesses() (pids []int) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		line, err := os.ReadFile(path)
		var pid int
		if err != nil || !strings.Contains(string(line), e.dir+"/") {
			continue
		}
		if _, err := fmt.Sscanf(path, "/proc/%d/cmdline", &pid); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// leftMounts are those beneath the engine's directory, the last one first.
func (e *ownEngine) leftMounts() (paths []string) {
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		e.t.Error(err)
	}
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1], e.dir+"/") {
			paths = append([]string{fields[1]}, paths...)
		}
	}
	return paths
}

// outpost is a world on an engine of its own.
type outpost struct {
	*world
	engine *ownEngine
}

func newOutpost(t *testing.T, flags ...string) *outpost {
	t.Helper()
	o := &outpost{emptyWorld(t), newOwnEngine(t, flags...)}
	image := "toolbox"
	script := `tar -C "$0" -c toolbox | docker -H "$1" import --change 'ENTRYPOINT ["/toolbox"]' - "$2"`
	if err := command("", "sh", "-c", script, filepath.Dir(toolboxBinary), o.engine.host(), image); err != nil {
		t.Fatal(err)
	}
	o.engine.does("network", "create", "--internal", o.internal)
	o.engine.does("network", "create", o.egress)
	// They come back with the engine, as sidecars do.
	o.engine.does("run", "-d", "--restart", "always", "--name", o.agent, "--network", o.internal, image, "agent")
	o.engine.does("run", "-d", "--restart", "always", "--name", o.upstream, "--network", o.egress, image, "upstream")
	return o
}

// served waits until the agent's request is answered by the upstream at a path.
func (o *outpost) served(url, upstreamURI string) {
	o.t.Helper()
	eventually(o.t, "the agent is served "+upstreamURI, func() error {
		out, err := o.engine.docker("exec", o.agent, "/toolbox", "get", url)
		if err == nil && !strings.Contains(out, fmt.Sprintf("%q:%q", "uri", upstreamURI)) {
			return errors.New(out)
		}
		return err
	})
}
