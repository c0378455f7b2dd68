package spec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fieldsOfProblems are the fields that are complained about.
func fieldsOfProblems(d Decoded) string {
	var fields []string
	for _, p := range d.Problems {
		fields = append(fields, p.Field)
	}
	return strings.Join(fields, " ")
}

// withSpec is web with another line in its spec.
func withSpec(line string) []byte {
	return []byte(strings.Replace(web, "  routes:\n", "  "+line+"\n  routes:\n", 1))
}

func TestFieldsOfTheSpec(t *testing.T) {
	tests := []struct {
		name, line string
		bad        string // the field that is complained about; empty for none
	}{
		{"hostname", "hostname: proxy-1", ""},
		{"hostname of two labels", "hostname: cred.proxy", "spec.hostname"},
		{"hostname in capitals", "hostname: Proxy", "spec.hostname"},
		{"hostname of the agent itself", "hostname: localhost", "spec.hostname"},
		{"empty hostname is the default", `hostname: ""`, ""},
		{"lowest port", "port: 1", ""},
		{"highest port", "port: 65535", ""},
		{"port too high", "port: 65536", "spec.port"},
		{"negative port", "port: -1", "spec.port"},
		{"no port is the default", "port:", ""},
		{"delivery by environment", "tokenDelivery: Env", ""},
		{"delivery by memory", "tokenDelivery: Memory", ""},
		{"delivery in small letters", "tokenDelivery: env", "spec.tokenDelivery"},
		{"create networks", "createNetworks: true", ""},
		{"image", "image: example.org/x:1", "spec.image"},
		{"empty image is the controller's own", `image: ""`, ""},
		{"resources", `resources: {memory: 128Mi, cpus: "0.5", pids: 32}`, ""},
		{"resources as numbers", `resources: {memory: 67108864, cpus: 2}`, ""},
		{"a half CPU as a number", `resources: {cpus: 0.5}`, ""},
		{"milli CPUs", `resources: {cpus: 500m}`, ""},
		{"least memory", `resources: {memory: 6Mi}`, ""},
		{"less than the engine allows", `resources: {memory: 5Mi}`, "spec.resources.memory"},
		{"memory without unit", `resources: {memory: "64"}`, "spec.resources.memory"},
		{"negative memory", `resources: {memory: -64Mi}`, "spec.resources.memory"},
		{"memory with another unit", `resources: {memory: 64MB}`, "spec.resources.memory"},
		{"too much memory", `resources: {memory: 65Gi}`, "spec.resources.memory"},
		{"memory with an exponent", `resources: {memory: 1e999999999}`, "spec.resources.memory"},
		{"no CPU", `resources: {cpus: "0"}`, "spec.resources.cpus"},
		{"too many CPUs", `resources: {cpus: 257}`, "spec.resources.cpus"},
		{"infinite CPUs", `resources: {cpus: .inf}`, "spec.resources.cpus"},
		{"words for CPUs", `resources: {cpus: two}`, "spec.resources.cpus"},
		{"no processes", `resources: {pids: 0}`, "spec.resources.pids"},
		{"endless processes", `resources: {pids: -1}`, "spec.resources.pids"},
		{"too few processes", `resources: {pids: 4}`, "spec.resources.pids"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Decode("x.yaml", withSpec(tt.line), Options{})
			if diff := cmp.Diff(tt.bad, fieldsOfProblems(got)); diff != "" {
				t.Errorf("%s\n%s", told(got), diff)
			}
			for _, p := range got.Problems {
				if p.Line != 8 {
					t.Errorf("line %d, want 8", p.Line)
				}
			}
		})
	}
}

func TestNamesOfNetworks(t *testing.T) {
	tests := []struct {
		internal, egress, bad string
	}{
		{"a", "b", ""},
		{"Env_1.internal-x", "bridge", ""},
		{"same", "same", "spec.egressNetwork"},
		{"bridge", "b", "spec.internalNetwork"},
		{"host", "none", "spec.internalNetwork spec.egressNetwork"},
		{"-a", "b c", "spec.internalNetwork spec.egressNetwork"},
		{"a/b", "container:x", "spec.internalNetwork spec.egressNetwork"},
		{`""`, `""`, "spec.internalNetwork spec.egressNetwork"},
		{strings.Repeat("a", 129), "b", "spec.internalNetwork"},
	}
	for _, tt := range tests {
		file := strings.NewReplacer("web-internal", tt.internal, "web-egress", tt.egress).Replace(web)
		got := Decode("x.yaml", []byte(file), Options{})
		if diff := cmp.Diff(tt.bad, fieldsOfProblems(got)); diff != "" {
			t.Errorf("%s and %s: %s\n%s", tt.internal, tt.egress, told(got), diff)
		}
	}
}

func TestMetadataOfASpec(t *testing.T) {
	tests := []struct {
		metadata, bad string
	}{
		{"name: a", ""},
		{`name: "1"`, ""},
		{"name: a.b", "metadata.name"},
		{"name: a_b", "metadata.name"},
		{"name: -a", "metadata.name"},
		{"name: " + strings.Repeat("a", 64), "metadata.name"},
		{"name: a, labels: {example.org/team: a-b}", ""},
		{"name: a, labels: {-x: a}", "metadata.labels[-x]"},
		{"name: a, labels: {x: a b}", "metadata.labels[x]"},
		{"name: a, annotations: {x: 'any words, of any length'}", ""},
		{`name: a, annotations: {x: "lines\nand\ttabs, 界 and \u202e"}`, ""},
		{`name: a, annotations: {x: "\u009b2J"}`, "metadata.annotations[x]"},
		{`name: a, annotations: {x: "a\rb"}`, "metadata.annotations[x]"},
		{`name: a, annotations: {x: "\x1b[2J"}`, "metadata.annotations[x]"},
		{`name: a, annotations: {x: "a", y: "\0"}`, "metadata.annotations[y]"},
		{"name: a, annotations: {a/b/c: x}", "metadata.annotations[a/b/c]"},
		{"name: a, annotations: {credproxy.dev/paused: 'false'}", ""},
		{"name: a, annotations: {credproxy.dev/paused: 'yes'}", "metadata.annotations[credproxy.dev/paused]"},
		{"name: a, annotations: {credproxy.dev/pause: 'true'}", "metadata.annotations[credproxy.dev/pause]"},
	}
	for _, tt := range tests {
		got := Decode("x.yaml", []byte(strings.Replace(web, "metadata:\n  name: web", "metadata: {"+tt.metadata+"}", 1)), Options{})
		if diff := cmp.Diff(tt.bad, fieldsOfProblems(got)); diff != "" {
			t.Errorf("%s: %s\n%s", tt.metadata, told(got), diff)
		}
	}
}

func TestAControlCharacterInAnAnnotationIsTold(t *testing.T) {
	file := strings.Replace(web, "  name: web\n", "  name: web\n  annotations:\n    note: \"x\\u009b2J\"\n", 1)
	before, _, _ := strings.Cut(file, "note:")
	line := 1 + strings.Count(before, "\n")
	want := fmt.Sprintf("%d metadata.annotations[note]: Invalid value: must hold no control characters but tabs and line feeds; it holds U+009B", line)
	if got := told(Decode("x.yaml", []byte(file), Options{})); !strings.HasPrefix(got, want) || strings.ContainsRune(got, '\u009b') {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCustomImagesNeedTheOperatorsLeave(t *testing.T) {
	got := told(Decode("x.yaml", withSpec("image: example.org/x:1"), Options{}))
	if !strings.Contains(got, "--allow-custom-images") {
		t.Errorf("the flag is not named:\n%s", got)
	}
	digest := strings.Repeat("0a", 32)
	for image, good := range map[string]bool{
		"cred-proxy": true, "example.org:5000/team/cred_proxy:1.2": true, "localhost/x": true, "a/b@sha256:" + digest: true,
		"x:1@sha256:" + digest: true, "sha256:" + digest: true,
		"UPPER": false, "a:": false, "a b": false, "https://example.org/x": false, "a@sha256:00": false, "../x": false, "-x": false, "a//b": false,
	} {
		got := Decode("x.yaml", withSpec(fmt.Sprintf("image: %q", image)), Options{AllowCustomImages: true})
		if ok := len(got.Problems) == 0; ok != good {
			t.Errorf("image %s: good %v, want %v", image, ok, good)
		}
		if good && len(got.Objects) == 1 && got.Objects[0].CredProxy.Spec.Image != image {
			t.Errorf("image %s is not kept as written", image)
		}
	}
}
