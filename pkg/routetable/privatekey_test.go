package routetable

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func inPEM(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestEveryFormOfAPrivateKeyIsOneLine(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key crypto.PrivateKey) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return inPEM("PRIVATE KEY", der, err)
	}
	ec, err := x509.MarshalECPrivateKey(curve)
	sec1 := inPEM("EC PRIVATE KEY", ec, err)
	for name, form := range map[string]struct {
		text string
		key  crypto.PrivateKey
	}{
		"PKCS 8": {pkcs8(curve), curve}, "Ed25519": {pkcs8(edwards), edwards}, "SEC 1": {sec1, curve},
		"SEC 1 behind its curve": {inPEM("EC PARAMETERS", []byte{6, 0}, nil) + sec1, curve},
		"PKCS 1":                 {inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(old), nil), old},
	} {
		token, is, err := FoldKey(form.text)
		if err != nil || !is || CheckToken(token) != nil || !IsPrivateKey(token) {
			t.Errorf("%s: %v, %v", name, is, err)
			continue
		}
		if got := string(UnfoldKey(token)); got != pkcs8(form.key) {
			t.Errorf("%s: another key comes back", name)
		}
	}
}

func TestWhatIsNoKeyThatCanBeUsed(t *testing.T) {
	for name, tt := range map[string]struct {
		text  string
		is    bool
		fails string
	}{
		"a token":       {text: secret},
		"nothing":       {},
		"a certificate": {text: authority},
		"garbage":       {inPEM("PRIVATE KEY", []byte(secret), nil), true, "cannot be read"},
		"encrypted":     {inPEM("ENCRYPTED PRIVATE KEY", []byte(secret), nil), true, "encrypted"},
		"encrypted, old": {strings.Replace(inPEM("RSA PRIVATE KEY", []byte(secret), nil), "-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1),
			true, "encrypted"},
	} {
		token, is, err := FoldKey(tt.text)
		if token != "" || is != tt.is || (err != nil) != (tt.fails != "") || err != nil && (!strings.Contains(err.Error(), tt.fails) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: %q, %v, %v", name, token, is, err)
		}
	}
	for _, token := range []string{"", secret, keyBegin, keyBegin + "?" + keyEnd} {
		if UnfoldKey(token) != nil {
			t.Errorf("%q is a key", token)
		}
	}
}

// withKey is the sample with a client certificate on its last route, and what is in the slot of its key.
func withKey(key string) (Table, map[string]string) {
	table, tokens := sampleTable(), sampleTokens()
	table.Routes[4].ClientCertificate = &ClientCertificate{Certificates: authority, TokenFile: "CRED_PROXY_TOKEN_8"}
	tokens["CRED_PROXY_TOKEN_8"] = key
	return table, tokens
}

func TestAKeyIsDeliveredLikeATokenAndSentLikeNone(t *testing.T) {
	const key = keyBegin + "AAAA" + keyEnd
	table, tokens := withKey(key)
	sealed, files := seal(t, table, 3, tokens)
	if got := sealed.Routes[4].ClientCertificate.TokenFile; got != "tokens-3/CRED_PROXY_TOKEN_8" || table.Routes[4].ClientCertificate.TokenFile != "CRED_PROXY_TOKEN_8" {
		t.Errorf("the key is in %s, and the input says %+v", got, table.Routes[4].ClientCertificate)
	}
	loaded, err := Load(volume(files...), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := loaded.Key(loaded.Table.Routes[4].ClientCertificate); !ok || got.Reveal() != key {
		t.Errorf("another key is loaded (found: %v)", ok)
	}

	table, tokens = withKey(secret)
	_, files = seal(t, table, 3, tokens)
	_, err = Load(volume(files...), noEnv)
	wantError(t, err, "no private key")
	tokens = sampleTokens()
	tokens["CRED_PROXY_TOKEN_1"] = key
	_, files = seal(t, sampleTable(), 3, tokens)
	_, err = Load(volume(files...), noEnv)
	wantError(t, err, "its token is a private key, which is not sent to anybody")
	if strings.Contains(err.Error(), "AAAA") {
		t.Error("the error shows the key")
	}

	table, tokens = withKey(key)
	table.CallerAuth = &CallerAuth{TokenFile: "CRED_PROXY_TOKEN_8"}
	_, _, err = Seal(table, 3, tokens, bytes.NewReader(make([]byte, 64)))
	wantError(t, err, "callerAuth: ")
}
