package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/spec"
)

const wiredSpec = goodSpec + "    roles: [anthropic-base-url]\n"

func TestEnvPrintsWhatAnAgentNeeds(t *testing.T) {
	server := declares(t, &fakeController{}, "web.yaml", wiredSpec, "api.yaml", strings.ReplaceAll(goodSpec, "web", "api"))
	dir := specs(t, "web.yaml", wiredSpec, "bad.yaml", "kind: [", "twice.yaml", strings.ReplaceAll(goodSpec, "web", "twice"),
		"again.yaml", strings.ReplaceAll(goodSpec, "web", "twice"), "wrong.yaml", strings.ReplaceAll(goodSpec, "web", "wrong")+"    roles: [npm]\n")
	asked, read := []string{"--server", server}, []string{"--specs", dir}
	tests := map[string]struct {
		args []string
		want int
		says []string // on stdout or stderr
	}{
		"variables":            {append([]string{"web"}, asked...), 0, []string{"ANTHROPIC_BASE_URL=http://cred-proxy:9099/anthropic\n", "ANTHROPIC_AUTH_TOKEN=credproxy-placeholder\n"}},
		"options of docker":    {append([]string{"web", "-o", "docker"}, asked...), 0, []string{"--network web-internal\n--cap-drop NET_RAW\n-e ANTHROPIC_BASE_URL="}},
		"a service":            {append([]string{"web", "-o", "compose", "--service", "claude"}, asked...), 0, []string{`"claude":`, `- "web-internal"`}},
		"without roles":        {append([]string{"api"}, asked...), 1, []string{"no route of api has a role, so there is nothing to set; add roles to its routes"}},
		"without the role":     {append([]string{"web", "-o", "npmrc"}, asked...), 1, []string{"no route of web has the role npm-registry; add roles: [npm-registry]"}},
		"docker without roles": {append([]string{"api", "-o", "docker"}, asked...), 0, []string{"--network api-internal", "note: no route of api has a role, so no variable is set"}},
		"a mistyped name":      {append([]string{"wbe"}, asked...), 1, []string{"wbe: no spec file declares it; do you mean web?"}},
		"no name like it":      {append([]string{"elsewhere"}, asked...), 1, []string{"elsewhere: no spec file declares it; 'controller status' lists"}},
		"no controller":        {[]string{"web", "--server", "127.0.0.1:1"}, 3, []string{"no controller answers at http://127.0.0.1:1; start one with 'controller run'"}},
		"no name":              {asked, 2, []string{"NAME is missing: controller env NAME"}},
		"two names":            {append([]string{"web", "api"}, asked...), 2, []string{"one argument too many"}},
		"no such form":         {append([]string{"web", "-o", "xml"}, asked...), 2, []string{`--output: "xml" is not one of dotenv, docker, compose, npmrc, gitconfig, pipconf, tea, json`}},
		"no such service":      {append([]string{"web", "-o", "compose", "--service", "a b"}, asked...), 2, []string{"--service: "}},
		"both sources":         {append(append([]string{"web"}, asked...), read...), 2, []string{"give one of them"}},

		"from a directory":              {append([]string{"web"}, read...), 0, []string{"ANTHROPIC_BASE_URL=http://cred-proxy:9099/anthropic\n"}},
		"with other defaults":           {append([]string{"web", "--hostname", "proxy", "--port", "80"}, read...), 0, []string{"ANTHROPIC_BASE_URL=http://proxy/anthropic\n"}},
		"a mistyped name in it":         {append([]string{"wbe"}, read...), 1, []string{"declares wbe; do you mean web?", "bad.yaml:1: "}},
		"a name that is there twice":    {append([]string{"twice"}, read...), 1, []string{"twice is declared more than once, at ", "again.yaml:4 and ", "twice.yaml:4; keep one"}},
		"a spec that is wrong":          {append([]string{"wrong"}, read...), 1, []string{"wrong.yaml:11: spec.routes[0].roles[0]: ", "do you mean npm-registry?"}},
		"a directory that is not there": {[]string{"web", "--specs", filepath.Join(dir, "nowhere")}, 1, []string{"nowhere: does not exist"}},
		"no name of a host":             {append([]string{"web", "--hostname", "a b"}, read...), 2, []string{"--hostname: "}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, nil)
			code := c.run(t, append([]string{"env"}, tt.args...)...)
			said := c.out.String() + c.err.String()
			if code != tt.want {
				t.Errorf("exit code %d, want %d: %s", code, tt.want, said)
			}
			for _, words := range tt.says {
				if !strings.Contains(said, words) {
					t.Errorf("it does not say %q:\n%s", words, said)
				}
			}
			if code != 0 && c.out.String() != "" {
				t.Errorf("a script would read %q", c.out.String())
			}
		})
	}
}

func TestEnvSaysTheSameOfAControllerAndOfItsFiles(t *testing.T) {
	server := declares(t, &fakeController{}, "web.yaml", wiredSpec)
	asked, read := newConsole(t, nil), newConsole(t, nil)
	if asked.run(t, "env", "web", "-o", "json", "--server", server) != 0 || read.run(t, "env", "web", "-o", "json", "--specs", specs(t, "web.yaml", wiredSpec)) != 0 {
		t.Fatal(asked.err.String() + read.err.String())
	}
	if diff := gocmp.Diff(asked.out.String(), read.out.String()); diff != "" {
		t.Errorf("(-of the controller +of the files):\n%s", diff)
	}
	var got struct{ Kind, Name, Network, URL string }
	if err := json.Unmarshal([]byte(asked.out.String()), &got); err != nil || got.Kind != "AgentWiring" || got.Network != "web-internal" || got.URL != "http://cred-proxy:9099" {
		t.Errorf("%+v, %v", got, err)
	}
}

// Where no controller runs, anybody on the machine may answer in its place, and a shell makes a command line of what is printed.
func TestEnvPrintsNothingThatIsNoSpec(t *testing.T) {
	good := spec.Decode("web.yaml", []byte(wiredSpec), spec.Options{}).Objects[0].CredProxy
	for name, change := range map[string]func(*spec.CredProxy){
		"options in a network": func(c *spec.CredProxy) { c.Spec.InternalNetwork = "x -v /:/host --privileged" },
		"options in a path":    func(c *spec.CredProxy) { c.Spec.Routes[0].Path = "/x\n--privileged" },
		"options in a host":    func(c *spec.CredProxy) { c.Spec.Hostname = "x --privileged" },
		"lines in an upstream": func(c *spec.CredProxy) { c.Spec.Routes[0].Upstream = "https://x\n[core]" },
		"lines in a header": func(c *spec.CredProxy) {
			c.Spec.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{Env: "A"}, Header: "X\ny"}
		},
		"another name": func(c *spec.CredProxy) { c.Name = "other" },
		"no routes":    func(c *spec.CredProxy) { c.Spec.Routes = nil },
	} {
		t.Run(name, func(t *testing.T) {
			lie := good.DeepCopy()
			change(lie)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(lie) }))
			defer server.Close()
			c := newConsole(t, nil)
			if code := c.run(t, "env", "web", "-o", "docker", "--server", server.URL); code == 0 || c.out.String() != "" {
				t.Errorf("exit code %d: %s", code, c.out.String())
			}
		})
	}
}

func TestEnvSaysWhenNobodyReadsIt(t *testing.T) {
	dir := specs(t, "web.yaml", wiredSpec)
	c := newConsole(t, nil)
	sys := c.system()
	sys.Stdout = brokenPipe{}
	if code := Run(t.Context(), []string{"env", "web", "--specs", dir}, sys); code != 1 || !strings.Contains(c.err.String(), os.ErrClosed.Error()) {
		t.Errorf("exit code %d: %s", code, c.err.String())
	}
}

// brokenPipe is a pipe whose reader has gone.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestTheFormOfAnotherVerbInTheVariableCountsAsNone(t *testing.T) {
	for verb, form := range map[string]string{"env": "wide", "version": "npmrc"} {
		c := newConsole(t, nil)
		c.vars["CREDPROXY_OUTPUT"] = form
		args := []string{verb}
		if verb == "env" {
			args = append(args, "web", "--specs", specs(t, "web.yaml", wiredSpec))
		}
		if code := c.run(t, args...); code != 0 {
			t.Errorf("%s: exit code %d: %s", verb, code, c.err.String())
		}
	}
}
