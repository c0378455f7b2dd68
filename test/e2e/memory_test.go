//go:build e2e

package e2e

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// undelivered is what the agent hears while a sidecar has nothing.
const undelivered = "the controller has not delivered the tokens yet"

// inMemory makes a world with a token that is found nowhere else, and its spec, whose sidecar has its tokens in memory.
func inMemory(t *testing.T) (w *world, token string) {
	t.Helper()
	w, token = newWorld(t), "in-memory-"+rand.Text()
	w.setToken("token", token)
	w.drop("web.yaml", w.spec("web", "/v1", "spec: tokenDelivery: Memory"))
	return w, token
}

// carried checks that the last request arrived with a token.
func (w *world) carried(token string) {
	w.t.Helper()
	all := w.arrived()
	if got := all[len(all)-1].Header.Get("Authorization"); got != "Bearer "+token {
		w.t.Errorf("the last request arrived with Authorization %q", got)
	}
}

// servedHonestly waits until the agent is served, and holds that it hears nothing until then but that nothing was
// delivered, or that nobody is there.
func (w *world) servedHonestly() {
	w.t.Helper()
	eventually(w.t, "the agent is served", func() error {
		out, err := w.agentGets("-i", proxyURL+"/api/x")
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(out, "HTTP/1.1 200"):
			return nil
		case !strings.HasPrefix(out, "HTTP/1.1 503") || !strings.Contains(out, undelivered) || !strings.Contains(out, `"no_token"`):
			w.t.Errorf("meanwhile the agent is told %s", out)
		}
		return errors.New(out)
	})
}

// refused waits until the agent is told that nothing was delivered.
func (w *world) refused() {
	w.t.Helper()
	eventually(w.t, "the agent is told that nothing was delivered", func() error {
		out, err := w.agentGets("-i", proxyURL+"/api/x")
		if err == nil && (!strings.HasPrefix(out, "HTTP/1.1 503") || !strings.Contains(out, undelivered)) {
			err = errors.New(out)
		}
		return err
	})
}

// restarts are the ways in which a sidecar is restarted as it is.
func restarts() map[string]func(t *testing.T, id string) {
	ways := map[string]func(t *testing.T, id string){
		"docker restart": func(t *testing.T, id string) { docker(t, "restart", id) },
	}
	if os.Geteuid() == 0 {
		ways["its process is killed"] = func(t *testing.T, id string) {
			if err := syscall.Kill(inspect(t, id).State.Pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	return ways
}

// A sidecar that lost its tokens with its run answers that it has none, and has them again at once.
func TestTokensInMemoryAreDeliveredAgainAfterARestart(t *testing.T) {
	t.Parallel()
	for name, restart := range restarts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, token := inMemory(t)
			// No resync is needed for it.
			flags := []string{"--resync", "1h", "--drain-timeout", "2s"}
			c := w.run(flags...)
			id := c.ready("web").Status.ContainerID
			w.served(proxyURL+"/api/x", "/v1/x")
			w.carried(token)

			began := inspect(t, id).State.StartedAt
			restart(t, id)
			eventually(t, "it runs again", func() error {
				state := inspect(t, id).State
				return want(state.Status == "running" && state.StartedAt != began, state)
			})
			w.servedHonestly()
			w.carried(token)

			// Without a controller nobody delivers.
			c.terminate()
			restart(t, id)
			w.refused()
			c = w.run(flags...)
			w.served(proxyURL+"/api/x", "/v1/x")
			w.carried(token)
			if now := c.ready("web").Status.ContainerID; now != id {
				t.Errorf("it is another container: %s", now)
			}
		})
	}
}

// A changed token reaches the sidecar as it does with a volume on disk.
func TestATokenInMemoryIsChangedInTheRunningSidecar(t *testing.T) {
	t.Parallel()
	w, _ := inMemory(t)
	c := w.run("--resync", "1s")
	before := c.ready("web")
	w.setToken("token", "another")
	eventually(t, "the new token is in use", func() error {
		if _, err := w.agentGets("-f", proxyURL+"/api/x"); err != nil {
			return err
		}
		all := w.arrived()
		got := all[len(all)-1].Header.Get("Authorization")
		return want(got == "Bearer another", got)
	})
	if now := c.ready("web"); now.Status.ContainerID != before.Status.ContainerID {
		t.Error("it is another container")
	}
}

// Who may use the engine, and who has its disk, finds no token of a sidecar that has confirmed it, while it runs, when it is
// stopped, and after it is gone.
func TestTokensInMemoryAreOnNoDisk(t *testing.T) {
	t.Parallel()
	w, token := inMemory(t)
	c := w.run("--drain-timeout", "2s")
	id := c.ready("web").Status.ContainerID
	w.served(proxyURL+"/api/x", "/v1/x")
	volume := inspect(t, id).volumeName()

	archive, err := exec.CommandContext(t.Context(), "docker", "cp", id+":/run/cred-proxy/.", "-").Output()
	if err != nil || strings.Contains(string(archive), token) || strings.Contains(string(archive), "routes.json") {
		t.Errorf("the archive of its volume has %d bytes, with the token or the routes: %v", len(archive), err)
	}
	for _, text := range []string{docker(t, "inspect", id), docker(t, "volume", "inspect", volume), logsOf(t, id), c.log.String()} {
		if strings.Contains(text, token) {
			t.Error("what the engine or a log shows has the token")
		}
	}
	c.terminate()
	w.notOnDisk(token, id, volume)
	docker(t, "stop", id)
	w.notOnDisk(token, id, volume)

	c = w.run("--drain-timeout", "2s")
	c.ready("web")
	// Another spec stays, or the directory would be empty.
	w.drop("other.yaml", w.spec("other", "/v1", "spec: hostname: other"))
	w.erase("web.yaml")
	c.gone(w, "web")
	if _, err := tryDocker("volume", "inspect", volume); err == nil {
		t.Error("the volume is left")
	}
	w.notOnDisk(token, id, volume)
}

// volumeName is the volume of a sidecar.
func (c container) volumeName() string {
	for _, m := range c.Mounts {
		if m.Destination == "/run/cred-proxy" {
			return m.Name
		}
	}
	return ""
}

// notOnDisk searches what the engine keeps on its disk of a container and its volume. Only root may, and only where the
// engine's disk is this machine's.
func (w *world) notOnDisk(token, id, volume string) {
	w.t.Helper()
	root := docker(w.t, "info", "--format", "{{.DockerRootDir}}")
	if _, err := os.ReadDir(root); err != nil {
		w.t.Logf("the engine's files cannot be read: %v", err)
		return
	}
	for _, dir := range []string{filepath.Join(root, "volumes", volume), filepath.Join(root, "containers", id)} {
		if found, err := holding(dir, token); err != nil || len(found) > 0 {
			w.t.Errorf("beneath %s the token is in %q: %v", dir, found, err)
		}
	}
}

// holding lists the files beneath a directory that hold a text. What is not there, or goes meanwhile, holds none.
func holding(dir, text string) (found []string, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var data []byte
			if data, err = os.ReadFile(path); strings.Contains(string(data), text) {
				found = append(found, path)
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("searching %s: %w", path, err)
		}
		return nil
	})
	return found, err
}
