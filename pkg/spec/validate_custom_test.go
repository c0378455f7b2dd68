package spec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCustomCredentialsOfRoutes(t *testing.T) {
	const two = "scheme: Custom, tokens: {a: {env: A}, b: {file: b}}, "
	const both = "{name: X-A, value: '{a}{b}'}"
	tests := []struct{ name, auth, bad string }{
		{"headers", two + "headers: [{name: Authorization, value: 'Bearer {a}'}, {name: X-B, value: 'k={b}; {{}}'}]", ""},
		{"a constant header", two + "headers: [" + both + ", {name: anthropic-version, value: '2023-06-01'}]", ""},
		{"query", two + "query: [{name: key, value: '{a}'}, {name: api-version.x_y~z, value: '{b}'}]", ""},
		{"a constant parameter", two + "query: [{name: key, value: '{a}{b}'}, {name: v, value: '1 2 ü'}]", ""},
		{"both halves of basic", two + "basic: {username: '{a}', password: '{b}'}", ""},
		{"the user name alone", "scheme: Custom, tokens: {a: {env: A}}, basic: {username: '{a}'}", ""},
		{"the password alone", "scheme: Custom, tokens: {a: {env: A}}, basic: {password: 'x:{a}'}", ""},
		{"one token under two names", "scheme: Custom, tokens: {a: {env: A}, b: {env: A}}, headers: [" + both + "]", ""},
		{"all at once", two + "headers: [" + both + "], query: [{name: k, value: '{a}'}], basic: {password: '{b}'}", ""},
		{"a token of a provider", "scheme: Custom, tokens: {a: {provider: vault, key: x}}, headers: [{name: X, value: '{a}'}]", ""},

		{"nothing but the scheme", "scheme: Custom", "auth.tokens"},
		{"nothing to add", two[:len(two)-2], "auth.tokens[a] auth.tokens[b]"},
		{"a tokenRef", two + "tokenRef: {env: A}, headers: [" + both + "]", "auth.tokenRef"},
		{"username and header", two + "username: x, header: X, headers: [" + both + "]", "auth.username auth.header"},
		{"fields of Custom with Bearer", "scheme: Bearer, tokenRef: {env: A}, tokens: {a: {env: A}}, headers: [], query: [{name: a, value: b}], basic: {}",
			"auth.tokens auth.headers auth.query auth.basic"},
		{"empty fields", "scheme: Custom, tokens: {}, headers: [], query: [], basic: {}", "auth.tokens auth.headers auth.query auth.basic"},
		{"an unused token", two + "headers: [{name: X-A, value: '{a}'}]", "auth.tokens[b]"},
		{"a token without a source", two[:len(two)-3] + ", c: {}}, headers: [{name: X-A, value: '{a}{b}{c}'}]", "auth.tokens[c]"},
		{"a token that is nothing", two[:len(two)-3] + ", c: }, headers: [{name: X-A, value: '{a}{b}{c}'}]", "auth.tokens[c]"},
		{"a token that is text", two[:len(two)-3] + ", c: x}, headers: [{name: X-A, value: '{a}{b}{c}'}]", "auth.tokens[c]"},
		{"a token of two sources", "scheme: Custom, tokens: {a: {env: A, file: a}}, headers: [{name: X, value: '{a}'}]", "auth.tokens[a]"},
		{"a token with an unknown source", "scheme: Custom, tokens: {a: {vault: a}}, headers: [{name: X, value: '{a}'}]", "auth.tokens[a].vault auth.tokens[a]"},
		{"a token that has no name", "scheme: Custom, tokens: {a: {env: A}, 'b c': {env: B}}, headers: [{name: X, value: '{a}'}]", "auth.tokens[b c]"},
		{"tokens as a list", "scheme: Custom, tokens: [a], headers: [{name: X, value: '{a}'}]", "auth.tokens auth.headers[0].value"},

		{"an unknown name", two + "headers: [" + both + ", {name: X-B, value: '{c}'}]", "auth.headers[1].value"},
		{"a brace alone", two + "headers: [" + both + ", {name: X-B, value: '{a'}]", "auth.headers[1].value"},
		{"a header without its name", two + "headers: [" + both + ", {value: x}]", "auth.headers[1].name"},
		{"a header without its value", two + "headers: [" + both + ", {name: X-B}]", "auth.headers[1].value"},
		{"a header twice", two + "headers: [" + both + ", {name: x_a, value: x}]", "auth.headers[1].name"},
		{"Authorization and basic", two + "headers: [{name: authorization, value: 'Bearer {a}'}], basic: {password: '{b}'}", "auth.headers[0].name"},
		{"a header that frames", two + "headers: [" + both + ", {name: Content-Length, value: '1'}]", "auth.headers[1].name"},
		{"a header of two words", two + "headers: [" + both + ", {name: X B, value: '1'}]", "auth.headers[1].name"},
		{"a line break", two + `headers: [` + both + `, {name: X-B, value: "{a}\r\nX: y"}]`, "auth.headers[1].value"},
		{"a tab", two + `headers: [` + both + `, {name: X-B, value: "{a}\ty"}]`, "auth.headers[1].value"},
		{"letters beyond ASCII", two + `headers: [` + both + `, {name: X-B, value: "{a} ü"}]`, "auth.headers[1].value"},
		{"a space at the end", two + `headers: [` + both + `, {name: X-B, value: "Bearer "}]`, "auth.headers[1].value"},
		{"a long value", two + "headers: [" + both + ", {name: X-B, value: " + strings.Repeat("x", 1025) + "}]", "auth.headers[1].value"},
		{"a secret in the file", two + "headers: [" + both + ", {name: x_api-key, value: sk-123}, {name: Cookie, value: a=b}]", "auth.headers[1].value auth.headers[2].value"},

		{"a parameter without its name", two + "query: [{name: '', value: '{a}{b}'}]", "auth.query[0].name"},
		{"a parameter of two", two + "query: [{name: 'a&b', value: '{a}{b}'}]", "auth.query[0].name"},
		{"an encoded parameter", two + "query: [{name: 'a%62', value: '{a}{b}'}]", "auth.query[0].name"},
		{"a parameter twice", two + "query: [{name: a.b, value: '{a}{b}'}, {name: A_B, value: x}]", "auth.query[1].name"},
		{"a parameter without its value", two + "query: [{name: k, value: '{a}{b}'}, {name: v}]", "auth.query[1].value"},
		{"a parameter with a line break", two + `query: [{name: k, value: "{a}{b}\n"}]`, "auth.query[0].value"},

		{"a user name with a colon", two + "basic: {username: 'x:{a}', password: '{b}'}", "auth.basic.username"},
		{"basic without a token", two + "headers: [" + both + "], basic: {username: x, password: y}", "auth.basic"},
		{"a half that is no template", two + "basic: {username: '{a}', password: '{b} }'}", "auth.basic.password"},
		{"unknown halves", two + "headers: [" + both + "], basic: {user: x}", "auth.basic.user auth.basic"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Decode("x.yaml", []byte(web+"    auth: {"+tt.auth+"}\n"), Options{})
			fields := strings.ReplaceAll(fieldsOfProblems(got), "spec.routes[0].", "")
			if diff := cmp.Diff(tt.bad, fields); diff != "" {
				t.Errorf("want %q\n%s", tt.bad, told(got))
			}
			for _, p := range got.Problems {
				if p.Line != 11 {
					t.Errorf("line %d, want 11", p.Line)
				}
			}
		})
	}
}

func TestWhatIsWrongWithATemplateIsSaidAtItsLine(t *testing.T) {
	file := web + `    auth:
      scheme: Custom
      tokens:
        app: {env: APP}
        spare: {env: SPARE}
      headers:
      - {name: X-App, value: "{ap}"}
      - name: X-Two
        value: "key={s3cret!}"
`
	want := `17 spec.routes[0].auth.headers[0].value: Invalid value: has a name in braces that is none of tokens; they are: app, spare
19 spec.routes[0].auth.headers[1].value: Invalid value: has {…} around what is not the name of a token; write {{ and }} for the characters (at character 5)
`
	if diff := cmp.Diff(want, told(Decode("x.yaml", []byte(file), Options{}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestACustomCredentialIsBounded(t *testing.T) {
	for n, good := range map[int]bool{maxAdditions: true, maxAdditions + 1: false} {
		var tokens, headers, query []string
		for i := range n {
			tokens = append(tokens, fmt.Sprintf("t%d: {env: T%d}", i, i))
			headers = append(headers, fmt.Sprintf("{name: X-%d, value: '{t%d}'}", i, i))
			query = append(query, fmt.Sprintf("{name: k%d, value: '{t%d}'}", i, i))
		}
		file := web + fmt.Sprintf("    auth: {scheme: Custom, tokens: {%s}, headers: [%s], query: [%s]}\n",
			strings.Join(tokens, ", "), strings.Join(headers, ", "), strings.Join(query, ", "))
		want := ""
		if !good {
			want = "spec.routes[0].auth.tokens spec.routes[0].auth.headers spec.routes[0].auth.query"
		}
		if got := Decode("x.yaml", []byte(file), Options{}); fieldsOfProblems(got) != want {
			t.Errorf("%d of each: %s", n, told(got))
		}
	}
}

func TestATokenOfSeveralIsNoCallerKey(t *testing.T) {
	auth := "    auth: {scheme: Custom, tokens: {a: {env: A}, b: {env: B}}, headers: [{name: X-A, value: '{a}{b}'}]}\n"
	file := strings.Replace(web, "  routes:", "  callerAuth: {keyRef: {env: B}}\n  routes:", 1) + auth
	want := "8 spec.callerAuth.keyRef: Forbidden: is the token of spec.routes[0] too, and the agent would hold it; give the callers a key of their own\n"
	if diff := cmp.Diff(want, told(Decode("x.yaml", []byte(file), Options{}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReferencesOfACredential(t *testing.T) {
	a, b := TokenRef{Env: "A"}, TokenRef{File: "b"}
	custom := &Auth{
		Scheme: SchemeCustom, Tokens: map[string]TokenRef{"z": a, "y": b, "again": b},
		Basic: &BasicPair{Username: "x{z}", Password: "{y}{again}"},
	}
	for _, tt := range []struct {
		name           string
		auth           *Auth
		refs, username []TokenRef
	}{
		{"none", nil, nil, nil},
		{"basic", &Auth{Scheme: SchemeBasic, Username: "u", TokenRef: a}, []TokenRef{a}, nil},
		{"custom", custom, []TokenRef{b, a}, []TokenRef{a}},
	} {
		if diff := cmp.Diff(tt.refs, tt.auth.Refs()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if diff := cmp.Diff(tt.username, tt.auth.UsernameRefs()); diff != "" {
			t.Errorf("%s: in the user name (-want +got):\n%s", tt.name, diff)
		}
	}
}
