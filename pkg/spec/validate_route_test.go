package spec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPathsOfRoutes(t *testing.T) {
	tests := map[string]bool{
		"/": true, "/a": true, "/a/b-c_d.e~f": true, "/@scope/x:1": true, "/v1.0/...": true,
		"": false, "a": false, "/a/": false, "//": false, "//a": false, "/a//b": false, "/.": false, "/a/..": false, "/a/./b": false,
		"/a;b": false, "/a%2fb": false, "/a\\b": false, "/a b": false, "/a\tb": false, "/a?b": false, "/a#b": false, "/é": false,
		"/a\nb": false, "/\u200b": false, "/" + strings.Repeat("a", 512): false,
	}
	for path, good := range tests {
		file := strings.Replace(web, "path: /anthropic", fmt.Sprintf("path: %q", path), 1)
		got := Decode("x.yaml", []byte(file), Options{})
		want := "spec.routes[0].path"
		if good {
			want = ""
		}
		if diff := cmp.Diff(want, fieldsOfProblems(got)); diff != "" {
			t.Errorf("path %q: %s\n%s", path, told(got), diff)
		}
	}
}

func TestPathsOfRoutesAreUnique(t *testing.T) {
	file := web + "  - {path: /b, upstream: https://b.example.org}\n  - {path: /anthropic, upstream: https://c.example.org}\n"
	want := "12 spec.routes[2].path: Invalid value: taken by spec.routes[0]; give each route its own\n"
	if diff := cmp.Diff(want, told(Decode("x.yaml", []byte(file), Options{}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for n, good := range map[int]bool{MaxRoutes: true, MaxRoutes + 1: false} {
		file, _, _ := strings.Cut(web, "  - path:")
		for i := range n {
			file += fmt.Sprintf("  - {path: /%d, upstream: https://example.org}\n", i)
		}
		if got := Decode("x.yaml", []byte(file), Options{}); (len(got.Problems) == 0) != good {
			t.Errorf("%d routes: %s", n, told(got))
		}
	}
}

func TestUpstreamsOfRoutes(t *testing.T) {
	good := []string{
		"https://api.example.com", "https://api.example.com/", "https://API.example.com:8443/base/v1", "https://10.0.0.1",
		"https://[2001:db8::1]:443/x", "https://my_service:8080", "https://xn--bcher-kva.example", "https://host/base/",
	}
	bad := []string{
		"", "api.example.com", "//api.example.com", "/base", "ftp://example.com", "https:", "https:///x", "https:example.com", "https://",
		"https://user@example.com", "https://user:pass@example.com", "https://example.com?x", "https://example.com/?", "https://example.com#x", "https://example.com#",
		"https://example.com:0", "https://example.com:65536", "https://example.com:", "https://example.com:x", "https://:443",
		"https://example.com//", "https://example.com/a//b", "https://example.com/../x", "https://example.com/a/./b", "https://example.com/%2e%2e", "https://example.com/a;b", "https://example.com/a\\b",
		"https://exa mple.com", "https://example.com.", "https://bücher.example", "https://-a.example", "https://a..b", "https://exa%6dple.com",
		"https://2130706433", "https://127.1", "https://0x7f.0.0.1", "https://1.2.3.256", "https://[fe80::1%25eth0]", "https://[::1", "https://2001:db8::1", "https://[10.0.0.1]",
		"https://example.com/\x7f", " https://example.com", "https://example.com/ x", "https://example.com\n",
	}
	check := func(upstream, want string) {
		got := Decode("x.yaml", []byte(strings.Replace(web, "https://api.anthropic.com", fmt.Sprintf("%q", upstream), 1)), Options{})
		fields := strings.Fields(fieldsOfProblems(got))
		if (len(fields) > 0) != (want != "") || (want != "" && fields[0] != want) {
			t.Errorf("upstream %q: %s", upstream, told(got))
		}
	}
	for _, upstream := range good {
		check(upstream, "")
	}
	for _, upstream := range bad {
		check(upstream, "spec.routes[0].upstream")
	}
}

func TestAnUpstreamIsToldEverythingAtOnce(t *testing.T) {
	file := strings.Replace(web, "https://api.anthropic.com", "http://user:pass@example.com:0/?q#f", 1)
	want := `10 spec.routes[0].upstream: Invalid value: must not hold a user or password; use auth with a tokenRef
10 spec.routes[0].upstream: Invalid value: must not hold a query ('?')
10 spec.routes[0].upstream: Invalid value: must not hold a fragment ('#')
10 spec.routes[0].upstream: Invalid value: must have a port from 1 to 65535 after ':'
10 spec.routes[0].upstream: Forbidden: http:// sends the token in clear; write https://, or add insecureUpstream: true to the route
`
	if diff := cmp.Diff(want, told(Decode("x.yaml", []byte(file), Options{}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCleartextHasToBeAskedFor(t *testing.T) {
	clear := strings.Replace(web, "https://", "http://", 1)
	got := Decode("x.yaml", []byte(clear), Options{})
	if !strings.Contains(told(got), "10 spec.routes[0].upstream: Forbidden: http:// sends the token in clear; write https://, or add insecureUpstream: true") {
		t.Errorf("got\n%s", told(got))
	}
	for name, file := range map[string]string{"http": clear, "https": web} {
		if got := Decode("x.yaml", []byte(file+"    insecureUpstream: true\n"), Options{}); len(got.Problems) > 0 {
			t.Errorf("%s with insecureUpstream: %s", name, told(got))
		}
	}
}

func TestCredentialsOfRoutes(t *testing.T) {
	const ref = "tokenRef: {env: A}"
	tests := []struct{ name, auth, bad string }{
		{"bearer", "scheme: Bearer, " + ref, ""},
		{"token", "scheme: Token, " + ref, ""},
		{"basic", "scheme: Basic, username: x-access-token, " + ref, ""},
		{"header", "scheme: Header, header: X-Api-Key, " + ref, ""},
		{"the whole Authorization header", "scheme: Header, header: Authorization, " + ref, ""},
		{"nothing at all", "", "auth.scheme auth.tokenRef"},
		{"scheme in small letters", "scheme: bearer, " + ref, "auth.scheme"},
		{"basic without a username", "scheme: Basic, " + ref, "auth.username"},
		{"username with a colon", "scheme: Basic, username: 'a:b', " + ref, "auth.username"},
		{"username with a line break", `scheme: Basic, username: "a\nb", ` + ref, "auth.username"},
		{"username that is too long", "scheme: Basic, username: " + strings.Repeat("a", 256) + ", " + ref, "auth.username"},
		{"username with bearer", "scheme: Bearer, username: a, " + ref, "auth.username"},
		{"header without its name", "scheme: Header, " + ref, "auth.header"},
		{"header with bearer", "scheme: Bearer, header: X-A, " + ref, "auth.header"},
		{"header with a colon", "scheme: Header, header: 'X-A:', " + ref, "auth.header"},
		{"header with a space", "scheme: Header, header: X A, " + ref, "auth.header"},
		{"header with a line break", `scheme: Header, header: "X-A\r\nHost", ` + ref, "auth.header"},
		{"header of the connection", "scheme: Header, header: connection, " + ref, "auth.header"},
		{"header that frames", "scheme: Header, header: Content-Length, " + ref, "auth.header"},
		{"header of the host", "scheme: Header, header: HOST, " + ref, "auth.header"},
		{"header for a proxy", "scheme: Header, header: Proxy-Authorization, " + ref, "auth.header"},
		{"no token", "scheme: Bearer", "auth.tokenRef"},
		{"empty reference", "scheme: Bearer, tokenRef: {}", "auth.tokenRef"},
		{"reference to nothing", "scheme: Bearer, tokenRef: {env: }", "auth.tokenRef"},
		{"two sources", "scheme: Bearer, tokenRef: {env: A, file: a}", "auth.tokenRef"},
		{"unknown source", "scheme: Bearer, tokenRef: {vault: a}", "auth.tokenRef.vault auth.tokenRef"},
		{"provider", "scheme: Bearer, tokenRef: {provider: vault, key: team-a/github}", ""},
		{"provider without key", "scheme: Bearer, tokenRef: {provider: vault}", "auth.tokenRef.key"},
		{"key without provider", "scheme: Bearer, tokenRef: {key: a}", "auth.tokenRef.provider"},
		{"variable and key", "scheme: Bearer, tokenRef: {env: A, key: a}", "auth.tokenRef"},
		{"three sources", "scheme: Bearer, tokenRef: {env: A, file: a, provider: a, key: a}", "auth.tokenRef"},
		{"provider in capitals", "scheme: Bearer, tokenRef: {provider: Vault, key: a}", "auth.tokenRef.provider"},
		{"provider that is a path", "scheme: Bearer, tokenRef: {provider: /bin/sh, key: -c}", "auth.tokenRef.provider auth.tokenRef.key"},
		{"key of two words", "scheme: Bearer, tokenRef: {provider: vault, key: a b}", "auth.tokenRef.key"},
		{"variable", "scheme: Bearer, tokenRef: {env: _a1}", ""},
		{"variable that begins with a digit", "scheme: Bearer, tokenRef: {env: 1A}", "auth.tokenRef.env"},
		{"variable with a dash", "scheme: Bearer, tokenRef: {env: A-B}", "auth.tokenRef.env"},
		{"variable with its dollar", "scheme: Bearer, tokenRef: {env: $A}", "auth.tokenRef.env"},
		{"file", "scheme: Bearer, tokenRef: {file: team/.a..b}", ""},
		{"absolute file", "scheme: Bearer, tokenRef: {file: /etc/passwd}", "auth.tokenRef.file"},
		{"file above", "scheme: Bearer, tokenRef: {file: a/../../b}", "auth.tokenRef.file"},
		{"file that is the directory", "scheme: Bearer, tokenRef: {file: .}", "auth.tokenRef.file"},
		{"file with a slash at the end", "scheme: Bearer, tokenRef: {file: a/}", "auth.tokenRef.file"},
		{"file with a backslash", `scheme: Bearer, tokenRef: {file: 'a\b'}`, "auth.tokenRef.file"},
		{"file with a control character", `scheme: Bearer, tokenRef: {file: "a\x01"}`, "auth.tokenRef.file"},
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

func TestTheWayToAnUpstream(t *testing.T) {
	for _, tt := range []struct{ name, fields, bad string }{
		{"all", "allowPrivate: true\n    caFile: corp/root.pem\n    proxyURL: http://proxy.example.com:3128", ""},
		{"a proxy by its address", "proxyURL: http://[2001:db8::1]:3128", ""},
		{"a client certificate", "clientCertificate: {certFile: corp/web.pem, keyRef: {file: corp/web.key}}", ""},
		{"a client certificate of nothing", "clientCertificate:", "clientCertificate"},
		{"one without a file and a key", "clientCertificate: {}", "clientCertificate.certFile clientCertificate.keyRef"},
		{"one from above, with the key itself", "clientCertificate: {certFile: ../x, keyRef: {key: x}}", "clientCertificate.certFile clientCertificate.keyRef.provider"},
		{"a file above", "caFile: ../root.pem", "caFile"},
		{"an absolute file", "caFile: /etc/ssl/cert.pem", "caFile"},
		{"the certificate itself", "caFile: \"-----BEGIN CERTIFICATE-----\\nAA\"", "caFile"},
		{"a proxy without a port", "proxyURL: http://proxy.example.com", "proxyURL"},
		{"a proxy on port 0", "proxyURL: http://proxy.example.com:0", "proxyURL"},
		{"a proxy with a path", "proxyURL: http://proxy.example.com:3128/", "proxyURL"},
		{"a proxy with a password", "proxyURL: http://u:p@proxy.example.com:3128", "proxyURL"},
		{"a proxy over TLS", "proxyURL: https://proxy.example.com:3128", "proxyURL"},
		{"a proxy by an address that readers differ on", "proxyURL: http://0x7f.1:3128", "proxyURL"},
	} {
		got := Decode("x.yaml", []byte(web+"    "+tt.fields+"\n"), Options{})
		if fields := strings.ReplaceAll(fieldsOfProblems(got), "spec.routes[0].", ""); fields != tt.bad {
			t.Errorf("%s: want %q\n%s", tt.name, tt.bad, told(got))
		}
	}
	clear := strings.Replace(web, "https://", "http://", 1) + "    insecureUpstream: true\n    caFile: a\n    clientCertificate: {certFile: a, keyRef: {env: A}}\n    proxyURL: http://a:1\n"
	if fields := fieldsOfProblems(Decode("x.yaml", []byte(clear), Options{})); fields != "spec.routes[0].caFile spec.routes[0].clientCertificate spec.routes[0].proxyURL" {
		t.Errorf("in clear text: %s", fields)
	}
}
