package routetable

import (
	"strings"
	"testing"
)

// authority is a certificate.
const authority = `-----BEGIN CERTIFICATE-----
MIIBTzCB96ADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMTBGNvcnAwIBcN
NzAwMTAxMDAwMDAwWhgPMjA5NjEwMDIwNzA2NDBaMA8xDTALBgNVBAMTBGNvcnAw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASlqbwE/BVx9OBBMUqTG5DqxzTMXQfq
xjIQVnFQ4Hxz7oYfrnwuZFMTI0IuLX05cN2vYjDbjwaM/h/Hz447Zrkho0IwQDAO
BgNVHQ8BAf8EBAMCAgQwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQULofMtPFB
QKBamz1CCebS5fkiM+AwCgYIKoZIzj0EAwIDRwAwRAIgKOX7VMSPYJWhMgQnae4R
cGEbSK6WOJ5/7mxCJZiUepkCIC8+dPW4ZF3ohLgkh6mf95CWiNCWO6o1iUMOAK42
sw86
-----END CERTIFICATE-----
`

func TestCertificates(t *testing.T) {
	for name, tt := range map[string]struct{ text, want, fails string }{
		"one":                {text: authority, want: authority},
		"two":                {text: authority + authority, want: authority + authority},
		"words around them":  {text: "The authority of the house\n" + authority + "ends here", want: authority},
		"headers in it":      {text: strings.Replace(authority, "-----\n", "-----\nComment: x\n\n", 1), want: authority},
		"nothing":            {fails: "has no certificate in it"},
		"words alone":        {text: "hello", fails: "has no certificate in it"},
		"a key":              {text: authority + strings.ReplaceAll(authority, "CERTIFICATE", "PRIVATE KEY"), fails: "something else"},
		"what cannot be one": {text: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", fails: "cannot be read"},
		"too many":           {text: strings.Repeat(authority, MaxCertificatesBytes/len(authority)+1), fails: "larger than"},
	} {
		got, err := Certificates(tt.text)
		if got != tt.want || (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestWaysToAnUpstreamThatAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		route Route
		fails string
	}{
		"both":                      {Route{Upstream: "HTTPS://a.test", Roots: authority, ProxyURL: "http://proxy.test:3128"}, ""},
		"an address":                {Route{Upstream: "https://a.test", ProxyURL: "http://[2001:db8::1]:3128"}, ""},
		"roots in clear text":       {Route{Upstream: "http://a.test", Roots: authority}, "https:// upstream only"},
		"a tunnel for clear text":   {Route{Upstream: "http://a.test", ProxyURL: "http://proxy.test:3128"}, "https:// upstream only"},
		"roots that are none":       {Route{Upstream: "https://a.test", Roots: "x"}, "has no certificate"},
		"roots with words around":   {Route{Upstream: "https://a.test", Roots: authority + "x"}, "around"},
		"a proxy with a password":   {Route{Upstream: "https://a.test", ProxyURL: "http://u:p@proxy.test:3128"}, "proxyURL"},
		"a proxy with a path":       {Route{Upstream: "https://a.test", ProxyURL: "http://proxy.test:3128/"}, "proxyURL"},
		"a proxy of another scheme": {Route{Upstream: "https://a.test", ProxyURL: "socks5://proxy.test:1080"}, "proxyURL"},
		"a proxy without a host":    {Route{Upstream: "https://a.test", ProxyURL: "http://:3128"}, "proxyURL"},
	} {
		if err := checkReach(tt.route); (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
