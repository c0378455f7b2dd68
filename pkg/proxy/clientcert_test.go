package proxy

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// clientPair is a certificate for the sidecar that vouches for itself, with its key as a token.
func clientPair(t *testing.T) (certificate, key string) {
	t.Helper()
	return clientPairOf(t, "sidecar")
}

// clientPairOf is one in another name.
func clientPairOf(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, _, err = routetable.FoldKey(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), key
}

// sealWithKey makes a generation in which slot 3 has a private key.
func sealWithKey(t *testing.T, key string, routes ...routetable.Route) []routetable.File {
	t.Helper()
	return sealWithTokens(t, map[string]string{"CRED_PROXY_TOKEN_1": token, "CRED_PROXY_TOKEN_3": key}, routes...)
}

func sealWithTokens(t *testing.T, tokens map[string]string, routes ...routetable.Route) []routetable.File {
	t.Helper()
	_, files, err := routetable.Seal(routetable.Table{Listen: ":0", InternalSubnets: []string{"127.0.0.0/8"}, Routes: routes},
		1, tokens, bytes.NewReader(make([]byte, 64)))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// askingUpstream wants a certificate and says whose it got.
func askingUpstream(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// Only the route that has a certificate shows it, and shares no connection with others.
func TestAClientCertificateIsShownForItsRouteAlone(t *testing.T) {
	upstream := askingUpstream(t)
	certificate, key := clientPair(t)
	second, secondKey := clientPairOf(t, "second")
	f := &faraway{
		answers: map[string][][]netip.Addr{"example.com": {addrs("93.184.216.34")}},
		at:      map[string]string{"93.184.216.34:443": upstream.Listener.Addr().String()},
	}
	own := routetable.Route{Path: "/own", Upstream: "https://example.com", Roots: certificatesOf(upstream),
		ClientCertificate: &routetable.ClientCertificate{Certificates: certificate, TokenFile: "CRED_PROXY_TOKEN_3"}}
	another := own
	another.Path, another.ClientCertificate = "/second", &routetable.ClientCertificate{Certificates: second, TokenFile: "CRED_PROXY_TOKEN_2"}
	other := routetable.Route{Path: "/other", Upstream: "https://example.com", Roots: certificatesOf(upstream)}
	proxy := serveFaraway(t, f, other)
	tokens := map[string]string{"CRED_PROXY_TOKEN_2": secondKey, "CRED_PROXY_TOKEN_3": key}
	if err := proxy.Swap(loadFiles(t, sealWithTokens(t, tokens, own, another, other))); err != nil {
		t.Fatal(err)
	}
	for path, name := range map[string]string{"/own": "sidecar", "/second": "second"} {
		if res, body := get(t, proxy.url(path)); res.StatusCode != http.StatusOK || body != name {
			t.Errorf("on %s, %d %s", path, res.StatusCode, body)
		}
	}
	res, body := get(t, proxy.url("/other"))
	wantRefusal(t, res, body, http.StatusBadGateway, "upstream_unreachable")
	if strings.Contains(proxy.log.String(), key[len(key)/2:]) {
		t.Error("the log has the key")
	}
}

func TestACertificateAndAKeyOfAnotherAreRefused(t *testing.T) {
	certificate, _ := clientPair(t)
	_, key := clientPair(t)
	proxy := serveFaraway(t, &faraway{}, routeTo("https://example.com"))
	err := proxy.Swap(loadFiles(t, sealWithKey(t, key, routetable.Route{Path: "/own", Upstream: "https://example.com",
		ClientCertificate: &routetable.ClientCertificate{Certificates: certificate, TokenFile: "CRED_PROXY_TOKEN_3"}})))
	if err == nil || !strings.Contains(err.Error(), "route /own: its client certificate and the private key do not belong together") {
		t.Errorf("%v", err)
	}
}

func TestWithoutItsKeyARouteIsNotServed(t *testing.T) {
	certificate, _ := clientPair(t)
	f := &faraway{}
	proxy := serveFaraway(t, f, routetable.Route{Path: "/own", Upstream: "https://93.184.216.34",
		ClientCertificate: &routetable.ClientCertificate{Certificates: certificate, TokenEnv: "CRED_PROXY_TOKEN_3"}})
	res, body := get(t, proxy.url("/own"))
	wantRefusal(t, res, body, http.StatusServiceUnavailable, "no_token")
	if len(f.connections()) > 0 {
		t.Errorf("it dialled %q", f.connections())
	}
}
