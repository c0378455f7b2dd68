//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"credproxy.dev/controller/test/leakhunt"
)

// failing are specs that fail, each at another step, with what the condition Ready then says.
type failing struct{ specs, reasons map[string]string }

func (h *hunt) failing() failing {
	h.t.Helper()
	f := failing{map[string]string{}, map[string]string{}}
	add := func(name, reason, text string) { f.specs[name], f.reasons[name] = text, reason }
	one := func(name, delivery string, more ...string) string {
		return h.declares(name, delivery, []*hunted{h.token(name, delivery, fromFile)}, more...)
	}
	add("noimage", "ImageUnavailable", one("noimage", "Env", "image: nowhere.invalid/none:1"))
	add("nonetwork", "NetworkNotFound", one("nonetwork", "Env", "internalNetwork: "+h.id+"-nowhere"))
	add("crashing", "", one("crashing", "Env", "image: toolbox"))
	add("crashingfile", "", one("crashingfile", "File", "image: toolbox"))
	h.outpost.engine.does("create", "--name", h.id+"-taken", "toolbox", "sleep")
	add("taken", "NameConflict", one("taken", "Env"))
	h.outpost.engine.does("run", "-d", "--name", h.id+"-namesake", "--network", h.internal, "--network-alias", "alias", "toolbox", "sleep")
	add("alias", "AliasConflict", one("alias", "File"))

	missing := &hunted{Secret: leakhunt.Secret{Name: "missing"}, source: fromFile}
	add("missing", "TokenMissing", h.declares("missing", "Env", []*hunted{h.token("missing", "", fromFile), missing}))
	for name, text := range map[string]string{"newline": "%s\nand more", "nul": "%s\x00", "long": "%s" + strings.Repeat("x", 20_000)} {
		s := h.token(name, "", fromFile)
		writeFile(h.t, filepath.Join(h.world.tokens, "hunt", s.Name), fmt.Sprintf(text, s.Value))
		add(name, "TokenInvalid", h.declares(name, "File", []*hunted{s}))
	}
	broken := h.token("broken", "", fromProvider)
	h.shop.put(broken.Name, broken.Value) // which is no JSON
	add("broken", "Token", h.declares("broken", "File", []*hunted{broken}))
	weak := h.token("weakkey", "", fromFile)
	h.setToken("hunt/"+weak.Name, weak.Value+": no key")
	add("weakkey", "TokenInvalid", one("weakkey", "File", "callerAuth: {keyRef: "+weak.ref()+"}"))

	denied := h.token("denied", "", fromEnv)
	h.env = append(h.env, "NOT_PERMITTED="+denied.Value)
	add("denied", "TokenDenied", strings.Replace(h.declares("denied", "File", []*hunted{denied}), denied.variable(), "NOT_PERMITTED", 1))
	refused := h.token("refused", "", fromFile)
	add("refused", "PolicyDenied", strings.Replace(h.declares("refused", "File", []*hunted{refused}), "hunt/"+refused.Name, "refused", 1))
	h.setToken("refused", refused.Value)

	for i, auth := range []string{"%s", "{scheme: Bearer, tokenRef: %s}", "{scheme: Bearer, tokenRef: {env: %s}}", "{scheme: Bearer, token: %s}"} {
		name := fmt.Sprintf("misplaced%d", i)
		s := h.token(name, "", fromSpec)
		text := h.declares(name, "File", []*hunted{s})
		begin := strings.Index(text, "auth: ")
		f.specs[name] = text[:begin] + "auth: " + fmt.Sprintf(auth, "'"+s.Value+"'") + "\n"
	}
	return f
}

// giveKey makes an agent that has the caller key in its environment, without a command line that has it.
func (h *hunt) giveKey(key *hunted) {
	h.t.Helper()
	cmd := exec.Command("docker", "-H", h.outpost.engine.host(), "run", "-d", "-e", "CALLER_KEY", "--name", h.holder, "--network", h.internal, "toolbox", "agent")
	cmd.Env = append(os.Environ(), "CALLER_KEY="+key.Value)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatal(err, string(out))
	}
}

// watchCommandLines searches command lines over and over, for those of processes that do not last.
func (h *hunt) watchCommandLines() (stop func()) {
	ended, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for {
			h.lookAtCommandLines(h.search)
			select {
			case <-tick.C:
			case <-ended:
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(ended); <-stopped })
}

// allVerbs runs every verb, in every way of printing.
func (h *hunt) allVerbs() {
	h.t.Helper()
	server := "--server=http://" + h.c.listen
	engine := "--docker-host=" + h.outpost.engine.host()
	for _, line := range [][]string{
		append([]string{"plan"}, h.flags...), append([]string{"plan", "--resolve", "-o", "json", "--log-level", "debug"}, h.flags...),
		append([]string{"plan", "--offline", "--resolve", "--exit-code"}, h.flags...),
		append([]string{"apply", "--log-level", "debug", "--timeout", "3s", "--ready-timeout", "1s"}, h.flags...),
		{"validate", h.specs}, {"version"}, {"version", "-o", "json"},
		{"doctor", "--specs", h.specs, "--token-dir", h.world.tokens, "--state-dir", h.state, engine, "--log-level", "debug"},
		{"doctor", "-o", "json", "--token-dir", h.world.tokens, "--state-dir", h.state, engine},
		{"status", server}, {"status", "-o", "wide", server}, {"status", "-o", "json", server}, {"status", "-o", "yaml", server},
		{"status", "byfile", "-o", "yaml", server}, {"status", "byfile", server}, {"status", "-o", "describe", server}, {"events", server}, {"events", "-o", "json", server},
		{"wait", "byfile", server}, {"wait", "taken", "--timeout", "100ms", server},
		{"env", "byfile", server}, {"env", "keyed", "-o", "json", server}, {"env", "byenv", "-o", "docker", "--specs", h.specs},
		{"try", "byfile", "/0/x", server, engine, "--instance", h.id, "--log-level", "debug"},
		{"try", "byenv", "/0/x", "-o", "json", server, engine, "--instance", h.id}, {"try", "keyed", "/0/x", server, engine, "--instance", h.id},
		{"try", "byfile", "/nowhere", server, engine, "--instance", h.id},
		{"logs", "byfile", engine, "--instance", h.id, "--log-level", "debug"}, {"logs", "byenv", "-o", "json", server, engine, "--instance", h.id},
		{"logs", "nobody", server, engine, "--instance", h.id},
		{"revoke", "--list", "--state-dir", h.state, "--instance", h.id},
	} {
		h.says(line...)
	}
}

// rotate changes a token at its source, and waits until its sidecar cannot have the old one any more.
func (h *hunt) rotate(s *hunted, event string) *hunted {
	h.t.Helper()
	before := h.c.count(s.spec, event)
	another := h.rotated(s)
	eventually(h.t, s.Name+" is rotated", func() error { return want(h.c.count(s.spec, event) > before, event) })
	h.c.ready(s.spec)
	return another
}

// tryForLong has a request tried that the upstream does not answer, with the key, until it is told to stop.
func (h *hunt) tryForLong(key *hunted) (stop func()) {
	h.t.Helper()
	cmd := exec.Command(controllerBinary, "try", "keyed", "/0/sse/never/next", "-X", "POST", "--timeout", "2m", "--key-env", "HUNT_TRIAL",
		"--server", "http://"+h.c.listen, "--instance", h.id, "--docker-host", h.outpost.engine.host(), "--log-level", "debug")
	var said logBuffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Env = append(os.Environ(), "HUNT_TRIAL="+key.Value)
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.processes[cmd.Process.Pid] = theTrial
	eventually(h.t, "the container runs", func() error {
		running := h.outpost.engine.does("ps", "-q", "--filter", "label=credproxy.dev/try="+h.id)
		return want(running != "", "none")
	})
	return func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			h.t.Error(err)
		}
		_ = cmd.Wait() // it was interrupted
		h.look(spot{words, "", "try that is interrupted"}, []byte(said.String()))
	}
}

// sidecar is the container of a spec.
func (h *hunt) sidecar(name string) container {
	h.t.Helper()
	c, err := parseContainer(h.outpost.engine.does("container", "inspect", h.id+"-"+name))
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// refuse has a sidecar refuse what is in its volume, and the controller mend it.
func (h *hunt) refuse(name string) {
	h.t.Helper()
	h.copyInto(h.id+"-"+name+":/run/cred-proxy", "routes.json", `{"version": 1, "torn`)
	h.outpost.engine.does("kill", "-s", "HUP", h.id+"-"+name)
	eventually(h.t, "it is refused", func() error {
		lines := h.outpost.engine.does("logs", h.id+"-"+name)
		return want(strings.Contains(lines, "refused"), lines)
	})
	h.c.ready(name)
}

// crash ends a sidecar's process, and waits until it serves again.
func (h *hunt) crash(name string, signal syscall.Signal) {
	h.t.Helper()
	began := h.sidecar(name).State
	if err := syscall.Kill(began.Pid, signal); err != nil {
		h.t.Fatal(err)
	}
	eventually(h.t, "it runs again", func() error {
		state := h.sidecar(name).State
		return want(state.Status == "running" && state.StartedAt != began.StartedAt, state)
	})
	h.c.ready(name)
}

// takeAway takes tokens away in every way.
func (h *hunt) takeAway(deliveries map[string][]*hunted, declare func(name, delivery string, more ...string)) {
	h.t.Helper()
	withheld := append(append([]*hunted{deliveries["File"][1]}, deliveries["Memory"]...), deliveries["Env"]...)
	h.mu.Lock()
	for _, s := range h.tokens {
		for _, other := range withheld {
			if s.Name == other.Name {
				s.inForce = false
			}
		}
	}
	h.mu.Unlock()
	flags := []string{"--state-dir", h.state, "--instance", h.id, "--server", "http://" + h.c.listen}
	h.says(append([]string{"revoke", "--token", "env:" + deliveries["File"][1].variable()}, flags...)...)
	h.says(append([]string{"revoke", "byenv"}, flags...)...)
	declare("bymemory", "Memory", `annotation: credproxy.dev/suspended: "true"`)
	h.c.is("bymemory", "Ready", "False", "Suspended")
	eventually(h.t, "one sidecar is left of byenv", func() error {
		left := strings.Fields(h.outpost.engine.does("ps", "-aq", "--filter", "label=credproxy.dev/name=byenv"))
		return want(len(left) == 1, left)
	})
}

// giveBack undoes takeAway.
func (h *hunt) giveBack(declare func(name, delivery string, more ...string)) {
	h.t.Helper()
	flags := []string{"--state-dir", h.state, "--instance", h.id}
	h.says(append([]string{"revoke", "--undo", "byenv"}, flags...)...)
	declare("bymemory", "Memory")
	h.c.ready("byenv")
	h.c.ready("bymemory")
}

// remove deletes all files, and has everything removed.
func (h *hunt) remove() {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(h.specs, "*.yaml"))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, file := range files {
		h.erase(filepath.Base(file))
	}
	h.says(append([]string{"apply", "--prune", "--log-level", "debug"}, h.flags...)...)
	h.c.terminate()
	h.names = nil
	h.mu.Lock()
	for _, s := range h.tokens {
		s.inForce = false
	}
	h.mu.Unlock()
	for _, kind := range []string{"container", "volume", "network"} {
		if left := h.outpost.engine.does(kind, "ls", "-q", "--filter", "label=credproxy.dev/instance="+h.id); left != "" {
			h.t.Error(errors.New("left: " + kind + " " + left))
		}
	}
}
