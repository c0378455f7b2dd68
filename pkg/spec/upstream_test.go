package spec

import "testing"

func TestSpellingsOfAnUpstreamHaveOneForm(t *testing.T) {
	tests := map[string]string{
		"https://api.example.com":               "https://api.example.com",
		"https://API.Example.COM/":              "https://api.example.com",
		"https://api.example.com:443/v1":        "https://api.example.com/v1",
		"https://api.example.com:0443/v1":       "https://api.example.com/v1",
		"http://api.example.com:80":             "http://api.example.com",
		"http://api.example.com:443":            "http://api.example.com:443",
		"https://XN--Bcher-KVA.example/":        "https://xn--bcher-kva.example",
		"https://[2001:DB8:0:0::1]:8443/a":      "https://[2001:db8::1]:8443/a",
		"https://[::ffff:192.0.2.1]/a":          "https://192.0.2.1/a",
		"https://[::ffff:c000:201]/a":           "https://192.0.2.1/a",
		"https://db:8443":                       "https://db:8443",
		"https://api.example.com/a:b@c/~d,e/f!": "https://api.example.com/a:b@c/~d,e/f!",
	}
	for raw, want := range tests {
		if got, err := ParseUpstream(raw); err != nil || got.String() != want {
			t.Errorf("%s is %s, %v; want %s", raw, got, err, want)
		}
	}
}

func TestWhatTwoReadersCouldTakeDifferentlyIsNoUpstream(t *testing.T) {
	for _, raw := range []string{
		"", "api.example.com", "//api.example.com", "ftp://api.example.com", "https:api.example.com", "https://",
		"https://me@api.example.com", "https://api.example.com@evil.example", "https://api.example.com?x", "https://api.example.com#x",
		"https://2130706433", "https://0x7f000001", "https://0177.0.0.1", "https://127.1", "https://127.0.0.01", "https://1.2.3.4.5",
		"https://[fe80::1%25eth0]", "https://[127.0.0.1]", "https://bücher.example", "https://api.example.com。evil.example",
		"https://api.example.com%2eevil.example", "https://api..example.com", "https://.example.com",
		"https://api.example.com:0", "https://api.example.com:65536", "https://api.example.com:", "https://api.example.com:4a",
		"https://api.example.com/a/../b", "https://api.example.com/./b", "https://api.example.com//b",
		"https://api.example.com/%2e%2e/b", "https://api.example.com/a%2fb", "https://api.example.com/a%252fb",
		`https://api.example.com/a\b`, "https://api.example.com/a;b", "https://api.example.com/ü", "https://api.example.com/a b",
	} {
		if got, err := ParseUpstream(raw); err == nil {
			t.Errorf("%q is %s", raw, got)
		}
	}
}

func TestHostsHaveOneForm(t *testing.T) {
	for host, want := range map[string]string{
		"API.example.com.": "api.example.com", "api.example.com": "api.example.com", "[2001:DB8::1]": "2001:db8::1",
		"2001:db8:0::1": "2001:db8::1", "::ffff:192.0.2.1": "192.0.2.1", "192.0.2.1": "192.0.2.1", "my_db": "my_db",
	} {
		if got, ok := CanonicalHost(host); !ok || got != want {
			t.Errorf("%q is %q, %v; want %q", host, got, ok, want)
		}
	}
	for _, host := range []string{"", ".", "a..", "[a]", "[::1", "::1]", "[192.0.2.1]", "fe80::1%eth0", "0x7f.1", "1.2.3.04", "*", "ü.example"} {
		if got, ok := CanonicalHost(host); ok {
			t.Errorf("%q is %q", host, got)
		}
	}
}

// Whatever a spec may hold can be compared with a policy.
func TestEveryUpstreamThatAFileMayHoldHasAForm(t *testing.T) {
	for _, raw := range []string{"https://a", "http://a_b.c:1/x", "https://[::1]:1", "https://10.0.0.1/x"} {
		errs := validateUpstream(Route{Upstream: raw, InsecureUpstream: true}, nil)
		if _, err := ParseUpstream(raw); err != nil || len(errs) > 0 {
			t.Errorf("%s: %v, %v", raw, err, errs)
		}
	}
}
