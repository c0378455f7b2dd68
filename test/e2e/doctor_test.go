//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checks runs doctor and returns the status of each check, and what it says.
func checks(t *testing.T, wanted int, args ...string) (statuses, said map[string]string) {
	t.Helper()
	out, errOut, status := verb(t, append([]string{"doctor", "-o", "json"}, args...)...)
	var found struct {
		Kind   string
		Checks []struct{ Check, Status, Found, Advice string }
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil || found.Kind != "Diagnosis" || status != wanted {
		t.Fatalf("doctor exits %d, not %d, %v: %s%s", status, wanted, err, out, errOut)
	}
	statuses, said = map[string]string{}, map[string]string{}
	for _, c := range found.Checks {
		statuses[c.Check], said[c.Check] = c.Status, c.Found+" "+c.Advice
	}
	return statuses, said
}

// everything lists what there is on the engine that a doctor could leave behind.
func everything(t *testing.T) string {
	t.Helper()
	return docker(t, "ps", "-aq", "--filter", "name=credproxy-doctor") + docker(t, "network", "ls", "-q", "--filter", "name=credproxy-doctor") +
		docker(t, "volume", "ls", "-q", "--filter", "name=credproxy-doctor") + docker(t, "image", "ls", "-q", "--filter", "reference=credproxy-doctor*")
}

// On a real engine every call is allowed, and nothing is left of having tried them.
func TestDoctorOnARealEngine(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	if err := os.Chmod(w.tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	w.drop("web.yaml", w.spec("web", "/v1"))
	c := w.run()
	c.readyz()
	statuses, said := checks(t, 0, "--specs", w.specs, "--token-dir", w.tokens, "--state-dir", w.state, "--listen", c.listen)
	for _, name := range []string{"engine", "api-calls", "ip-forward", "clock", "user", "specs", "token-dir", "state-dir", "listen"} {
		if statuses[name] != "ok" {
			t.Errorf("%s is %s: %s", name, statuses[name], said[name])
		}
	}
	if !strings.Contains(said["listen"], "a controller answers") || !strings.Contains(said["specs"], "1 valid specs") {
		t.Errorf("%v", said)
	}
	if left := everything(t); left != "" {
		t.Errorf("it left %s behind", left)
	}

	// Two mistakes: tokens that everybody reads, beneath the specs.
	tokens := filepath.Join(w.specs, "tokens")
	if err := os.Mkdir(tokens, 0o755); err != nil {
		t.Fatal(err)
	}
	if statuses, said := checks(t, 1, "--specs", w.specs, "--token-dir", tokens, "--listen", c.listen); statuses["token-dir"] != "failure" {
		t.Errorf("token-dir is %s: %s", statuses["token-dir"], said["token-dir"])
	}
	out, _, status := verb(t, "doctor", "--docker-host", "unix:///nowhere.sock", "--listen", c.listen)
	if status != 1 || !containsAll(out, []string{"CHECK", "engine", "failure", "→"}) {
		t.Errorf("without an engine it exits %d: %s", status, out)
	}
}

// A proxy of the socket that lets nothing be changed is seen through: the calls are named, and what to permit.
func TestDoctorBehindAProxyOfTheSocket(t *testing.T) {
	t.Parallel()
	network, address, _ := strings.Cut(docker(t, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"), "://")
	through := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}},
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead || strings.Contains(r.URL.Path, "/volumes") {
			http.Error(rw, "forbidden", http.StatusForbidden)
			return
		}
		through.ServeHTTP(rw, r)
	}))
	defer proxy.Close()
	statuses, said := checks(t, 1, "--docker-host", strings.Replace(proxy.URL, "http", "tcp", 1), "--listen", "127.0.0.1:0")
	if statuses["api-calls"] != "failure" || !containsAll(said["api-calls"], []string{"container_create", "container_attach", "network_remove", "volume_list", "image_build", "POST"}) ||
		strings.Contains(said["api-calls"], "container_list") {
		t.Errorf("api-calls is %s: %s", statuses["api-calls"], said["api-calls"])
	}
}
