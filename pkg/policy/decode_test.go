package policy

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/sets"
)

func TestEverythingWrongWithAPolicyIsSaidAtOnce(t *testing.T) {
	_, problems := Decode("policy.yaml", []byte(`apiVersion: credproxy.dev/v1alpha1
kind: TokenPolicy
metadata: {name: Fleet}
spec:
  rules:
  - name: one
    folders: ["/team-a", "team-a/", "a/../b", "a**", "a?", "."]
    names: []
    matchLabels: {}
    tokens: [{env: "A B"}, {env: A, file: b}, {file: "**/x"}, {provider: Vault, key: "/x"}, {provider: vault}, {env: "**"}]
  - name: one
    upstreams:
    - {host: "bücher.example"}
    - {host: "*.192.0.2.1", port: 0}
    - {host: "0x7f.1", port: 65536, scheme: ftp}
    - {host: a, port: "443", paths: ["/repos/acme", "repos/**", "/a//**", "/a%2f/**", "/a/../**"]}
    - {host: "a*"}
    networks: ["a b"]
    images: ["a b"]
    allow: [Everything]
  - name: three
    folders: ["**"]
    allow: [CustomImage]
  quotas:
  - {folder: "team-*", specs: 1}
  - {folder: "."}
  - {folder: ".", memory: 0, cpus: -1, pids: -5, specs: -1}
  limits: {}
`))
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	want := `policy.yaml:3: metadata.name: Invalid value: must be a DNS label: at most 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit
policy.yaml:6: spec.rules[0].upstreams: Required value: tokens alone permits nothing: say to which upstreams they may be sent
policy.yaml:7: spec.rules[0].folders[0]: Invalid value: must be relative: no leading '/'
policy.yaml:7: spec.rules[0].folders[1]: Invalid value: must not hold '//', nor end in '/'
policy.yaml:7: spec.rules[0].folders[2]: Invalid value: must not hold '.' or '..' as a segment; write the path that is meant
policy.yaml:7: spec.rules[0].folders[3]: Invalid value: must hold ** alone between slashes, such as team-a/**
policy.yaml:7: spec.rules[0].folders[4]: Invalid value: must not hold any of \?[]{}: the wildcards are * and **
policy.yaml:8: spec.rules[0].names: Required value: write at least one entry, or remove the field
policy.yaml:9: spec.rules[0].matchLabels: Required value: write at least one label, or remove the field
policy.yaml:10: spec.rules[0].tokens[0].env: Invalid value: must be the name of a variable: letters, digits, '_', and * for any of them
policy.yaml:10: spec.rules[0].tokens[1]: Invalid value: must be one of env: VARIABLE, file: PATH, and provider: NAME with key: KEY
policy.yaml:10: spec.rules[0].tokens[3].provider: Invalid value: must be the name of a provider: a-z, 0-9, '-', and * for any of them
policy.yaml:10: spec.rules[0].tokens[3].key: Invalid value: must be relative: no leading '/'
policy.yaml:10: spec.rules[0].tokens[4]: Invalid value: must be one of env: VARIABLE, file: PATH, and provider: NAME with key: KEY
policy.yaml:10: spec.rules[0].tokens[5].env: Invalid value: must hold * for any characters and not **, which is for folders and paths
policy.yaml:11: spec.rules[1].name: Invalid value: taken by spec.rules[0]; give each rule its own
policy.yaml:11: spec.rules[1].folders: Required value: write patterns of folders below --specs, such as "team-a/**", "." or "**"
policy.yaml:11: spec.rules[1].tokens: Required value: upstreams alone permits nothing: say which tokens may be sent there; a route without auth needs no rule
policy.yaml:13: spec.rules[1].upstreams[0].host: Invalid value: ` + hostForms + `
policy.yaml:14: spec.rules[1].upstreams[1].host: Invalid value: ` + hostForms + `
policy.yaml:14: spec.rules[1].upstreams[1].port: Invalid value: must be from 1 to 65535, or "*" for any
policy.yaml:15: spec.rules[1].upstreams[2].scheme: Invalid value: must be https, which it is when left out, or http
policy.yaml:15: spec.rules[1].upstreams[2].host: Invalid value: ` + hostForms + `
policy.yaml:15: spec.rules[1].upstreams[2].port: Invalid value: must be from 1 to 65535, or "*" for any
policy.yaml:16: spec.rules[1].upstreams[3].paths[0]: Invalid value: must end in /**: an agent can ask for all that is below a route's upstream, so a pattern has to take all of it
policy.yaml:16: spec.rules[1].upstreams[3].paths[1]: Invalid value: must begin with '/'
policy.yaml:16: spec.rules[1].upstreams[3].paths[2]: Invalid value: must not hold '//', nor end in '/'
policy.yaml:16: spec.rules[1].upstreams[3].paths[3]: Invalid value: must be letters, digits, -._~!$&'()+,=:@, and * for any of them, between slashes: no spaces, '%', ';', '?', '#' or '\'
policy.yaml:16: spec.rules[1].upstreams[3].paths[4]: Invalid value: must not hold '.' or '..' as a segment; write the path that is meant
policy.yaml:17: spec.rules[1].upstreams[4].host: Invalid value: ` + hostForms + `
policy.yaml:18: spec.rules[1].networks[0]: Invalid value: must be the name of a network: letters, digits, '_', '.', '-', and * for any of them
policy.yaml:19: spec.rules[1].images[0]: Invalid value: must be an image reference, with * for any characters between slashes and ** for any number of parts
policy.yaml:20: spec.rules[1].allow[0]: Invalid value: is no option; known: InsecureUpstream, CustomImage, EnvDelivery, PassCredentials, AllowPrivate, CustomRoots, EgressProxy, WarnMode, UnscrubbedResponses
policy.yaml:20: spec.rules[1].allow: Required value: images alone permits nothing: add CustomImage to it
policy.yaml:21: spec.rules[2].images: Required value: CustomImage alone permits nothing: say which images; "**" is any
policy.yaml:25: spec.quotas[0].folder: Invalid value: must be one folder, without wildcards; what is below it counts anyway
policy.yaml:26: spec.quotas[1]: Required value: bounds nothing: write specs, memory, cpus or pids
policy.yaml:27: spec.quotas[2].folder: Invalid value: has a quota in entry 1 already; keep one
policy.yaml:27: spec.quotas[2].specs: Invalid value: must be at least 1
policy.yaml:27: spec.quotas[2].pids: Invalid value: must be at least 1
policy.yaml:27: spec.quotas[2].memory: Invalid value: must be a positive quantity up to 1024Ti, such as 2Gi
policy.yaml:27: spec.quotas[2].cpus: Invalid value: must be a positive quantity up to 1000000, such as "8" or 500m
policy.yaml:28: spec.limits: unknown field; known here: rules, quotas`
	missing, more := sets.New(strings.Split(want, "\n")...), sets.New(got...)
	for _, line := range sets.List(missing.Difference(more)) {
		t.Error("not said: ", line)
	}
	for _, line := range sets.List(more.Difference(missing)) {
		t.Error("said: ", line)
	}
}

func TestQuotasCount(t *testing.T) {
	p := mustDecode(t, teamA+"  quotas:\n  - {folder: team-a, specs: 20, memory: 2Gi, cpus: 500m, pids: 2000}\n  - {folder: ., cpus: 8}\n")
	got := p.Quotas()
	if len(got) != 2 || got[0].MemoryBytes() != 2<<30 || got[0].NanoCPUs() != 5e8 || got[0].Pids != 2000 || got[0].Specs != 20 ||
		got[1].NanoCPUs() != 8e9 || got[1].MemoryBytes() != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAPolicyWithoutRulesIsAMistake(t *testing.T) {
	for _, text := range []string{"", header, strings.TrimSuffix(header, "  rules:\n"), header + "  []\n"} {
		if p, problems := Decode("p.yaml", []byte(text)); p != nil || len(problems) == 0 {
			t.Errorf("%q is a policy", text)
		}
	}
}
