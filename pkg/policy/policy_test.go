package policy

import (
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/spec"
)

// header begins every policy here.
const header = "apiVersion: credproxy.dev/v1alpha1\nkind: TokenPolicy\nmetadata: {name: fleet}\nspec:\n  rules:\n"

// teamA is the rule that most tests are about.
const teamA = header + `
  - name: team-a-github
    folders: ["team-a/**"]
    tokens: [{env: "GH_*"}, {file: "team-a/**"}, {provider: vault, key: "team-a/**"}]
    upstreams:
    - {host: api.github.com, paths: ["/repos/acme/**"]}
    - {host: "*.example.org", port: 8443}
    - {scheme: http, host: 192.0.2.1}
    - {host: xn--bcher-kva.example}
    callerKeys: [{file: "keys/**"}]
    networks: ["team-a-*"]
  - name: team-a-tools
    folders: ["team-a/tools"]
    names: ["web-*"]
    matchLabels: {tier: prod}
    images: ["registry.example.org/proxy@sha256:*"]
    networks: [tools]
    allow: [CustomImage, EnvDelivery, InsecureUpstream, AllowPrivate, WarnMode]
`

func mustDecode(t testing.TB, text string) *Policy {
	t.Helper()
	p, problems := Decode("policy.yaml", []byte(text))
	for _, problem := range problems {
		t.Error(problem)
	}
	if p == nil {
		t.FailNow()
	}
	return p
}

// subject is a spec in a folder, permitted by teamA until a test changes it.
type subject struct {
	folder string
	*spec.CredProxy
}

func newSubject(change func(*subject)) subject {
	s := subject{folder: "team-a", CredProxy: &spec.CredProxy{}}
	s.Name = "web"
	s.Spec = spec.CredProxySpec{
		InternalNetwork: "team-a-in", EgressNetwork: "team-a-out",
		Routes: []spec.Route{{
			Path: "/gh", Upstream: "https://api.github.com/repos/acme",
			Auth: &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: spec.TokenRef{Env: "GH_TOKEN"}},
		}},
	}
	if change != nil {
		change(&s)
	}
	spec.SetDefaults(s.CredProxy, spec.Options{})
	return s
}

// words is all that a decision says, a line for each denial; "" permits everything.
func words(d Decision) string {
	var lines []string
	for _, denial := range d.Spec {
		lines = append(lines, denial.Message)
	}
	for path, denial := range d.Routes {
		lines = append(lines, path+" "+denial.Message)
	}
	return strings.Join(lines, "\n")
}

func upstream(url string) func(*subject) {
	return func(s *subject) { s.Spec.Routes[0].Upstream = url }
}

func token(ref spec.TokenRef) func(*subject) {
	return func(s *subject) { s.Spec.Routes[0].Auth.TokenRef = ref }
}

// tools is what the second rule selects.
func tools(change func(*subject)) func(*subject) {
	return func(s *subject) {
		s.folder, s.Name, s.Labels = "team-a/tools", "web-1", map[string]string{"tier": "prod"}
		change(s)
	}
}

func TestWhatAPolicySays(t *testing.T) {
	const (
		noFolder = "no rule of the policy has folder %s, in which the spec's file is"
		other    = `/gh rule "team-a-github" of the policy permits env GH_TOKEN at https://api.github.com/repos/acme/**, ` +
			`https://*.example.org:8443/**, http://192.0.2.1/** and 1 more only, not at `
	)
	tests := []struct {
		name   string
		change func(*subject)
		want   string // "" for permitted; a beginning, where it ends in …
	}{
		{"a use that one rule has", nil, ""},
		{"below the path", upstream("https://api.github.com/repos/acme/web"), ""},
		{"another path", upstream("https://api.github.com/repos/evil"), other + "https://api.github.com/repos/evil"},
		{"a path that only begins alike", upstream("https://api.github.com/repos/acmeevil"), other + "https://api.github.com/repos/acmeevil"},
		{"above the path: the agent could ask for more than the rule has", upstream("https://api.github.com/repos"), other + "https://api.github.com/repos"},
		{"the root of it", upstream("https://api.github.com/"), other + "https://api.github.com"},
		{"a path in other letters", upstream("https://api.github.com/Repos/acme"), other + "https://api.github.com/Repos/acme"},
		{"a host in other letters", upstream("https://API.GitHub.com/repos/acme"), ""},
		{"another host", upstream("https://evil.example/repos/acme"), other + "https://evil.example/repos/acme"},
		{"a host that only ends alike", upstream("https://evilapi.github.com/repos/acme"), other + "https://evilapi.github.com/repos/acme"},
		{"the port in figures", upstream("https://api.github.com:443/repos/acme"), ""},
		{"another port", upstream("https://api.github.com:444/repos/acme"), other + "https://api.github.com:444/repos/acme"},
		{"in clear", upstream("http://api.github.com/repos/acme"), other + "http://api.github.com/repos/acme"},
		{"in clear at the port of https", upstream("http://api.github.com:443/repos/acme"), other + "http://api.github.com:443/repos/acme"},
		{"a name below one", upstream("https://a.example.org:8443"), ""},
		{"far below it", upstream("https://a.b.example.org:8443/x"), ""},
		{"the name itself", upstream("https://example.org:8443"), other + "https://example.org:8443"},
		{"a name that only ends alike", upstream("https://evilexample.org:8443"), other + "https://evilexample.org:8443"},
		{"a name below one, at another port", upstream("https://a.example.org"), other + "https://a.example.org"},
		{"IDN as punycode", upstream("https://XN--BCHER-KVA.example"), ""},
		{"IDN as letters", upstream("https://bücher.example"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},
		{"a final dot", upstream("https://api.github.com./repos/acme"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},
		{"user info", upstream("https://api.github.com@evil.example/repos/acme"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},
		{"an address in decimal", upstream("http://3221225985"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},
		{"an address in hexadecimal", upstream("http://0xc0000201"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},
		{"an address in octal", upstream("http://0300.0.2.1"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},
		{"an address with a zone", upstream("https://[fe80::1%25eth0]"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},
		{"dots in the path", upstream("https://api.github.com/repos/acme/../evil"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},
		{"encoded dots", upstream("https://api.github.com/repos/acme/%2e%2e/evil"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},
		{"an encoded slash", upstream("https://api.github.com/repos/acme%2f..%2fevil"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},
		{"encoded twice", upstream("https://api.github.com/repos/acme/%252e%252e/evil"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},
		{"a doubled slash", upstream("https://api.github.com//repos/acme"), `/gh rule "team-a-github" of the policy cannot be compared with the upstream…`},

		{"a file", token(spec.TokenRef{File: "team-a/x/y"}), ""},
		{"a file of others", token(spec.TokenRef{File: "team-b/x"}), `/gh rule "team-a-github" of the policy does not permit file team-b/x at https://api.github.com/repos/acme; ` +
			`its tokens: env GH_*, file team-a/**, provider vault key team-a/**; its upstreams: https://api.github.com/repos/acme/**, https://*.example.org:8443/**, http://192.0.2.1/** and 1 more`},
		{"a file by a detour", token(spec.TokenRef{File: "team-a/../team-b/x"}), `/gh rule "team-a-github" of the policy does not permit…`},
		{"a key of a provider", token(spec.TokenRef{Provider: "vault", Key: "team-a/gh"}), ""},
		{"a key of others", token(spec.TokenRef{Provider: "vault", Key: "team-b/gh"}), `/gh rule "team-a-github" of the policy does not permit…`},
		{"another provider", token(spec.TokenRef{Provider: "vault2", Key: "team-a/gh"}), `/gh rule "team-a-github" of the policy does not permit…`},
		{"another variable", token(spec.TokenRef{Env: "AWS_KEY"}), `/gh rule "team-a-github" of the policy does not permit env AWS_KEY at…`},
		{"a variable in other letters", token(spec.TokenRef{Env: "gh_TOKEN"}), `/gh rule "team-a-github" of the policy does not permit…`},
		{"two sources at once", token(spec.TokenRef{Env: "GH_X", File: "team-b/x"}), `/gh rule "team-a-github" of the policy does not permit…`},
		{"several tokens", tokensOf("GH_A", "GH_B"), ""},
		{"one of several that is others'", tokensOf("GH_A", "AWS_KEY"), `/gh rule "team-a-github" of the policy does not permit env AWS_KEY at…`},
		{"several, each of another rule", tools(tokensOf("GH_A", "AWS_KEY")), `/gh rule "team-a-github" of the policy does not permit env AWS_KEY at…`},
		{"credentials of the client's own", func(s *subject) { s.Spec.Routes[0].PassCredentials = true },
			`/gh rule "team-a-github" of the policy does not permit passCredentials; that takes PassCredentials in its allow`},
		{"those without a token", func(s *subject) {
			s.Spec.Routes[0] = spec.Route{Path: "/x", Upstream: "https://anywhere.example", PassCredentials: true}
		}, `/x rule "team-a-github" of the policy does not permit passCredentials; that takes PassCredentials in its allow`},
		{"no token needs no rule", func(s *subject) { s.Spec.Routes[0] = spec.Route{Path: "/x", Upstream: "https://anywhere.example"} }, ""},
		{"clear text without a token takes the option", func(s *subject) {
			s.Spec.Routes[0] = spec.Route{Path: "/x", Upstream: "http://anywhere.example", InsecureUpstream: true}
		}, `/x rule "team-a-github" of the policy does not permit insecureUpstream; that takes InsecureUpstream in its allow`},
		{"clear text that a rule has takes the option too", upstream("http://[::ffff:192.0.2.1]:80/x"),
			`/gh rule "team-a-github" of the policy does not permit insecureUpstream; that takes InsecureUpstream in its allow`},
		{"an address of a private network takes its option", func(s *subject) { s.Spec.Routes[0].AllowPrivate = true },
			`/gh rule "team-a-github" of the policy does not permit allowPrivate; that takes AllowPrivate in its allow`},
		{"that where it is allowed", tools(func(s *subject) { s.Spec.Routes[0].AllowPrivate = true }), ""},
		{"authorities of the spec's choice", func(s *subject) { s.Spec.Routes[0].CAFile = "x.pem" },
			`/gh rule "team-a-github" of the policy does not permit caFile; that takes CustomRoots in its allow`},
		{"the key of a client certificate", func(s *subject) {
			s.Spec.Routes[0].ClientCertificate = &spec.ClientCertificate{CertFile: "x", KeyRef: spec.TokenRef{File: "team-a/x"}}
		}, ""},
		{"the key of others' client certificate", func(s *subject) {
			s.Spec.Routes[0].ClientCertificate = &spec.ClientCertificate{CertFile: "x", KeyRef: spec.TokenRef{File: "team-b/x"}}
		}, `/gh rule "team-a-github" of the policy does not permit file team-b/x at…`},
		{"an egress proxy", func(s *subject) { s.Spec.Routes[0].ProxyURL = "http://x:1" },
			`/gh rule "team-a-github" of the policy does not permit proxyURL; that takes EgressProxy in its allow`},
		{"a policy of a route that warns only takes the option", func(s *subject) {
			s.Spec.Routes[0].Methods, s.Spec.Routes[0].Mode = []string{"GET"}, spec.ModeWarn
		}, `/gh rule "team-a-github" of the policy does not permit mode: Warn; that takes WarnMode in its allow`},
		{"a policy of a route that holds does not", func(s *subject) {
			s.Spec.Routes[0].Methods, s.Spec.Routes[0].Mode = []string{"GET"}, spec.ModeEnforce
		}, ""},
		{"one that warns by the option", tools(func(s *subject) {
			s.Spec.Routes[0].Methods, s.Spec.Routes[0].Mode = []string{"GET"}, spec.ModeWarn
		}), ""},
		{"a token that may come back in an answer", func(s *subject) { s.Spec.Routes[0].ScrubResponses = new(bool) },
			`/gh rule "team-a-github" of the policy does not permit scrubResponses: false; that takes UnscrubbedResponses in its allow`},
		{"the option of another rule that selects it", tools(upstream("http://192.0.2.1")), ""},

		{"the key of callers", func(s *subject) { s.Spec.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{File: "keys/web"}} }, ""},
		{"a token as the key of callers", func(s *subject) {
			s.Spec.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{File: "team-a/x"}}
		}, `rule "team-a-github" of the policy does not permit file team-a/x as the key of callers; its callerKeys: file keys/**`},
		{"a key of callers as a token", token(spec.TokenRef{File: "keys/web"}), `/gh rule "team-a-github" of the policy does not permit…`},

		{"an internal network of others", func(s *subject) { s.Spec.InternalNetwork = "team-b-in" }, `rule "team-a-github" of the policy does not permit network "team-b-in"; its networks: team-a-*`},
		{"an egress network of others", func(s *subject) { s.Spec.EgressNetwork = "tools" }, `rule "team-a-github" of the policy does not permit network "tools"; its networks: team-a-*`},
		{"networks of two rules", tools(func(s *subject) { s.Spec.EgressNetwork = "tools" }), ""},
		{"delivery by environment", func(s *subject) { s.Spec.TokenDelivery = spec.DeliverEnv }, `rule "team-a-github" of the policy does not permit tokenDelivery: Env; that takes EnvDelivery in its allow`},
		{"that where it is allowed", tools(func(s *subject) { s.Spec.TokenDelivery = spec.DeliverEnv }), ""},
		{"an image", func(s *subject) { s.Spec.Image = "registry.example.org/proxy@sha256:0" }, `rule "team-a-github" of the policy does not permit image "registry.example.org/proxy@sha256:0"; its images: none`},
		{"that where it is permitted", tools(func(s *subject) { s.Spec.Image = "registry.example.org/proxy@sha256:0" }), ""},
		{"another there", tools(func(s *subject) { s.Spec.Image = "registry.example.org/proxy:latest" }), `rule "team-a-tools" of the policy does not permit image…`},
		{"an image below one", tools(func(s *subject) { s.Spec.Image = "registry.example.org/proxy@sha256:0/x" }), `rule "team-a-tools" of the policy does not permit image…`},

		{"the same file in another folder", func(s *subject) { s.folder = "team-b" }, strings.Replace(noFolder, "%s", "team-b", 1)},
		{"in a folder that only begins alike", func(s *subject) { s.folder = "team-ab" }, strings.Replace(noFolder, "%s", "team-ab", 1)},
		{"a folder in other letters", func(s *subject) { s.folder = "Team-A" }, strings.Replace(noFolder, "%s", "Team-A", 1)},
		{"at the root", func(s *subject) { s.folder = "." }, strings.Replace(noFolder, "%s", ". (--specs itself)", 1)},
		{"a folder of that name elsewhere", func(s *subject) { s.folder = "x/team-a" }, strings.Replace(noFolder, "%s", "x/team-a", 1)},
		{"a folder that would forge a line", func(s *subject) { s.folder = "a\nb" }, strings.Replace(noFolder, "%s", `"a\nb"`, 1)},
		{"deep below the folder", func(s *subject) { s.folder = "team-a/x/y" }, ""},
		{"labels of its author's select nothing more", func(s *subject) {
			s.folder, s.Labels = "team-b", map[string]string{"tier": "prod", "folder": "team-a"}
		}, strings.Replace(noFolder, "%s", "team-b", 1)},
		{"a name of its author's selects nothing more", func(s *subject) { s.folder, s.Name = "team-b", "web-1" }, strings.Replace(noFolder, "%s", "team-b", 1)},
		{"without the labels a rule does not help", tools(func(s *subject) { s.Labels = nil; s.Spec.EgressNetwork = "tools" }), `rule "team-a-github" of the policy does not permit network "tools"…`},
		{"nor without the name", tools(func(s *subject) { s.Name = "db"; s.Spec.EgressNetwork = "tools" }), `rule "team-a-github" of the policy does not permit network "tools"…`},
	}
	p := mustDecode(t, teamA)
	for _, tt := range tests {
		s := newSubject(tt.change)
		got := words(p.Evaluate(s.folder, s.CredProxy))
		begin, some := strings.CutSuffix(tt.want, "…")
		if got != tt.want && !(some && strings.HasPrefix(got, begin)) {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// tokensOf has the route add several tokens.
func tokensOf(variables ...string) func(*subject) {
	return func(s *subject) {
		auth := &spec.Auth{Scheme: spec.SchemeCustom, Tokens: map[string]spec.TokenRef{}}
		for _, v := range variables {
			auth.Tokens[v] = spec.TokenRef{Env: v}
			auth.Headers = append(auth.Headers, spec.Addition{Name: "X-" + v, Value: "{" + v + "}"})
		}
		s.Spec.Routes[0].Auth = auth
	}
}

func TestTwoRulesDoNotMakeAUseTogether(t *testing.T) {
	p := mustDecode(t, header+`
  - {name: one, folders: ["**"], networks: ["*"], tokens: [{env: A}], upstreams: [{host: a.example}]}
  - {name: two, folders: ["**"], tokens: [{env: B}], upstreams: [{host: b.example}]}
`)
	crossed := newSubject(func(s *subject) {
		s.Spec.Routes[0].Upstream, s.Spec.Routes[0].Auth.TokenRef.Env = "https://b.example", "A"
	})
	want := `/gh rule "one" of the policy permits env A at https://a.example/** only, not at https://b.example`
	if got := words(p.Evaluate("x", crossed.CredProxy)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestARuleThatOnlyNameOrLabelsKeepOffIsNamed(t *testing.T) {
	p := mustDecode(t, header+`
  - {name: one, folders: [a], names: ["web-*"], networks: ["*"]}
  - {name: two, folders: [b], matchLabels: {tier: prod}, networks: ["*"]}
`)
	for folder, want := range map[string]string{
		"a": `rule "one" of the policy has folder a for specs named web-*, not for "web"; no other selects it`,
		"b": `rule "two" of the policy has folder b for specs with labels of its matchLabels, which "web" does not bear; no other selects it`,
		"c": `no rule of the policy has folder c, in which the spec's file is`,
	} {
		if got := words(p.Evaluate(folder, newSubject(nil).CredProxy)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestWithoutAPolicyEverythingIsPermitted(t *testing.T) {
	var none *Policy
	if d := none.Evaluate("x", newSubject(nil).CredProxy); !d.Permitted() || none.Quotas() != nil {
		t.Errorf("%+v", d)
	}
}
