//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// trial is what `controller try` prints as JSON.
type trial struct {
	Kind, Result, Route, Credential, Code, Stage, Message, ContentType string
	Status                                                             int
	Length                                                             int64
}

// tries runs try against a controller, and returns what it printed.
func (c *controller) tries(wanted int, args ...string) (found trial, text string) {
	c.t.Helper()
	line := append([]string{"try", "--server", "http://" + c.listen, "-o", "json"}, args...)
	out, errOut, status := verb(c.t, line...)
	if err := json.Unmarshal([]byte(out), &found); err != nil || found.Kind != "Trial" || status != wanted {
		c.t.Errorf("%v exits %d, not %d, %v: %s%s", args, status, wanted, err, out, errOut)
	}
	return found, out + errOut
}

// triesLeft are throw-away containers of an instance.
func triesLeft(t *testing.T, instance string) string {
	t.Helper()
	return docker(t, "ps", "-aq", "--filter", "label=credproxy.dev/try="+instance)
}

// try says how far a request gets, at each place where it can stop, and leaves nothing behind.
func TestTryTellsHowFarARequestGets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	docker(t, "run", "-d", "--name", w.id+"-tls", "--network", w.egress, toolboxImage, "upstream", "-tls")
	c := w.run()
	more := ""
	for path, upstream := range map[string]string{
		"/noname": "https://" + w.id + "-nowhere.invalid", "/refused": "https://" + w.upstream + ":9", "/selfsigned": "https://" + w.id + "-tls:8080",
	} {
		more += fmt.Sprintf("  - path: %s\n    upstream: %s\n    allowPrivate: true\n    auth: {scheme: Bearer, tokenRef: {file: token}}\n", path, upstream)
	}
	w.drop("web.yaml", w.spec("web", "/v1")+more+fmt.Sprintf("  - path: /open\n    upstream: http://%s:8080\n    insecureUpstream: true\n    allowPrivate: true\n", w.upstream))
	c.ready("web")

	for _, tt := range []struct {
		path   string
		exit   int
		want   trial
		status int
	}{
		{"/api/x", 0, trial{Result: "answered", Route: "/api", Credential: "added"}, 200},
		{"/open", 0, trial{Result: "answered", Route: "/open", Credential: "none"}, 200},
		{"/nothing", 1, trial{Result: "refused", Credential: "none", Code: "no_route"}, 404},
		{"/api/../x", 1, trial{Result: "refused", Credential: "none", Code: "bad_path"}, 400},
		{"/noname", 1, trial{Result: "no_upstream", Route: "/noname", Credential: "added", Code: "upstream_unreachable", Stage: "dns"}, 502},
		{"/refused", 1, trial{Result: "no_upstream", Route: "/refused", Credential: "added", Code: "upstream_unreachable", Stage: "connect"}, 502},
		{"/selfsigned", 1, trial{Result: "no_upstream", Route: "/selfsigned", Credential: "added", Code: "upstream_unreachable", Stage: "tls"}, 502},
	} {
		got, text := c.tries(tt.exit, "web", tt.path, "--instance", w.id)
		if strings.Contains(text, "s3cret") {
			t.Errorf("%s: it tells the token: %s", tt.path, text)
		}
		if got.Status != tt.status || (tt.exit == 1) != (got.Message != "") || got.ContentType == "" {
			t.Errorf("%s: %s", tt.path, text)
		}
		got.Kind, got.Message, got.ContentType, got.Status, got.Length = "", "", "", 0, 0
		if got != tt.want {
			t.Errorf("%s comes to %+v, want %+v", tt.path, got, tt.want)
		}
	}
	if arrived := w.arrived(); len(arrived) != 2 || arrived[0].URI != "/v1/x" || arrived[0].Header.Get("Authorization") != "Bearer s3cret" ||
		arrived[0].Header.Get("Cred-Proxy-Trace") != "" {
		t.Errorf("what arrived is %+v", arrived)
	}

	out, errOut, status := verb(t, "try", "web", "/api/x", "-X", "DELETE", "--server", "http://"+c.listen, "--instance", w.id)
	if status != 0 || !containsAll(out, []string{"DELETE", proxyURL + "/api/x", "added", "200 OK"}) {
		t.Errorf("as text it exits %d: %s%s", status, out, errOut)
	}
	if left := triesLeft(t, w.id); left != "" {
		t.Errorf("it left %s behind", left)
	}
}

// Without a sidecar, a controller, or time, try says so, and leaves nothing behind either.
func TestTryWhereThereIsNothingToTry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1", "metadata: annotations: {credproxy.dev/paused: \"true\"}"))
	c.is("web", "Ready", "False Paused")
	if got, text := c.tries(1, "web", "/api", "--instance", w.id); got.Result != "no_sidecar" || got.Stage != "dns" || !strings.Contains(text, "web is not Ready: Paused") {
		t.Errorf("without a sidecar: %s", text)
	}
	server := "--server=http://" + c.listen
	for name, tt := range map[string]struct {
		exit  int
		words string
		args  []string
	}{
		"no controller":    {3, "no controller answers", []string{"web", "/api", "--server=http://" + freeAddress(t)}},
		"no such spec":     {1, "no spec file declares it", []string{"nobody", "/api", server}},
		"no engine":        {1, "engine unavailable", []string{"web", "/api", server, "--docker-host", "unix:///nowhere.sock"}},
		"no time":          {1, "--timeout 1ms", []string{"web", "/api", server, "--timeout", "1ms"}},
		"no path":          {2, "PATH", []string{"web", "api", server}},
		"no method":        {2, "--method", []string{"web", "/api", server, "-X", "GET /"}},
		"no key":           {2, "--key-env", []string{"web", "/api", server, "--key-env", "NOT_SET_ANYWHERE"}},
		"no image of ours": {1, "is --image of another version", []string{"web", "/api", server, "--image", toolboxImage}},
	} {
		out, errOut, status := verb(t, append([]string{"try", "--instance", w.id}, tt.args...)...)
		if status != tt.exit || !strings.Contains(out+errOut, tt.words) {
			t.Errorf("%s: it exits %d: %s%s", name, status, out, errOut)
		}
	}
	if left := triesLeft(t, w.id); left != "" {
		t.Errorf("it left %s behind", left)
	}
}

// A trial that is interrupted takes its container along, and one that is killed leaves it to the engine, which removes it
// when the request's time is over.
func TestTryThatIsInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", ""))
	c.ready("web")
	for signal, timeout := range map[os.Signal]string{os.Interrupt: "1m", os.Kill: "5s"} {
		// A request that the upstream does not answer.
		cmd := exec.Command(controllerBinary, "try", "web", "/api/sse/never/next", "-X", "POST", "--timeout", timeout,
			"--server", "http://"+c.listen, "--instance", w.id)
		var said logBuffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the container runs", func() error {
			running := docker(t, "ps", "-q", "--filter", "label=credproxy.dev/try="+w.id)
			return want(running != "", running)
		})
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if status := cmd.ProcessState.ExitCode(); signal == os.Interrupt && status != 1 {
			t.Errorf("interrupted, it exits %d: %s", status, said.String())
		}
		if signal == os.Interrupt {
			if left := triesLeft(t, w.id); left != "" {
				t.Errorf("interrupted, it left %s behind", left)
			}
		}
		eventually(t, "nothing is left", func() error {
			left := triesLeft(t, w.id)
			return want(left == "", left)
		})
	}
}
