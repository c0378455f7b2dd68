package spec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// guardedWeb is web with a token on its route and a line for its callers, which is line 8.
func guardedWeb(line string) []byte {
	return []byte(string(withSpec(line)) + "    auth: {scheme: Bearer, tokenRef: {env: A}}\n")
}

func TestKeysOfCallers(t *testing.T) {
	tests := []struct{ name, callerAuth, bad string }{
		{"variable", "{keyRef: {env: K}}", ""},
		{"file", "{keyRef: {file: team/key}}", ""},
		{"file with the name of a route's variable", "{keyRef: {file: A}}", ""},
		{"provider", "{keyRef: {provider: vault, key: team/key}}", ""},
		{"provider without key", "{keyRef: {provider: vault}}", "keyRef.key"},
		{"header", "{keyRef: {env: K}, header: X-My-Key}", ""},
		{"header of a client", "{keyRef: {env: K}, header: authorization}", ""},
		{"empty header is any", `{keyRef: {env: K}, header: ""}`, ""},
		{"a route's token", "{keyRef: {env: A}}", "keyRef"},
		{"nothing", "{}", "keyRef"},
		{"no key", "{header: X-My-Key}", "keyRef"},
		{"empty reference", "{keyRef: {}}", "keyRef"},
		{"reference to nothing", "{keyRef: {env: }}", "keyRef"},
		{"two sources", "{keyRef: {env: K, file: k}}", "keyRef"},
		{"unknown source", "{keyRef: {vault: k}}", "keyRef.vault keyRef"},
		{"variable that begins with a digit", "{keyRef: {env: 1K}}", "keyRef.env"},
		{"absolute file", "{keyRef: {file: /etc/passwd}}", "keyRef.file"},
		{"file above", "{keyRef: {file: ../k}}", "keyRef.file"},
		{"the key itself", "{key: K}", "key keyRef"},
		{"tokenRef", "{tokenRef: {env: K}}", "tokenRef keyRef"},
		{"header with a colon", "{keyRef: {env: K}, header: 'X-My-Key:'}", "header"},
		{"header with a line break", `{keyRef: {env: K}, header: "X\r\nHost"}`, "header"},
		{"header of the connection", "{keyRef: {env: K}, header: Connection}", "header"},
		{"header that is hop-by-hop", "{keyRef: {env: K}, header: proxy-authorization}", "header"},
		{"header that frames", "{keyRef: {env: K}, header: Content-Length}", "header"},
		{"both wrong", "{header: Host}", "keyRef header"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Decode("x.yaml", guardedWeb("callerAuth: "+tt.callerAuth), Options{})
			fields := strings.ReplaceAll(fieldsOfProblems(got), "spec.callerAuth.", "")
			if diff := cmp.Diff(tt.bad, fields); diff != "" {
				t.Errorf("want %q\n%s", tt.bad, told(got))
			}
			for _, p := range got.Problems {
				if p.Line != 8 {
					t.Errorf("line %d, want 8", p.Line)
				}
			}
		})
	}
}

func TestAKeyThatIsARoutesTokenIsSaidWithTheRoute(t *testing.T) {
	want := "8 spec.callerAuth.keyRef: Forbidden: is the token of spec.routes[0] too, and the agent would hold it; give the callers a key of their own\n"
	if diff := cmp.Diff(want, told(Decode("x.yaml", guardedWeb("callerAuth: {keyRef: {env: A}}"), Options{}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEmptyCallerAuthIsNotLeftOut: a field that protects must not be lost because its lines were commented out.
func TestEmptyCallerAuthIsNotLeftOut(t *testing.T) {
	want := "8 spec.callerAuth: must be a mapping of fields, not nothing; write it, or remove the field\n"
	for _, line := range []string{"callerAuth:", "callerAuth: null", "callerAuth: ~", "callerAuth:\n    # keyRef: {env: K}"} {
		if diff := cmp.Diff(want, told(Decode("x.yaml", withSpec(line), Options{}))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
	got := Decode("x.json", []byte(strings.Replace(webJSON, `"routes"`, `"callerAuth": null, "routes"`, 1)), Options{})
	if fieldsOfProblems(got) != "spec.callerAuth" {
		t.Errorf("in JSON: %s", told(got))
	}
}
