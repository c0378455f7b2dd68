package spec

import (
	"strings"
	"testing"
)

func TestRoles(t *testing.T) {
	routes := func(lines ...string) string {
		return strings.Split(web, "  - path")[0] + strings.Join(lines, "\n") + "\n"
	}
	const anthropic = "  - {path: /anthropic, upstream: 'https://api.anthropic.com', roles: [anthropic-base-url]}"
	tests := map[string]struct {
		file string
		// says are the problems, each by its beginning; none for a good file.
		says []string
	}{
		"one of each": {routes(anthropic,
			"  - {path: /openai, upstream: 'https://api.openai.com/v1', roles: [openai-base-url], methods: [GET, POST]}",
			"  - {path: /npm, upstream: 'https://registry.npmjs.org', roles: [npm-registry], methods: [GET, HEAD]}",
			"  - {path: /pypi, upstream: 'https://pypi.corp.example/repository/pypi', roles: [pip-index]}",
			"  - {path: /forge, upstream: 'https://forge.example.org', roles: [git-insteadof, tea-login]}"), nil},
		"what several may have": {routes(
			"  - {path: /a, upstream: 'https://a.example.org', roles: [git-insteadof, tea-login]}",
			"  - {path: /b, upstream: 'https://b.example.org', roles: [tea-login, git-insteadof]}"), nil},
		"git of a part and of the whole": {routes(
			"  - {path: /a, upstream: 'https://a.example.org', roles: [git-insteadof]}",
			"  - {path: /b, upstream: 'https://a.example.org/team', roles: [git-insteadof], git: {fetch: true}}"), nil},
		"a registry with a path of its own": {routes("  - {path: /repository/npm, upstream: 'https://nexus.example.org/repository/npm', roles: [npm-registry]}"), nil},

		"a mistyped one": {routes("  - {path: /a, upstream: 'https://a.example.org', roles: [git-insteadOf, npm]}"), []string{
			"spec.routes[0].roles[0]: Invalid value: must be one of anthropic-base-url, claude-code-login, openai-base-url, npm-registry, pip-index, git-insteadof, tea-login; do you mean git-insteadof?",
			"spec.routes[0].roles[1]: Invalid value: must be one of anthropic-base-url, claude-code-login, openai-base-url, npm-registry, pip-index, git-insteadof, tea-login; do you mean npm-registry?"}},
		"one that is nothing like any": {routes("  - {path: /a, upstream: 'https://a.example.org', roles: [browser]}"), []string{
			"spec.routes[0].roles[0]: Invalid value: must be one of anthropic-base-url, claude-code-login, openai-base-url, npm-registry, pip-index, git-insteadof, tea-login"}},
		"none in a list":         {routes("  - {path: /a, upstream: 'https://a.example.org', roles: []}"), []string{"spec.routes[0].roles: Required value: list what"}},
		"nothing":                {routes("  - {path: /a, upstream: 'https://a.example.org', roles: }"), []string{"spec.routes[0].roles: must be a list, not nothing"}},
		"one that is not a list": {routes("  - {path: /a, upstream: 'https://a.example.org', roles: pip-index}"), []string{"spec.routes[0].roles: must be a list"}},
		"one twice":              {routes("  - {path: /a, upstream: 'https://a.example.org', roles: [tea-login, tea-login]}"), []string{"spec.routes[0].roles[1]: Duplicate value"}},

		"two registries": {routes(
			"  - {path: /a, upstream: 'https://a.example.org', roles: [npm-registry]}",
			"  - {path: /b, upstream: 'https://b.example.org', roles: [npm-registry]}"),
			[]string{"spec.routes[1].roles[0]: Forbidden: a client has one npm registry, which spec.routes[0].roles[0] sets already"}},
		"two indexes": {routes(
			"  - {path: /a, upstream: 'https://a.example.org', roles: [pip-index]}",
			"  - {path: /b, upstream: 'https://b.example.org', roles: [pip-index]}"), []string{"spec.routes[1].roles[0]: Forbidden: a client has one pip index"}},
		"two of OpenAI": {routes(
			"  - {path: /a, upstream: 'https://a.example.org', roles: [openai-base-url]}",
			"  - {path: /b, upstream: 'https://b.example.org', roles: [openai-base-url]}"), []string{"spec.routes[1].roles[0]: Forbidden: a client has one OPENAI_BASE_URL"}},
		"two ways to Anthropic": {routes(anthropic,
			"  - {path: /b, upstream: 'https://b.example.org', roles: [claude-code-login]}"), []string{"spec.routes[1].roles[0]: Forbidden: a client has one ANTHROPIC_BASE_URL"}},
		"one upstream of git, twice": {routes(
			"  - {path: /a, upstream: 'https://Forge.example.org:443/', roles: [git-insteadof]}",
			"  - {path: /b, upstream: 'https://forge.example.org', roles: [git-insteadof]}"),
			[]string{"spec.routes[1].roles[0]: Forbidden: the upstream is that of spec.routes[0].roles[0] too"}},

		"a route for git alone": {routes("  - {path: /a, upstream: 'https://a.example.org', git: {fetch: true}, roles: [git-insteadof, tea-login]}"),
			[]string{"spec.routes[0].roles[1]: Forbidden: git: passes the requests of git alone; give tea-login a route of its own"}},
		"a method that is missing": {routes("  - {path: /a, upstream: 'https://a.example.org', methods: [GET], roles: [anthropic-base-url, npm-registry]}"),
			[]string{"spec.routes[0].roles[0]: Forbidden: its clients need the method POST"}},
		"methods that only warn": {routes("  - {path: /a, upstream: 'https://a.example.org', methods: [GET], mode: Warn, roles: [anthropic-base-url]}"), nil},
		"what clients add themselves": {routes(
			"  - {path: /a, upstream: 'https://a.example.org/v1', roles: [anthropic-base-url]}",
			"  - {path: /b, upstream: 'https://b.example.org/simple/', roles: [pip-index]}",
			"  - {path: /c, upstream: 'https://c.example.org/api/v1', roles: [tea-login]}"),
			[]string{
				"spec.routes[0].roles[0]: Forbidden: its clients put /v1 behind the URL that they are given; end the upstream before it",
				"spec.routes[1].roles[0]: Forbidden: its clients put /simple behind",
				"spec.routes[2].roles[0]: Forbidden: its clients put /api/v1 behind"}},
		"a registry below another path": {routes("  - {path: /npm, upstream: 'https://nexus.example.org/repository/npm', roles: [npm-registry]}"),
			[]string{"spec.routes[0].roles[0]: Forbidden: npm keeps the path of the upstream when it fetches a package; write path: /repository/npm"}},
		"an index whose files are elsewhere": {routes("  - {path: /pypi, upstream: 'https://pypi.org', roles: [pip-index]}"),
			[]string{"spec.routes[0].roles[0]: Forbidden: the pages of this index lead to files on another host"}},
		"an upstream that is none": {routes("  - {path: /a, upstream: 'nowhere', roles: [git-insteadof, npm-registry]}"), []string{"spec.routes[0].upstream: "}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			problems := Decode("web.yaml", []byte(tt.file), Options{}).Problems
			if len(problems) != len(tt.says) {
				t.Fatalf("%d problems, want %d: %v", len(problems), len(tt.says), problems)
			}
			for i, want := range tt.says {
				if got := problems[i].Field + ": " + problems[i].Message; !strings.HasPrefix(got, want) {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
		})
	}
}

// What is in the place of a role may be a token.
func TestAnUnknownRoleIsNotRepeated(t *testing.T) {
	for _, p := range Decode("web.yaml", []byte(web+"    roles: [sk-ant-secret]\n"), Options{}).Problems {
		if strings.Contains(p.String(), "secret") {
			t.Errorf("it is repeated: %s", p)
		}
	}
}

func TestRolesAreNotOfTheContainer(t *testing.T) {
	s := hashed()
	before := Hash(s)
	s.Routes[0].Roles = Roles()
	if Hash(s) != before {
		t.Error("roles are hashed")
	}
}
