//go:build e2e && wiring

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"credproxy.dev/controller/test/fences"
)

// Names of the stories' secrets, to be looked for where they must not be.
const (
	wiredToken = "s3cret-of-the-upstreams"
	wiredKey   = "0123456789abcdef-of-the-callers"
)

// wired is a world whose upstreams are those of an agent's clients, and whose agents have this machine's programs.
type wired struct {
	*world
	c        *controller
	services string
	image    string
	// story is what agents find at /story.
	story string
	// env are the variables of ask.sh.
	env []string
}

// newWired makes the environment, and waits until its sidecar serves. callerAuth is the field of the spec; empty for none.
func newWired(t *testing.T, callerAuth string) *wired {
	t.Helper()
	w := &wired{story: t.TempDir(), image: hostImage(t)}
	w.world = emptyWorld(t)
	w.services = w.id + "-services"
	docker(t, "network", "create", "--internal", "-o", "com.docker.network.bridge.inhibit_ipv4=true", w.internal)
	docker(t, "network", "create", w.egress)
	docker(t, append(w.container("-d", "--name", w.services, "--network", w.egress), w.image, "/services", "run", w.services, wiredToken)...)
	w.setToken("token", wiredToken)
	w.setToken("key", wiredKey)
	for _, file := range []string{"ask.sh", "ask.mjs"} {
		copyFile(t, filepath.Join("testdata", "wiring", file), filepath.Join(w.story, file))
	}
	w.env = []string{"STORY_FORGE=http://" + w.services + ":8005", "STORY_FORGE_HOST=" + w.services}
	w.c = w.run()
	w.drop("web.yaml", w.roles(callerAuth))
	w.c.ready("web")
	eventually(t, "the services serve", func() error {
		logs := logsOf(t, w.services)
		return want(strings.Contains(logs, "serving"), logs)
	})
	return w
}

// roles is the spec: each role that has a client here, with its upstream.
func (w *wired) roles(callerAuth string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: credproxy.dev/v1alpha1\nkind: CredProxy\nmetadata: {name: web}\nspec:\n  internalNetwork: %s\n  egressNetwork: %s\n", w.internal, w.egress)
	if callerAuth != "" {
		fmt.Fprintf(&b, "  callerAuth: %s\n", callerAuth)
	}
	b.WriteString("  routes:\n")
	for _, route := range []struct{ path, upstream, scheme, roles string }{
		{"/anthropic", ":8001", "Header, header: X-Api-Key", "anthropic-base-url"},
		{"/openai", ":8002", "Bearer", "openai-base-url"},
		{"/npm", ":8003", "Bearer", "npm-registry"},
		{"/py$(pi)", ":8004/repository/pypi", "Basic, username: any", "pip-index"},
		{"/forge", ":8005", "Basic, username: x-access-token", "git-insteadof, tea-login"},
		{"/odd", ":8005/it's$5(five)&more", "Basic, username: x-access-token", "git-insteadof"},
	} {
		fmt.Fprintf(&b, "  - path: %s\n    upstream: \"http://%s%s\"\n    insecureUpstream: true\n    allowPrivate: true\n"+
			"    auth: {scheme: %s, tokenRef: {file: token}}\n    roles: [%s]\n", route.path, w.services, route.upstream, route.scheme, route.roles)
	}
	return b.String()
}

// container is the beginning of docker run for a container of the image.
func (w *wired) container(options ...string) []string {
	claude, err := filepath.Glob("../../bin/wiring/node_modules/@anthropic-ai/claude-code-linux-*")
	if err != nil || len(claude) == 0 {
		w.t.Fatalf("bin/wiring has no Claude Code; hack/wiring.sh installs it (%v)", err)
	}
	modules := filepath.Dir(filepath.Dir(claude[0]))
	return append(append([]string{"run"}, options...), "-v", "/usr:/usr:ro", "-v", w.story+":/story:ro",
		"-v", absolute(w.t, claude[0])+":/claude:ro", "-v", absolute(w.t, modules)+":/node_modules:ro")
}

// envs is what `controller env web` prints in a form, and its notes.
func (w *wired) envs(form string) (text, notes string) {
	w.t.Helper()
	out, errOut, status := verb(w.t, "env", "web", "-o", form, "--server", "http://"+w.c.listen)
	if status != 0 {
		w.t.Fatalf("env -o %s ends with %d: %s", form, status, errOut)
	}
	return out, errOut
}

// home puts the files of clients where the agent's home is made of, with the key in that of pip, which does not put it in.
func (w *wired) home(forms map[string]string) {
	w.t.Helper()
	for form, path := range forms {
		text, _ := w.envs(form)
		file := filepath.Join(w.story, "home", path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if form == "pipconf" {
			text = w.shell(`printf %s "$0" | envsubst '$CREDPROXY_CALLER_KEY'`, text)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
}

// shell runs a line of a POSIX shell in which controller is the controller's command, and the key a variable.
func (w *wired) shell(line string, args ...string) string {
	w.t.Helper()
	cmd := exec.Command("sh", append([]string{"-euc", line}, args...)...)
	bin := w.t.TempDir()
	for name, program := range map[string]string{"controller": controllerBinary, "composego": absolute(w.t, "../../bin/tools/composego")} {
		if err := os.Symlink(program, filepath.Join(bin, name)); err != nil {
			w.t.Fatal(err)
		}
	}
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "CREDPROXY_SERVER=http://"+w.c.listen, "CREDPROXY_CALLER_KEY="+wiredKey)
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}

// asks runs clients in an agent's container with the options of docker, as a shell reads them, and checks that each got what it
// wanted.
func (w *wired) asks(options string, clients ...string) {
	w.t.Helper()
	line := append(w.container("--rm"), "-e", w.env[0], "-e", w.env[1])
	out := w.shell("docker "+strings.Join(line, " ")+" "+options+" "+w.image+" sh /story/ask.sh "+strings.Join(clients, " "), "sh")
	w.got(out, clients...)
}

func (w *wired) got(out string, clients ...string) {
	w.t.Helper()
	for _, client := range clients {
		if !strings.Contains(out, client+" got what it wanted") {
			w.t.Errorf("%s did not: %s", client, out)
		}
	}
}

// came are the requests that arrived at a port, with their header, and holds that none brought anything of the agent's own.
func (w *wired) came() map[string][]string {
	w.t.Helper()
	var records []struct {
		Port, Method, URI string
		Header            http.Header
	}
	text := docker(w.t, "exec", w.services, "/services", "records")
	if err := json.Unmarshal([]byte(text), &records); err != nil {
		w.t.Fatal(err)
	}
	found := map[string][]string{}
	for _, r := range records {
		found[r.Port] = append(found[r.Port], r.Method+" "+r.URI)
		all := fmt.Sprint(r.Header, r.Header["Authorization"])
		if !strings.Contains(all, wiredToken) && r.Header.Get("Authorization") == "" {
			w.t.Errorf("came without the token: %+v", r)
		}
		if strings.Contains(all, "credproxy-placeholder") || strings.Contains(all, wiredKey) {
			w.t.Errorf("came with the agent's own: %+v", r)
		}
	}
	return found
}

// everyPort holds that each service was asked.
func (w *wired) everyPort() {
	w.t.Helper()
	came := w.came()
	for _, want := range []struct{ port, request string }{
		{":8001", "POST /v1/messages"}, {":8002", "POST /v1/chat/completions"}, {":8003", "GET /wired-thing/-/wired-thing-1.0.0.tgz"},
		{":8003", "GET /@acme/tool/-/tool-1.0.0.tgz"}, {":8004", "GET /repository/pypi/packages/wired_thing-1.0.0-py3-none-any.whl"},
		{":8005", "POST /acme/web.git/git-receive-pack"}, {":8005", "POST /acme/web.git/git-upload-pack"}, {":8005", "GET /api/v1/user"},
	} {
		if !slices.ContainsFunc(came[want.port], func(r string) bool { return strings.HasPrefix(r, want.request) }) {
			w.t.Errorf("%s did not come to %s, but %q", want.request, want.port, came[want.port])
		}
	}
}

// An agent whose container was made by what env prints reaches everything with its usual clients, and holds nothing.
func TestAgentsAreWired(t *testing.T) {
	w := newWired(t, "")
	everything := []string{"git", "npm", "pip", "sdk", "tea"}

	w.asks("$(controller env web -o docker)", append(everything, "claude")...)
	w.everyPort()

	w.home(map[string]string{"npmrc": ".npmrc", "gitconfig": ".gitconfig", "pipconf": ".config/pip/pip.conf"})
	w.asks("--network "+w.internal, "git", "npm", "publish", "pip")
	if came := w.came()[":8003"]; !slices.Contains(came, "PUT /published-thing") {
		t.Errorf("npm did not publish: %q", came)
	}
	if err := os.RemoveAll(filepath.Join(w.story, "home")); err != nil {
		t.Fatal(err)
	}

	text, _ := w.envs("dotenv")
	writeFile(t, filepath.Join(w.story, "agent.env"), text)
	w.asks("--network "+w.internal+" --env-file "+filepath.Join(w.story, "agent.env"), everything...)

	w.got(w.composed(), everything...)
	w.alike()
}

// composed runs the clients in a service that a compose file of the agent's own and the one of env make together.
func (w *wired) composed() string {
	w.t.Helper()
	var own strings.Builder
	fmt.Fprintf(&own, "services:\n  claude:\n    image: %s\n    environment:\n", w.image)
	for _, variable := range w.env {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&own, "      %s: %s\n", name, value)
	}
	own.WriteString("    volumes:\n")
	options := w.container()
	for i, option := range options {
		if option == "-v" {
			fmt.Fprintf(&own, "    - %s\n", options[i+1])
		}
	}
	writeFile(w.t, filepath.Join(w.story, "compose.yaml"), own.String())
	return w.shell(`cd "$0" && controller env web -o compose --service claude >wiring.yaml && `+
		`docker-compose -p "$1" -f compose.yaml -f wiring.yaml run --rm -T claude sh /story/ask.sh git npm pip sdk tea`, w.story, w.id)
}

// alike holds that a container is given the same variables in each form, byte by byte.
func (w *wired) alike() {
	w.t.Helper()
	text, _ := w.envs("json")
	var all struct {
		Variables []struct{ Name, Value string }
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		w.t.Fatal(err)
	}
	const key = "${CREDPROXY_CALLER_KEY}"
	for form, f := range map[string]struct {
		line string
		// noKey and noQuotes say what the form cannot hold.
		noKey, noQuotes bool
	}{
		"docker": {`docker run --rm $(controller env web -o docker) "$1" /toolbox env`, true, false},
		"dotenv": {`controller env web | envsubst '$CREDPROXY_CALLER_KEY' >"$0/plain.env" && docker run --rm --env-file "$0/plain.env" "$1" /toolbox env`, false, true},
		"dotenv in docker compose 1": {`cd "$0" && controller env web >any.env && printf 'services:\n  a: {image: "%s", env_file: any.env}\n' "$1" >env.yaml && ` +
			`docker-compose -p "$2" -f env.yaml run --rm -T a /toolbox env`, false, true},
		"dotenv in docker compose": {`cd "$0" && controller env web >any.env && printf 'services:\n  a: {image: "%s", env_file: any.env}\n' "$1" >env.yaml && composego a env.yaml`, false, false},
		"compose in docker compose 1": {`cd "$0" && printf 'services:\n  agent: {image: "%s"}\n' "$1" >own.yaml && controller env web -o compose >wiring.yaml && ` +
			`docker-compose -p "$2" -f own.yaml -f wiring.yaml run --rm -T agent /toolbox env`, false, false},
		"compose in docker compose": {`cd "$0" && printf 'services:\n  agent: {image: "%s"}\n' "$1" >own.yaml && controller env web -o compose >wiring.yaml && ` +
			`composego agent own.yaml wiring.yaml`, false, false},
	} {
		printed := strings.ReplaceAll(w.shell(f.line, w.story, w.image, w.id), "\r", "")
		for _, v := range all.Variables {
			if f.noQuotes && strings.ContainsAny(v.Value, "'$") && !strings.Contains(v.Value, key) || f.noKey && strings.Contains(v.Value, key) {
				continue
			}
			if value := strings.ReplaceAll(v.Value, key, wiredKey); !strings.Contains("\n"+printed, "\n"+v.Name+"="+value+"\n") {
				w.t.Errorf("%s: the container does not have %s=%s but\n%s", form, v.Name, value, printed)
			}
		}
	}
}

// With a caller key, the same clients show it in the place of their own, and it arrives nowhere.
func TestAgentsWithAKeyAreWired(t *testing.T) {
	w := newWired(t, "{keyRef: {file: key}}")
	everything := []string{"git", "npm", "pip", "sdk", "tea"}
	w.home(map[string]string{"npmrc": ".npmrc"})

	// What cannot be put in by $(…) a person types as stderr says.
	_, notes := w.envs("docker")
	typed := regexp.MustCompile(`(?m)the key cannot be put in by \$\(…\): add (.*)$`).FindStringSubmatch(notes)
	if typed == nil {
		t.Fatalf("nothing is said of the key: %s", notes)
	}
	w.asks("$(controller env web -o docker) "+typed[1], append(everything, "claude", "publish")...)
	w.everyPort()

	w.shell(`cd "$0"; `+w.onThePage(), w.story)
	w.asks("--network "+w.internal+" --env-file "+filepath.Join(w.story, "agent.env"), everything...)
	w.got(w.composed(), everything...)
	if out, err := exec.Command("env", "-u", "CREDPROXY_CALLER_KEY", "docker-compose", "-p", w.id, "-f", filepath.Join(w.story, "compose.yaml"),
		"-f", filepath.Join(w.story, "wiring.yaml"), "config").CombinedOutput(); err == nil || !strings.Contains(string(out), "set it to the key") {
		t.Errorf("without the key docker compose goes on: %v, %s", err, out)
	}

	w.home(map[string]string{"npmrc": ".npmrc", "gitconfig": ".gitconfig", "pipconf": ".config/pip/pip.conf"})
	w.asks("--network "+w.internal+" -e CREDPROXY_CALLER_KEY", "git", "npm", "publish", "pip")
	w.alike()
	w.came()
}

// onThePage is what docs/agent.md says to type so that docker run gets a file of variables with the key in it.
func (w *wired) onThePage() string {
	w.t.Helper()
	text, err := os.ReadFile("../../docs/agent.md")
	if err != nil {
		w.t.Fatal(err)
	}
	blocks, err := fences.Read("docs/agent.md", string(text))
	if err != nil {
		w.t.Fatal(err)
	}
	mine := slices.IndexFunc(blocks, func(b fences.Block) bool { return b.Why == w.t.Name() })
	if mine < 0 {
		w.t.Fatal("docs/agent.md has no block for this test")
	}
	return blocks[mine].Text
}

// Where the key has a header of its own, the clients that can send one do.
func TestAgentsWithAKeyInItsOwnHeaderAreWired(t *testing.T) {
	w := newWired(t, "{keyRef: {file: key}, header: X-My-Key}")
	w.shell(`controller env web -o dotenv | envsubst '$CREDPROXY_CALLER_KEY' >"$0/agent.env"`, w.story)
	w.asks("--network "+w.internal+" --env-file "+filepath.Join(w.story, "agent.env"), "git", "claude")
	if came := w.came(); len(came[":8001"]) == 0 || len(came[":8005"]) == 0 {
		t.Errorf("came: %q", came)
	}
}
