//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

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
