package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"credproxy.dev/controller/internal/web"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// steering are texts that a spec's author might write who wants a terminal to do something, or a document not to be written.
func steering() map[string]string {
	return map[string]string{
		"csi": "x\u009b2Jy\u202ez", "lines": "a\u202e\n b: \u2800\n", "tags": "x\U000e0041\u00a0\u007f\x1b[2J\x00\u0085\u2028\ufeff", "plain": "a: b # c", "\u202ekey": "é界😀\ufffd",
	}
}

func TestNoDocumentSteersATerminal(t *testing.T) {
	one := spec.Decode("web.yaml", []byte(goodSpec), spec.Options{}).Objects[0].CredProxy
	one.Annotations = steering()
	list := spec.CredProxyList{Items: []spec.CredProxy{*one}}
	event := reconcile.Event{Sequence: 1, Name: "web", Type: "Normal", Reason: "Made", Message: steering()["csi"], Cause: steering()["tags"]}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any = list
		switch {
		case strings.HasSuffix(r.URL.Path, "/web"):
			answer = one
		case strings.Contains(r.URL.Path, "events"):
			answer = web.EventList{Items: []reconcile.Event{event}}
		case strings.Contains(r.URL.Path, "sources"):
			answer = web.SourceList{}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	defer server.Close()
	for _, args := range [][]string{
		{"status", "web", "-o", "json"}, {"status", "-o", "json"}, {"status", "web", "-o", "yaml"}, {"status", "-o", "yaml"},
		{"events", "-o", "json"},
	} {
		c := newConsole(t, nil)
		if code := c.run(t, append(args, "--server", server.URL)...); code > 1 || c.err.String() != "" {
			t.Errorf("%v ends with %d: %s", args, code, c.err.String())
		}
		if found := steers.FindString(c.out.String()); found != "" || c.out.String() == "" {
			t.Errorf("%v prints %q in %q", args, found, c.out.String())
		}
	}
	for _, args := range [][]string{{"status", "-w", "-o", "json"}, {"events", "-w", "-o", "json"}} {
		c := newConsole(t, nil)
		stop := watching(t, c, append(args, "--server", server.URL)...)
		until(t, c.out.String, "\n")
		stop()
		if found := steers.FindString(c.out.String()); found != "" {
			t.Errorf("%v prints %q in %q", args, found, c.out.String())
		}
	}
}

func TestEscapesInDocumentsMeanTheSame(t *testing.T) {
	want := map[string]any{"list": []any{map[string]any{"a": "b", "num": 1.5, "yes": "no"}}}
	for key, text := range steering() {
		want[key] = text
	}
	var plain strings.Builder
	if err := printYAML(&plain, want["list"]); err != nil || plain.String() != "- a: b\n  num: 1.5\n  \"yes\": \"no\"\n" {
		t.Errorf("%v, %q", err, plain.String())
	}
	for name, print := range map[string]func(*strings.Builder) error{
		"JSON":           func(b *strings.Builder) error { return printJSON(b, want) },
		"a line of JSON": func(b *strings.Builder) error { return printJSONLine(b, want) },
		"YAML":           func(b *strings.Builder) error { return printYAML(b, want) },
	} {
		var b strings.Builder
		var got map[string]any
		if err := print(&b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := yaml.Unmarshal([]byte(b.String()), &got); name == "YAML" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name != "YAML" {
			got = nil
			if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%s", name, diff, b.String())
		}
		if found := steers.FindString(b.String()); found != "" {
			t.Errorf("%s has %q: %q", name, found, b.String())
		}
	}
}
