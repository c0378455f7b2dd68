package spec

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode holds what is true of every file, in both formats.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", web, "---\r---\r" + web, "metadata: {name: a, name: \"\\e\", name: A}\n", "- &a a\n- *a\n", webJSON, web + "---\n" + web, web + "---\nkind: [\n---\n" + web, "a: &a [*a]\n", "kind: CredProxy\nspec: &s {routes: [*s]}\n",
		"%YAML 1.1\n---\n" + web, "--- !x\na: 1\n...\n", "\ufeff{}", "{\"a\": [1, 2", "a\r---\rb\u2028---\u2028c", "<<: *x", "? ? ?\n: :\n",
		web + "    auth: {scheme: Bearer, tokenRef: {provider: vault, key: team-a/github@2:x+y=z}}\n", "spec: {callerAuth: {keyRef: {provider: a, key: ../b}}}",
		web + "    auth: {scheme: Custom, tokens: {a: {env: A}}, headers: [{name: X, value: 'a{{{a}'}], query: [{name: k, value: '{a}'}], basic: {username: '{a}'}}\n    passCredentials: true\n",
		strings.ReplaceAll(web, "\n", "\r\n"), strings.ReplaceAll(web, "  ", "\t"),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := 1 + bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) +
			bytes.Count(data, []byte("\u0085")) + bytes.Count(data, []byte("\u2028")) + bytes.Count(data, []byte("\u2029"))
		for _, file := range []string{"x.yaml", "x.json", "a\nb\x1b\u009b\u202e.yaml"} {
			checkDecoded(t, file, Decode(file, data, Options{AllowCustomImages: true}), lines)
		}
	})
}

func checkDecoded(t *testing.T, file string, got Decoded, lines int) {
	t.Helper()
	checkBounds(t, got)
	if !got.Parsed && len(got.Problems) == 0 {
		t.Errorf("%s: not parsed, and no word of why", file)
	}
	last := 0
	for _, p := range got.Problems {
		if p.File != ShownPath(file) || p.Message == "" || p.Line < 0 || p.Line > lines {
			t.Errorf("%s of %d lines: problem %+v", file, lines, p)
		}
		if p.Line < last && p.Line != 0 {
			t.Errorf("%s: line %d is told after line %d", file, p.Line, last)
		}
		last = p.Line
	}
	for _, object := range got.Objects {
		checkObject(t, object, got.Names, lines)
	}
}

// checkObject holds that a good object can be used, and says the same when it is written and read again.
func checkObject(t *testing.T, object DecodedObject, names []string, lines int) {
	t.Helper()
	c := object.CredProxy
	if !strings.Contains("\n"+strings.Join(names, "\n")+"\n", "\n"+c.Name+"\n") {
		t.Errorf("%q is not among the names %q", c.Name, names)
	}
	if object.Line < 1 || object.Line > lines {
		t.Errorf("%s begins on line %d of %d", c.Name, object.Line, lines)
	}
	if c.Spec.Resources.MemoryBytes() <= 0 || c.Spec.Resources.NanoCPUs() <= 0 || !HashMatches(Hash(&c.Spec), &c.Spec) {
		t.Errorf("%s: resources %+v, hash %s", c.Name, c.Spec.Resources, Hash(&c.Spec))
	}
	written, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	again := Decode("again.json", written, Options{AllowCustomImages: true})
	if len(again.Objects) != 1 {
		t.Fatalf("%s cannot be read again: %v", written, again.Problems)
	}
	if diff := cmp.Diff(c.Spec, again.Objects[0].CredProxy.Spec); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
}
