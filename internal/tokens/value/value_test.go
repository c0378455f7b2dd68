package value

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

func TestAPrivateKeyInPEMIsOneLine(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	got, err := Check(text)
	if err != nil || strings.Contains(got, "\n") || string(routetable.UnfoldKey(got)) != text {
		t.Errorf("another key comes back: %v", err)
	}
	for name, broken := range map[string]string{"cut off": text[:len(text)/2], "with a line behind it": text + "token\n", "two": text + text} {
		if got, err := Check(broken); err == nil || got != "" {
			t.Errorf("%s: taken", name)
		}
	}
}
