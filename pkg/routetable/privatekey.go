package routetable

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
)

// A private key is kept, delivered and rotated like a token, which is one line: PEM (RFC 7468) of PKCS #8 without its line
// breaks.
const (
	keyBegin = "-----BEGIN PRIVATE KEY-----"
	keyEnd   = "-----END PRIVATE KEY-----"
)

// IsPrivateKey reports whether a token is a private key, as FoldKey writes it: it proves who the sidecar is, and no scheme
// may send it.
func IsPrivateKey(token string) bool { return strings.HasPrefix(token, keyBegin) }

// FoldKey writes a private key in PEM as a token; false for a text that is not one. Its errors show nothing of the text.
func FoldKey(text string) (token string, is bool, err error) {
	for rest := []byte(text); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case block == nil:
			return "", false, nil
		case block.Type == "EC PARAMETERS": // openssl writes the name of the curve before the key
			continue
		case !strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return "", false, nil
		case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
			return "", true, errors.New("it is a private key that is encrypted: `openssl pkey` decrypts it")
		}
		der, err := inPKCS8(block)
		if err != nil || len(strings.TrimSpace(string(rest))) > 0 {
			return "", true, errors.New("it is a private key that cannot be read, or has something behind it: RSA, ECDSA or Ed25519 in PEM alone")
		}
		return keyBegin + base64.StdEncoding.EncodeToString(der) + keyEnd, true, nil
	}
}

// inPKCS8 reads the forms in which tools write private keys, and returns the one that holds them all.
func inPKCS8(block *pem.Block) ([]byte, error) {
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		return x509.MarshalPKCS8PrivateKey(key)
	case "EC PRIVATE KEY":
		key, err := x509.ParseECPrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		return x509.MarshalPKCS8PrivateKey(key)
	}
	_, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	return block.Bytes, err
}

// UnfoldKey is a private key in PEM of a token that FoldKey has written; empty for any other.
func UnfoldKey(token string) []byte {
	body, begun := strings.CutPrefix(token, keyBegin)
	body, ended := strings.CutSuffix(body, keyEnd)
	der, err := base64.StdEncoding.DecodeString(body)
	if !begun || !ended || err != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
