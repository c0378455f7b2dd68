package wiring

import (
	"errors"
	"flag"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"credproxy.dev/controller/pkg/spec"
)

var update = flag.Bool("update", false, "write the files in testdata anew") //nolint:gochecknoglobals // a flag of a test is one

// specOf decodes a spec with the routes, each a mapping of YAML.
func specOf(t *testing.T, callerAuth string, routes ...string) *spec.CredProxy {
	t.Helper()
	file := "apiVersion: credproxy.dev/v1alpha1\nkind: CredProxy\nmetadata: {name: web}\nspec:\n  internalNetwork: web-internal\n  egressNetwork: web-egress\n"
	if callerAuth != "" {
		file += "  callerAuth: " + callerAuth + "\n"
	}
	file += "  routes:\n"
	for _, route := range routes {
		file += "  - " + route + "\n"
	}
	decoded := spec.Decode("web.yaml", []byte(file), spec.Options{})
	if len(decoded.Problems) > 0 {
		t.Fatalf("%v in\n%s", decoded.Problems, file)
	}
	return decoded.Objects[0].CredProxy
}

// all has every role, and of those that several routes may have two.
func all(t *testing.T, callerAuth string) *spec.CredProxy {
	return specOf(t, callerAuth,
		"{path: /anthropic, upstream: 'https://api.anthropic.com', roles: [anthropic-base-url]}",
		"{path: /openai, upstream: 'https://api.openai.com', roles: [openai-base-url]}",
		"{path: /npm, upstream: 'https://registry.npmjs.org', roles: [npm-registry]}",
		"{path: /pypi, upstream: 'https://nexus.example.org/repository/pypi', roles: [pip-index]}",
		"{path: /forge, upstream: 'https://forge.example.org', roles: [tea-login, git-insteadof]}",
		"{path: /old/forge, upstream: 'https://old.example.org:8443/gitea', roles: [git-insteadof, tea-login]}")
}

func variables(w *Wiring) map[string]string {
	found := map[string]string{}
	for _, v := range w.Variables() {
		found[v.Name] = v.Value
	}
	return found
}

func TestWhatEachRoleSets(t *testing.T) {
	const key = "{keyRef: {file: web-key}}"
	inHeader := func(name string) string { return "{keyRef: {file: web-key}, header: " + name + "}" }
	tests := map[string]struct {
		callerAuth, route string
		want              map[string]string
		notes             int
	}{
		"Anthropic's API": {"", "{path: /a, upstream: 'https://api.anthropic.com', roles: [anthropic-base-url]}",
			map[string]string{"ANTHROPIC_BASE_URL": "http://cred-proxy:9099/a", "ANTHROPIC_AUTH_TOKEN": Placeholder}, 0},
		"a route for everything": {"", "{path: /, upstream: 'https://api.anthropic.com', roles: [anthropic-base-url]}",
			map[string]string{"ANTHROPIC_BASE_URL": "http://cred-proxy:9099", "ANTHROPIC_AUTH_TOKEN": Placeholder}, 0},
		"a subscription": {"", "{path: /a, upstream: 'https://api.anthropic.com', roles: [claude-code-login]}",
			map[string]string{"ANTHROPIC_BASE_URL": "http://cred-proxy:9099/a", "CLAUDE_CODE_OAUTH_TOKEN": Placeholder}, 0},
		"Anthropic's API with a key": {key, "{path: /a, upstream: 'https://api.anthropic.com', roles: [anthropic-base-url]}",
			map[string]string{"ANTHROPIC_BASE_URL": "http://cred-proxy:9099/a", "ANTHROPIC_AUTH_TOKEN": keyRef}, 0},
		"with a key where Anthropic has its own": {inHeader("x-api-key"), "{path: /a, upstream: 'https://api.anthropic.com', roles: [anthropic-base-url]}",
			map[string]string{"ANTHROPIC_BASE_URL": "http://cred-proxy:9099/a", "ANTHROPIC_API_KEY": keyRef}, 0},
		"with a key in a header of one's own": {inHeader("X-My-Key"), "{path: /a, upstream: 'https://api.anthropic.com', roles: [anthropic-base-url]}",
			map[string]string{"ANTHROPIC_BASE_URL": "http://cred-proxy:9099/a", "ANTHROPIC_AUTH_TOKEN": Placeholder, "ANTHROPIC_CUSTOM_HEADERS": "X-My-Key:" + keyRef}, 1},
		"with a login of the agent's": {key, "{path: /a, upstream: 'https://api.anthropic.com', passCredentials: true, roles: [anthropic-base-url]}",
			map[string]string{"ANTHROPIC_BASE_URL": "http://cred-proxy:9099/a"}, 1},

		"OpenAI's API": {"", "{path: /o, upstream: 'https://api.openai.com', roles: [openai-base-url]}",
			map[string]string{"OPENAI_BASE_URL": "http://cred-proxy:9099/o/v1", "OPENAI_API_KEY": Placeholder}, 0},
		"OpenAI's API with its version": {"", "{path: /o, upstream: 'https://api.openai.com/v1/', roles: [openai-base-url]}",
			map[string]string{"OPENAI_BASE_URL": "http://cred-proxy:9099/o", "OPENAI_API_KEY": Placeholder}, 0},
		"another's of its kind": {key, "{path: /o, upstream: 'https://models.example.org/v1beta/openai', roles: [openai-base-url]}",
			map[string]string{"OPENAI_BASE_URL": "http://cred-proxy:9099/o", "OPENAI_API_KEY": keyRef}, 0},
		"OpenAI's with a key elsewhere": {inHeader("X-My-Key"), "{path: /o, upstream: 'https://api.openai.com/v1', roles: [openai-base-url]}",
			map[string]string{"OPENAI_BASE_URL": "http://cred-proxy:9099/o", "OPENAI_API_KEY": Placeholder}, 1},
		"OpenAI's with a login of the agent's": {"", "{path: /o, upstream: 'https://api.openai.com/v1', passCredentials: true, roles: [openai-base-url]}",
			map[string]string{"OPENAI_BASE_URL": "http://cred-proxy:9099/o"}, 1},

		"npm": {"", "{path: /npm, upstream: 'https://registry.npmjs.org', roles: [npm-registry]}",
			map[string]string{"NPM_CONFIG_REGISTRY": "http://cred-proxy:9099/npm/", "NPM_CONFIG_REPLACE_REGISTRY_HOST": "always"}, 0},
		"npm with a key": {key, "{path: /npm, upstream: 'https://registry.npmjs.org', roles: [npm-registry]}",
			map[string]string{"NPM_CONFIG_REGISTRY": "http://cred-proxy:9099/npm/", "NPM_CONFIG_REPLACE_REGISTRY_HOST": "always", KeyVariable: keyRef}, 1},
		"npm with a key elsewhere": {inHeader("X-My-Key"), "{path: /npm, upstream: 'https://registry.npmjs.org', roles: [npm-registry]}",
			map[string]string{"NPM_CONFIG_REGISTRY": "http://cred-proxy:9099/npm/", "NPM_CONFIG_REPLACE_REGISTRY_HOST": "always"}, 1},
		"npm with a login of the agent's": {key, "{path: /npm, upstream: 'https://registry.npmjs.org', passCredentials: true, roles: [npm-registry]}",
			map[string]string{"NPM_CONFIG_REGISTRY": "http://cred-proxy:9099/npm/", "NPM_CONFIG_REPLACE_REGISTRY_HOST": "always"}, 1},

		"pip": {"", "{path: '/py$(x)', upstream: 'https://nexus.example.org/repository/pypi', roles: [pip-index]}",
			map[string]string{"PIP_INDEX_URL": "http://cred-proxy:9099/py%24%28x%29/simple/", "PIP_TRUSTED_HOST": "cred-proxy:9099"}, 0},
		"pip with a key": {key, "{path: /pypi, upstream: 'https://nexus.example.org/repository/pypi', roles: [pip-index]}",
			map[string]string{"PIP_INDEX_URL": "http://agent:" + keyRef + "@cred-proxy:9099/pypi/simple/", "PIP_TRUSTED_HOST": "cred-proxy:9099"}, 0},
		"pip with a key elsewhere": {inHeader("X-My-Key"), "{path: /pypi, upstream: 'https://nexus.example.org/repository/pypi', roles: [pip-index]}",
			map[string]string{"PIP_INDEX_URL": "http://cred-proxy:9099/pypi/simple/", "PIP_TRUSTED_HOST": "cred-proxy:9099"}, 1},

		"git": {"", "{path: /git, upstream: 'https://GitHub.com:443', roles: [git-insteadof]}", map[string]string{"GIT_CONFIG_COUNT": "3",
			"GIT_CONFIG_KEY_0": "url.http://cred-proxy:9099/git/.insteadOf", "GIT_CONFIG_VALUE_0": "https://github.com/",
			"GIT_CONFIG_KEY_1": "url.http://cred-proxy:9099/git/.insteadOf", "GIT_CONFIG_VALUE_1": "git@github.com:",
			"GIT_CONFIG_KEY_2": "url.http://cred-proxy:9099/git/.insteadOf", "GIT_CONFIG_VALUE_2": "ssh://git@github.com/"}, 0},
		"git of a part, by an address": {"", "{path: /git, upstream: 'http://[2001:db8::1]:3000/team', insecureUpstream: true, roles: [git-insteadof]}", map[string]string{"GIT_CONFIG_COUNT": "2",
			"GIT_CONFIG_KEY_0": "url.http://cred-proxy:9099/git/.insteadOf", "GIT_CONFIG_VALUE_0": "http://[2001:db8::1]:3000/team/",
			"GIT_CONFIG_KEY_1": "url.http://cred-proxy:9099/git/.insteadOf", "GIT_CONFIG_VALUE_1": "ssh://git@[2001:db8::1]/team/"}, 0},
		"git with a key": {key, "{path: /git, upstream: 'https://[2001:db8::1]', roles: [git-insteadof]}", map[string]string{"GIT_CONFIG_COUNT": "3",
			"GIT_CONFIG_KEY_0": "url.http://cred-proxy:9099/git/.insteadOf", "GIT_CONFIG_VALUE_0": "https://[2001:db8::1]/",
			"GIT_CONFIG_KEY_1": "url.http://cred-proxy:9099/git/.insteadOf", "GIT_CONFIG_VALUE_1": "ssh://git@[2001:db8::1]/",
			"GIT_CONFIG_KEY_2": "credential.http://cred-proxy:9099.helper", "GIT_CONFIG_VALUE_2": askForKey, KeyVariable: keyRef}, 0},
		"git with a key elsewhere": {inHeader("X-My-Key"), "{path: /git, upstream: 'https://[2001:db8::1]', roles: [git-insteadof]}", map[string]string{"GIT_CONFIG_COUNT": "3",
			"GIT_CONFIG_KEY_0": "url.http://cred-proxy:9099/git/.insteadOf", "GIT_CONFIG_VALUE_0": "https://[2001:db8::1]/",
			"GIT_CONFIG_KEY_1": "url.http://cred-proxy:9099/git/.insteadOf", "GIT_CONFIG_VALUE_1": "ssh://git@[2001:db8::1]/",
			"GIT_CONFIG_KEY_2": "http.http://cred-proxy:9099/.extraHeader", "GIT_CONFIG_VALUE_2": "X-My-Key:" + keyRef}, 0},

		"tea": {"", "{path: /forge, upstream: 'https://forge.example.org:8443/gitea', roles: [tea-login]}",
			map[string]string{"GITEA_INSTANCE_URL": "http://cred-proxy:9099/forge", "GITEA_TOKEN": Placeholder, "GITEA_INSTANCE_SSH_HOST": "forge.example.org"}, 0},
		"tea with a key elsewhere": {inHeader("X-My-Key"), "{path: /forge, upstream: 'https://forge.example.org', roles: [tea-login]}",
			map[string]string{"GITEA_INSTANCE_URL": "http://cred-proxy:9099/forge", "GITEA_TOKEN": Placeholder, "GITEA_INSTANCE_SSH_HOST": "forge.example.org"}, 1},
		"tea with a login of the agent's": {"", "{path: /forge, upstream: 'https://forge.example.org', passCredentials: true, roles: [tea-login]}",
			map[string]string{"GITEA_INSTANCE_URL": "http://cred-proxy:9099/forge", "GITEA_INSTANCE_SSH_HOST": "forge.example.org"}, 1},
		"nothing": {"", "{path: /a, upstream: 'https://api.anthropic.com'}", map[string]string{}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := Of(specOf(t, tt.callerAuth, tt.route))
			if diff := cmp.Diff(tt.want, variables(w)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if notes := w.notesIn(JSON); len(notes) != tt.notes {
				t.Errorf("%d notes: %q", len(notes), notes)
			}
		})
	}
}

func TestAPortThatGoesWithoutSayingIsLeftOut(t *testing.T) {
	c := all(t, "")
	c.Spec.Hostname, c.Spec.Port = "proxy", 80
	if got := variables(Of(c)); got["NPM_CONFIG_REGISTRY"] != "http://proxy/npm/" || got["PIP_TRUSTED_HOST"] != "proxy" {
		t.Errorf("%v", got)
	}
}

// The files in testdata are what people get; `go test ./pkg/wiring -update` writes them anew.
func TestEachFormatIsAsItWas(t *testing.T) {
	for world, callerAuth := range map[string]string{"plain": "", "key": "{keyRef: {file: web-key}}", "header": "{keyRef: {file: web-key}, header: X-My-Key}"} {
		for _, f := range Formats() {
			t.Run(world+"/"+string(f), func(t *testing.T) {
				d, err := Of(all(t, callerAuth)).Render(f, "agent")
				if err != nil {
					t.Fatal(err)
				}
				got := d.Text + "\nnotes:\n" + strings.Join(d.Notes, "\n") + "\n"
				path := "testdata/" + world + "." + string(f)
				if *update {
					if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("(-file +got):\n%s", diff)
				}
			})
		}
	}
}

func TestAFormatWithNothingToSayNamesTheRole(t *testing.T) {
	w := Of(specOf(t, "", "{path: /a, upstream: 'https://api.anthropic.com'}"))
	for f, want := range map[Format]string{
		NPMRC: "no route of web has the role npm-registry; add roles: [npm-registry]", PipConf: "pip-index", GitConfig: "git-insteadof", Tea: "tea-login",
		Dotenv: "no route of web has a role, so there is nothing to set; add roles to its routes: anthropic-base-url, ",
	} {
		_, err := w.Render(f, "agent")
		var nothing *NothingError
		if !errors.As(err, &nothing) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", f, err)
		}
	}
	for _, f := range []Format{Docker, Compose, JSON} {
		if d, err := w.Render(f, "agent"); err != nil || !strings.Contains(d.Text, "web-internal") {
			t.Errorf("%s does not say at least the network: %v, %s", f, err, d.Text)
		}
	}
	if _, err := w.Render("xml", "agent"); err == nil {
		t.Error("any word is a format")
	}
}

func TestLoginsHaveNamesOfTheirOwn(t *testing.T) {
	w := Of(specOf(t, "",
		"{path: /, upstream: 'https://a.example.org', roles: [tea-login]}", "{path: /a/b, upstream: 'https://b.example.org', roles: [tea-login]}",
		"{path: /a-B, upstream: 'https://c.example.org', roles: [tea-login]}", "{path: /web, upstream: 'https://d.example.org', roles: [tea-login]}"))
	var names []string
	for _, l := range w.logins {
		names = append(names, l.name)
	}
	if want := []string{"web", "a-b", "a-B-2", "web-2"}; !slices.Equal(want, names) {
		t.Errorf("%q, want %q", names, want)
	}
}

// tea's file, as tea 0.16 reads it (modules/config, type Login): what is not there means nothing to it.
func TestTheFileOfTeaIsWhatTeaReads(t *testing.T) {
	d, err := Of(all(t, "")).Render(Tea, "agent")
	if err != nil {
		t.Fatal(err)
	}
	type login struct {
		Name         string `yaml:"name"`
		URL          string `yaml:"url"`
		Token        string `yaml:"token"`
		Default      bool   `yaml:"default"`
		SSHHost      string `yaml:"ssh_host"`
		VersionCheck bool   `yaml:"version_check"`
	}
	var file struct {
		Logins []login `yaml:"logins"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(d.Text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	want := []login{
		{Name: "forge", URL: "http://cred-proxy:9099/forge", Token: Placeholder, Default: true, SSHHost: "forge.example.org"},
		{Name: "old-forge", URL: "http://cred-proxy:9099/old/forge", Token: Placeholder, SSHHost: "old.example.org"},
	}
	if diff := cmp.Diff(want, file.Logins); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A shell parts what it is given by $(…) at spaces, looks for files by patterns, and does nothing else with it.
func FuzzAnyRouteCanBePartedByAShell(f *testing.F) {
	for _, seed := range []string{"/npm", "/a$b(c)", "/x'y*z", "/~!&=,:@+", "/"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, path, base string) {
		c := all(t, "{keyRef: {file: web-key}}")
		for i := range c.Spec.Routes[:3] {
			c.Spec.Routes[i].Path, c.Spec.Routes[i].Upstream = path, "https://example.org"+base
		}
		c.Spec.Routes = c.Spec.Routes[:1]
		c.Spec.Routes[0].Roles = []spec.Role{spec.RoleAnthropic, spec.RoleGit, spec.RoleTea, spec.RolePip}
		if spec.Check(c) != nil {
			return
		}
		w := Of(c)
		words := strings.Fields(w.docker().Text)
		if want := 4 + 2*len(w.withoutKey()) + 2; len(words) != want {
			t.Errorf("%d words, want %d: %q", len(words), want, words)
		}
		for _, v := range w.Variables() {
			if strings.ContainsAny(v.Value, " \t\r\n*?\"'") && !strings.HasPrefix(v.Name, "GIT_CONFIG_VALUE") {
				t.Errorf("%s has what a shell could take for something: %q", v.Name, v.Value)
			}
		}
		u, err := url.Parse(w.base(&c.Spec.Routes[0]))
		if err != nil || u.Path != strings.TrimSuffix(path, "/") {
			t.Errorf("%q is not the path %q: %v", w.base(&c.Spec.Routes[0]), path, err)
		}
	})
}
