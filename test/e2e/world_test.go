//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// world is one story's own corner of the engine: an agent on an internal network, an upstream on an egress
// network, a directory of specs and one of tokens. Everything in it is named after id, and goes with the story.
type world struct {
	t  *testing.T
	id string

	internal, egress string
	agent, upstream  string
	specs, tokens    string
	state            string
	// netns is the network namespace of the engine's host; empty for that of the tests.
	netns string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := emptyWorld(t)
	docker(t, "network", "create", "--internal", w.internal)
	docker(t, "network", "create", w.egress)
	docker(t, "run", "-d", "--name", w.agent, "--network", w.internal, toolboxImage, "agent")
	docker(t, "run", "-d", "--name", w.upstream, "--network", w.egress, toolboxImage, "upstream", "-name", "one")
	return w
}

// emptyWorld has names and directories, and nothing on the engine yet.
func emptyWorld(t *testing.T) *world {
	t.Helper()
	id, dir := newID(), t.TempDir()
	w := &world{
		t: t, id: id,
		internal: id + "-internal", egress: id + "-egress",
		agent: id + "-agent", upstream: id + "-upstream",
		specs: filepath.Join(dir, "specs"), tokens: filepath.Join(dir, "tokens"), state: filepath.Join(dir, "state"),
	}
	for _, d := range []string{w.specs, w.tokens, w.state} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(w.cleanUp)
	return w
}

// cleanUp removes what bears the id in its name or label. It is called after the controllers have ended.
func (w *world) cleanUp() {
	remove := func(list, rm []string) {
		out, err := tryDocker(list...)
		if err != nil {
			w.t.Error(err)
		}
		if ids := strings.Fields(out); len(ids) > 0 {
			_, err := tryDocker(append(rm, ids...)...)
			if err != nil && strings.Contains(err.Error(), "active endpoints") {
				// Engine 20.10 may lose count when a call is cut off; only its own restart lets it remove the network then.
				w.t.Logf("the engine lost count of the endpoints of a network: %v", err)
			} else if err != nil {
				w.t.Error(err)
			}
		}
	}
	remove([]string{"ps", "-aq", "--filter", "label=credproxy.dev/instance=" + w.id}, []string{"rm", "-fv"})
	remove([]string{"ps", "-aq", "--filter", "name=" + w.id}, []string{"rm", "-fv"})
	remove([]string{"volume", "ls", "-q", "--filter", "label=credproxy.dev/instance=" + w.id}, []string{"volume", "rm"})
	remove([]string{"network", "ls", "-q", "--filter", "name=" + w.id}, []string{"network", "rm"})
}

// drop puts a file into the directory of specs in one move, as careful editors do.
func (w *world) drop(file, content string) {
	w.t.Helper()
	writeFile(w.t, filepath.Join(w.specs, file), content)
}

// erase deletes a file from the directory of specs.
func (w *world) erase(file string) {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.specs, file)); err != nil {
		w.t.Fatal(err)
	}
}

// setToken makes a file token.
func (w *world) setToken(file, value string) {
	w.t.Helper()
	writeFile(w.t, filepath.Join(w.tokens, file), value+"\n")
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	hidden := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.WriteFile(hidden, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(hidden, path); err != nil {
		t.Fatal(err)
	}
}

// spec is a spec with one route /api to a path of the upstream, with the file token "token". More lines of
// metadata and spec may be given, as "metadata: …" and "spec: …".
func (w *world) spec(name, upstreamPath string, more ...string) string {
	var metadata, fields strings.Builder
	for _, line := range more {
		if rest, ok := strings.CutPrefix(line, "metadata: "); ok {
			metadata.WriteString("  " + rest + "\n")
		} else {
			fields.WriteString("  " + strings.TrimPrefix(line, "spec: ") + "\n")
		}
	}
	return fmt.Sprintf(`apiVersion: credproxy.dev/v1alpha1
kind: CredProxy
metadata:
  name: %s
%sspec:
  internalNetwork: %s
  egressNetwork: %s
%s  routes:
  - path: /api
    upstream: http://%s:8080%s
    insecureUpstream: true
    allowPrivate: true
    auth: {scheme: Bearer, tokenRef: {file: token}}
`, name, metadata.String(), w.internal, w.egress, fields.String(), w.upstream, upstreamPath)
}

// agentRuns runs a command of the toolbox in the agent.
func (w *world) agentRuns(args ...string) (string, error) {
	return tryDocker(append([]string{"exec", w.agent, "/toolbox"}, args...)...)
}

// agentGets makes a request from the agent: flags of the toolbox's get, and last the URL.
func (w *world) agentGets(args ...string) (string, error) {
	return w.agentRuns(append([]string{"get"}, args...)...)
}

// served waits until the agent's request is answered by the upstream at a path.
func (w *world) served(url, upstreamURI string) {
	w.t.Helper()
	eventually(w.t, "the agent is served "+upstreamURI, func() error {
		out, err := w.agentGets(url)
		if err == nil && !strings.Contains(out, fmt.Sprintf("%q:%q", "uri", upstreamURI)) {
			return fmt.Errorf("the answer is %s", out)
		}
		return err
	})
}

// arrived lists the requests that the upstream received.
func (w *world) arrived() []request {
	w.t.Helper()
	return requests(w.t, docker(w.t, "exec", w.upstream, "/toolbox", "records"))
}

// tallied is how many requests arrived with a credential at a URI.
type tallied struct {
	URI, Authorization string
	Requests           int
}

// tally counts all requests that the upstream ever received, while arrived lists the last ones.
func (w *world) tally() (all []tallied) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(docker(w.t, "exec", w.upstream, "/toolbox", "tally")), &all); err != nil {
		w.t.Fatal(err)
	}
	return all
}

// request is one request as it arrived.
type request struct {
	Method, URI, Host, Remote string

	Header http.Header
}

// requests reads an upstream's records.
func requests(t testing.TB, records string) (all []request) {
	t.Helper()
	if err := json.Unmarshal([]byte(records), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// findsInAgent lists where in the agent's files and environments a text is.
func (w *world) findsInAgent(text string) string {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("docker", "exec", "-i", w.agent, "/toolbox", "grep", "/")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), &stdout, &stderr
	if err := cmd.Run(); err != nil && stderr.Len() > 0 {
		w.t.Fatalf("the search failed: %v: %s", err, stderr.String())
	}
	return stdout.String()
}
