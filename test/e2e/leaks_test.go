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
	"testing"
	"time"

	"credproxy.dev/controller/test/leakhunt"
)

// hunt is a world on an engine of its own, whose tokens are searched in everything that there is.
type hunt struct {
	*outpost
	shop *shop
	// holder is an agent that has the caller key, and temp the directory for temporary files.
	holder, temp string
	env          []string
	flags        []string
	c            *controller
	controllers  []*controller
	// names are specs whose sidecars answer.
	names []string

	plant      leakhunt.Secret
	containers map[string]string  // whose a container is, by its ID
	processes  map[int]string     // whose a process is, by its ID
	sidecars   map[string]bool    // the containers of sidecars
	opened     map[string]bool    // the containers all of whose files were searched
	logged     map[*logBuffer]int // how much of a log was searched

	// mu is for what the watch of command lines uses too.
	mu       sync.Mutex
	index    *leakhunt.Index
	salts    leakhunt.Salts
	tokens   map[string]*hunted // by name and value
	stage    string
	searched map[kind]int
	planted  map[kind]bool
	places   map[leakhunt.Place]bool
	leaks    map[string]bool
}

func newHunt(t *testing.T) *hunt {
	t.Helper()
	index, err := leakhunt.NewIndex()
	if err != nil {
		t.Fatal(err)
	}
	h := &hunt{outpost: newOutpost(t, "--debug"), index: index, plant: leakhunt.NewPlant(), temp: t.TempDir(),
		containers: map[string]string{}, processes: map[int]string{}, sidecars: map[string]bool{}, opened: map[string]bool{}, logged: map[*logBuffer]int{}, tokens: map[string]*hunted{},
		searched: map[kind]int{}, planted: map[kind]bool{}, places: map[leakhunt.Place]bool{}, leaks: map[string]bool{}}
	h.shop, h.holder = h.world.shop(), h.id+"-holder"
	if err := os.Mkdir(filepath.Join(h.world.tokens, "hunt"), 0o755); err != nil {
		t.Fatal(err)
	}
	return h
}

// leaked tells of a leak, once for each place.
func (h *hunt) leaked(words string) {
	if !h.leaks[words] {
		h.leaks[words] = true
		h.t.Error(words)
	}
}

// start starts a controller that would leave a core where it may, and that tells all it can.
func (h *hunt) start() {
	h.t.Helper()
	h.flags = []string{"--docker-host", h.outpost.engine.host(), "--token-env", "HUNT_*", "--token-providers", h.shop.declared,
		"--allow-custom-images", "--policy", h.policy(), "--specs", h.specs, "--token-dir", h.world.tokens, "--state-dir", h.state,
		"--instance", h.id, "--name-prefix", h.id}
	h.c = h.runWith([]string{"sh", "-c", `ulimit -c unlimited 2>/dev/null; exec "$0" "$@"`},
		append([]string{"TMPDIR=" + h.temp, "GOTRACEBACK=crash"}, h.env...),
		append(h.flags, "--drain-timeout", "1s", "--resync", "10m", "--log-format", "json")...)
	h.controllers = append(h.controllers, h.c)
}

// says runs a verb, with the controller's own environment, and searches what it prints.
func (h *hunt) says(args ...string) {
	h.t.Helper()
	out, errOut, status := verbWith(h.t, append([]string{"GORACE=atexit_sleep_ms=0"}, h.env...), args...)
	h.look(spot{words, "", strings.Join(args, " ")}, fmt.Appendf(nil, "%s\n%s\n%d", out, errOut, status))
	if status == 2 {
		h.t.Errorf("%v is not understood: %s", args, errOut)
	}
}

// A token is where it has to be, and nowhere else: not in another writing, nor in part, nor as a digest; whatever verb and
// path is taken, whatever fails, and after it is gone. Where it may be is said in SECURITY.md.
func TestTokensLeakNowhere(t *testing.T) {
	t.Parallel()
	if !mayHaveOwnEngine(t) {
		t.Log("LEFT OUT: an engine of its own, all of whose files are searched, takes root")
		return
	}
	h := newHunt(t)
	h.plantAll()
	deliveries := map[string][]*hunted{}
	for name, delivery := range map[string]string{"byfile": "File", "bymemory": "Memory", "byenv": "Env"} {
		for _, from := range []source{fromFile, fromEnv, fromProvider, fromFile} {
			deliveries[delivery] = append(deliveries[delivery], h.token(name, delivery, from))
		}
		h.names = append(h.names, name)
	}
	key, keyed := h.token("keyed", "File", fromFile), h.token("keyed", "File", fromFile)
	key.isKey = true
	h.names = append(h.names, "keyed")
	failing := h.failing()
	h.giveKey(key)
	h.start()
	stop := h.watchCommandLines()
	defer stop()

	declare := func(name, delivery string, more ...string) {
		h.drop(name+".yaml", h.declares(name, delivery, deliveries[delivery], more...))
	}
	declare("byfile", "File")
	declare("bymemory", "Memory")
	declare("byenv", "Env")
	h.drop("keyed.yaml", h.declares("keyed", "File", []*hunted{keyed}, "callerAuth: {keyRef: "+key.ref()+"}"))
	for _, name := range h.names {
		h.c.ready(name)
	}
	h.lookAround("all is well")

	for name, text := range failing.specs {
		h.drop(name+".yaml", text)
	}
	for name, reason := range failing.reasons {
		h.c.is(name, "Ready", "False", reason)
	}
	h.allVerbs()
	h.lookAround("some fail")

	h.rotate(deliveries["File"][0], "Reloaded")
	h.rotate(deliveries["File"][2], "Reloaded")
	h.rotate(deliveries["Memory"][0], "Reloaded")
	h.rotate(deliveries["Env"][0], "Removed")
	key = h.rotate(key, "Reloaded")
	h.lookAround("tokens were rotated")

	stopTrial := h.tryForLong(key)
	h.lookAround("a request is tried")
	stopTrial()

	h.refuse("byfile")
	for _, signal := range []syscall.Signal{syscall.SIGABRT, syscall.SIGQUIT, syscall.SIGKILL} {
		h.crash("byfile", signal)
	}
	h.crash("bymemory", syscall.SIGABRT)
	h.crash("byenv", syscall.SIGABRT)
	for _, signal := range []syscall.Signal{syscall.SIGABRT, syscall.SIGKILL} {
		if err := h.c.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		<-h.c.ended
		h.start()
		for _, name := range h.names {
			h.c.ready(name)
		}
	}
	h.lookAround("sidecars and controller crashed")

	h.takeAway(deliveries, declare)
	h.lookAround("tokens are withheld")
	h.giveBack(declare)

	h.remove()
	h.lookAround("all is removed")
	stop()
	h.judge(t)
}

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
		{"status", "byfile", "-o", "yaml", server}, {"events", server}, {"events", "-o", "json", server},
		{"wait", "byfile", server}, {"wait", "taken", "--timeout", "100ms", server},
		{"try", "byfile", "/0/x", server, engine, "--instance", h.id, "--log-level", "debug"},
		{"try", "byenv", "/0/x", "-o", "json", server, engine, "--instance", h.id}, {"try", "keyed", "/0/x", server, engine, "--instance", h.id},
		{"try", "byfile", "/nowhere", server, engine, "--instance", h.id},
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
