package spec

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// web is a good document that ends with its routes, so that tests can add to it.
const web = `apiVersion: credproxy.dev/v1alpha1
kind: CredProxy
metadata:
  name: web
spec:
  internalNetwork: web-internal
  egressNetwork: web-egress
  routes:
  - path: /anthropic
    upstream: https://api.anthropic.com
`

// told writes problems as "line field: message", one a line.
func told(d Decoded) string {
	var b strings.Builder
	for _, p := range d.Problems {
		fmt.Fprintf(&b, "%d %s: %s\n", p.Line, p.Field, p.Message)
	}
	return b.String()
}

func TestAGoodFileIsReadWithItsDefaults(t *testing.T) {
	file := strings.Replace(web, "  name: web\n", `  name: web
  labels: {team: a}
  annotations: {credproxy.dev/paused: "true"}
`, 1) + `    auth: {scheme: Bearer, tokenRef: {env: CLAUDE}}
  - path: /internal
    upstream: http://10.1.2.3:8080/base/
    insecureUpstream: true
    allowPrivate: true
`
	got := Decode("web.yaml", []byte(file), Options{Port: 9100})
	want := Decoded{Parsed: true, Names: []string{"web"}, Objects: []DecodedObject{{Line: 1, NameLine: 4, CredProxy: &CredProxy{
		TypeMeta: metav1.TypeMeta{APIVersion: APIVersion, Kind: Kind},
		ObjectMeta: metav1.ObjectMeta{
			Name: "web", Labels: map[string]string{"team": "a"}, Annotations: map[string]string{AnnotationPaused: "true"},
		},
		Spec: CredProxySpec{
			InternalNetwork: "web-internal", EgressNetwork: "web-egress", Hostname: "cred-proxy", Port: 9100,
			TokenDelivery: DeliverFile, Resources: Resources{Memory: "64Mi", CPUs: "1", Pids: 64},
			Routes: []Route{
				{Path: "/anthropic", Upstream: "https://api.anthropic.com",
					Auth: &Auth{Scheme: SchemeBearer, TokenRef: TokenRef{Env: "CLAUDE"}}},
				{Path: "/internal", Upstream: "http://10.1.2.3:8080/base", InsecureUpstream: true, AllowPrivate: true},
			},
		},
	}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !got.Objects[0].CredProxy.Paused() {
		t.Error("the annotation does not pause")
	}
}

// edit makes a bad file of web: to takes the place of from, or is added at the end when from is empty.
type edit struct{ name, from, to, want string }

func (e edit) check(t *testing.T) {
	file := web + e.to
	if e.from != "" {
		file = strings.Replace(web, e.from, e.to, 1)
	}
	got := Decode("web.yaml", []byte(file), Options{})
	if diff := cmp.Diff(e.want, told(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got.Objects) > 0 {
		t.Error("the document is among the good ones")
	}
}

func TestFieldsThatDoNotBelongAreSaidAtTheirLine(t *testing.T) {
	for _, tt := range []edit{
		{"unknown field", "upstream:", "upstrem:",
			"9 spec.routes[0].upstream: Required value: write where requests go, such as https://api.example.com\n" +
				"10 spec.routes[0].upstrem: unknown field; do you mean upstream? Known here: path, upstream, insecureUpstream, allowPrivate, caFile, clientCertificate, proxyURL, auth, passCredentials, methods, paths, git, mode, limits, roles, scrubResponses\n"},
		{"field in another case", "egressNetwork", "egressnetwork",
			"5 spec.egressNetwork: Required value: name the network that leads to the upstreams\n" +
				"7 spec.egressnetwork: unknown field; do you mean egressNetwork? Known here: internalNetwork, egressNetwork, createNetworks, requireIsolation, hostname, port, image, tokenDelivery, resources, callerAuth, routes\n"},
		{"repeated field", "  routes:", "  internalNetwork: other\n  routes:",
			"8 spec.internalNetwork: repeated field, first on line 6; keep one\n"},
		{"repeated field at the top", "spec:", "kind: CredProxy\nspec:", "5 kind: repeated field, first on line 2; keep one\n"},
		{"repeated annotation", "  name: web\n", "  name: web\n  annotations:\n    a: x\n    a: x\n",
			"7 metadata.annotations[a]: repeated field, first on line 6; keep one\n"},
		{"metadata of the cluster", "  name: web\n", "  name: web\n  namespace: x\n",
			"5 metadata.namespace: unknown field; known here: name, labels, annotations\n"},
		{"status", "", "status:\n  url: http://x\n",
			"11 status: status is written by the controller and not read from a file; remove it\n"},
		{"unknown version", "v1alpha1", "v2",
			"1 apiVersion: Unsupported value: \"credproxy.dev/v2\": supported values: \"credproxy.dev/v1alpha1\"\n"},
		{"no version", "apiVersion: credproxy.dev/v1alpha1\n", "", "1 apiVersion: Required value: write credproxy.dev/v1alpha1\n"},
		{"no kind", "kind: CredProxy\n", "", "1 kind: Required value: write CredProxy\n"},
		{"wrong kind", "kind: CredProxy", "kind: Deployment", "2 kind: kind \"Deployment\" is not known; known: CredProxy\n"},
		{"list", "kind: CredProxy", "kind: CredProxyList",
			"2 kind: kind \"CredProxyList\" is not known; known: CredProxy; write each object of a list as a document of its own, separated by ---\n"},
		{"no name", "  name: web\n", "  labels: {a: b}\n", "3 metadata.name: Required value: name the environment, as a DNS label\n"},
	} {
		t.Run(tt.name, tt.check)
	}
}

func TestValuesOfTheWrongTypeAreSaidAtTheirLine(t *testing.T) {
	for _, tt := range []edit{
		{"quoted number", "  routes:", "  port: \"9099\"\n  routes:",
			"8 spec.port: must be a whole number, not a string; write 9099, without quotes\n"},
		{"yes for true", "  routes:", "  createNetworks: yes\n  routes:",
			"8 spec.createNetworks: must be true or false, not a string; write true, without quotes\n"},
		{"number for a name", "name: web", "name: 12", "4 metadata.name: must be a string, not a number; put it in quotes\n"},
		{"octal number", "  routes:", "  port: 010\n  routes:", "8 spec.port: must be a plain decimal number of at most 32 bits\n"},
		{"number too long", "  routes:", "  port: 99999999999\n  routes:", "8 spec.port: must be a plain decimal number of at most 32 bits\n"},
		{"explicit zero", "  routes:", "  port: 0\n  routes:", "8 spec.port: must be at least 1; leave the field out for its default\n"},
		{"fraction", "  routes:", "  port: 1.5\n  routes:", "8 spec.port: must be a whole number, not a fraction\n"},
		{"mapping for a list", "  - path: /anthropic\n    upstream", "    path: /anthropic\n    upstream",
			"8 spec.routes: must be a list, not a mapping; begin each entry with \"- \"\n"},
		{"string for a mapping", "", "    auth: sk-very-secret\n", "11 spec.routes[0].auth: must be a mapping of fields, not a string\n"},
		{"list for a string", "name: web", "name: [web]", "4 metadata.name: must be a string, not a list\n"},
		{"list for a number", "  routes:", "  port: []\n  routes:", "8 spec.port: must be a whole number, not a list\n"},
		{"string for labels", "  name: web\n", "  name: web\n  labels: x\n", "5 metadata.labels: must be a mapping of strings, not a string\n"},
		{"number for an annotation", "  name: web\n", "  name: web\n  annotations: {credproxy.dev/paused: true}\n",
			"5 metadata.annotations[credproxy.dev/paused]: must be a string, not true or false; put it in quotes\n"},
		{"nothing for a label", "  name: web\n", "  name: web\n  labels:\n    a:\n",
			"6 metadata.labels[a]: must be a string, not nothing; write \"\" for an empty one\n"},
		{"key that is a list", "", "    ? [a]\n    : b\n", "11 spec.routes[0]: a key must be a string, not a list; put it in quotes\n"},
		{"merge key", "", "    <<: {auth: null}\n", "11 spec.routes[0]: merge keys (<<) are not read; write the fields out\n"},
		{"tag", "name: web", "name: !!binary d2Vi", "4 metadata.name: the tag !!binary is not known here; remove it\n"},
		{"tag on the whole", "apiVersion:", "--- !thing\napiVersion:", "1 : the tag !thing is not known here; remove it\n"},
		{"nothing for spec", "spec:", "spec:\nold:", "5 spec.internalNetwork: Required value: name the network that the agent is on\n" +
			"5 spec.egressNetwork: Required value: name the network that leads to the upstreams\n" +
			"5 spec.routes: Required value: add at least one route, with path and upstream\n" +
			"6 old: unknown field; known here: apiVersion, kind, metadata, spec\n"},
		{"nothing for a route", "", "  -\n",
			"11 spec.routes[1].path: Required value: write the prefix that the agent dials, such as /anthropic\n" +
				"11 spec.routes[1].upstream: Required value: write where requests go, such as https://api.example.com\n"},
	} {
		t.Run(tt.name, tt.check)
	}
}

func TestEveryProblemOfAFileIsReportedAtOnce(t *testing.T) {
	file := `apiVersion: credproxy.dev/v9
kind: CredProxy
metadata:
  name: Web
  uid: x
spec:
  internalNetwork: same
  egressNetwork: same
  port: 70000
  routes: []
---
# an empty document is skipped
---
kind: Secret
metadata: {name: other}
---
` + web
	got := Decode("env.yaml", []byte(file), Options{})
	var fields []string
	for _, p := range got.Problems {
		fields = append(fields, fmt.Sprintf("%d %s", p.Line, p.Field))
	}
	want := []string{"1 apiVersion", "4 metadata.name", "5 metadata.uid", "8 spec.egressNetwork", "9 spec.port", "10 spec.routes", "14 kind"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Web", "other", "web"}, got.Names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if len(got.Objects) != 1 || got.Objects[0].Line != 17 || !got.Parsed {
		t.Errorf("got %d objects, parsed %v; want the last document, on line 17", len(got.Objects), got.Parsed)
	}
	if first := got.Problems[0].String(); !strings.HasPrefix(first, "env.yaml:1: apiVersion: ") {
		t.Errorf("a problem prints as %q", first)
	}
}

func TestFilesThatAreEmptyHaveNothingWrong(t *testing.T) {
	for _, file := range []string{"", "\n", "---\n", "# nothing\n", "---\n---\n...\n", "\ufeff# nothing", "null\n", "\r\n"} {
		got := Decode("x.yaml", []byte(file), Options{})
		if diff := cmp.Diff(Decoded{Parsed: true}, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", file, diff)
		}
	}
	if diff := cmp.Diff(Decoded{Parsed: true}, Decode("x.json", []byte(" \n"), Options{})); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

func TestAFileThatIsNotTextHasOneProblem(t *testing.T) {
	tests := map[string]string{
		"NUL":       web + "\x00\x00",
		"not UTF-8": web + "\xff\xfe\x00",
		"escape":    web + "\x1b[2J",
		"DEL":       web + "# \x7f",
		"C1":        web + "# \u009b",
	}
	for name, file := range tests {
		got := Decode("x.yaml", []byte(file), Options{})
		if len(got.Problems) != 1 || got.Problems[0].Line != 11 || got.Parsed || len(got.Objects) > 0 {
			t.Errorf("%s: got %+v; want one problem on line 11, not parsed", name, got)
		}
	}
}

func TestABrokenDocumentDoesNotHideTheOthers(t *testing.T) {
	tests := []struct {
		name, broken string
		line         int // counted in broken
	}{
		{"key with less indentation", "metadata:\n  name: bad\n  labels:\n    a: b\n   c: d\n", 5},
		{"half a key", "metadata:\n  name: bad\nspe", 3},
		{"open quote", "metadata:\n  name: bad\nspec: \"x\n", 3},
		{"tab", "metadata:\n  name: bad\n\tspec: x\n", 3},
		{"open bracket", "metadata:\n  name: bad\nspec: [\n", 3},
		{"list in a mapping", "metadata:\n  name: bad\n- x\n", 3},
		{"unknown alias", "metadata:\n  name: bad\nspec: *x\n", 3},
		{"two colons", "metadata:\n  name: bad\nspec: a: b\n", 3},
		{"directive of another version", "metadata:\n  name: bad\n...\n%YAML 9.9\n---\nspec: a\n", 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Decode("x.yaml", []byte(web+"---\n"+tt.broken+"\n---\n"+strings.Replace(web, "name: web", "name: after", 1)), Options{})
			if diff := cmp.Diff([]string{"web", "bad", "after"}, got.Names); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if got.Parsed || len(got.Objects) != 2 {
				t.Errorf("parsed %v with %d objects; want not parsed with 2", got.Parsed, len(got.Objects))
			}
			syntax := slices.IndexFunc(got.Problems, func(p Problem) bool { return strings.HasPrefix(p.Message, "not YAML") })
			if syntax < 0 || got.Problems[syntax].Line != 11+tt.line {
				t.Errorf("want the fault on line %d, got\n%s", 11+tt.line, told(got))
			}
		})
	}
}

func TestADocumentWhoseNameCannotBeReadMightHoldAny(t *testing.T) {
	tests := []struct {
		name, file string
		parsed     bool
	}{
		{"a sentence", "just words\n", false},
		{"a list", "- a\n", false},
		{"cut off before the name", "apiVersion: credproxy.dev/v1alpha1\nkind: CredProxy\nmetadata:\n", false},
		{"cut off in the version", "apiVersion: credproxy.dev\n", false},
		{"the name is a list", "kind: CredProxy\nmetadata: {name: []}\n", false},
		{"another tool's file", "services:\n  web: {image: x}\n", true},
		{"another kind", "apiVersion: v1\nkind: Secret\n", true},
		{"a good name", "kind: CredProxy\nmetadata: {name: web}\n", true},
		{"the name behind an alias", "apiVersion: &a credproxy.dev/v1alpha1\nkind: CredProxy\nmetadata: {name: *a}\n", false},
		{"the kind behind an alias", "x: &k CredProxy\nkind: *k\n", false},
		{"everything behind an alias", "x: &all {kind: CredProxy}\n<<: *all\n", false},
		{"another tool's file with an alias", "x: &x {}\nservices:\n  web: *x\n", true},
		{"a name that is a number", "kind: CredProxy\nmetadata: {name: 12}\n", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Decode("x.yaml", []byte(tt.file), Options{})
			if got.Parsed != tt.parsed || len(got.Problems) == 0 {
				t.Errorf("parsed %v, problems\n%s", got.Parsed, told(got))
			}
		})
	}
}

func TestATokenInTheWrongPlaceIsNotRepeated(t *testing.T) {
	const token = "sk-ant-0123456789"
	for _, auth := range []string{
		token, "[" + token + "]", "{scheme: " + token + "}", "{scheme: Bearer, tokenRef: " + token + "}",
		"{scheme: Bearer, tokenRef: {env: " + token + "}}", "{scheme: Bearer, tokenRef: {file: /" + token + "}}",
		"{scheme: Basic, username: 'x:" + token + "', tokenRef: {env: A}}", "{scheme: Header, header: 'Bearer " + token + "', tokenRef: {env: A}}",
		"{scheme: Bearer, tokenRef: {provider: " + token + ", key: '" + token + " '}}", "{scheme: Bearer, tokenRef: {env: A, value: " + token + "}}", "{scheme: Bearer, token: " + token + "}",
	} {
		got := Decode("x.yaml", []byte(web+"    auth: "+auth+"\n"), Options{})
		if len(got.Problems) == 0 || strings.Contains(told(got), "0123") {
			t.Errorf("auth: %s\n%s", auth, told(got))
		}
	}
	upstream := strings.Replace(web, "https://api", "https://user:"+token+"@api", 1)
	if got := told(Decode("x.yaml", []byte(upstream), Options{})); got == "" || strings.Contains(got, "0123") {
		t.Errorf("upstream:\n%s", got)
	}
}
