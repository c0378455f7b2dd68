package routetable

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// MaxCertificatesBytes bounds a file of certificates: several times what the bundle of a company takes.
const MaxCertificatesBytes = 64 << 10

// Certificates reads a text of certificates in PEM (RFC 7468), and returns it without what stands around them. Its errors fit
// behind the name of the file.
func Certificates(text string) (string, error) {
	if len(text) > MaxCertificatesBytes {
		return "", fmt.Errorf("is larger than %d bytes", MaxCertificatesBytes)
	}
	var plain strings.Builder
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return "", errors.New("has something else than certificates in it, a private key perhaps: keep that elsewhere")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", errors.New("has a certificate in it that cannot be read")
		}
		block.Headers = nil
		if err := pem.Encode(&plain, block); err != nil {
			return "", err
		}
	}
	if plain.Len() == 0 {
		return "", errors.New("has no certificate in it; it should be in PEM, which begins with -----BEGIN CERTIFICATE-----")
	}
	return plain.String(), nil
}

// checkReach is about the way to a route's upstream.
func checkReach(r Route) error {
	if r.Roots == "" && r.ProxyURL == "" && r.ClientCertificate == nil {
		return nil
	}
	if scheme, _, _ := strings.Cut(r.Upstream, ":"); !strings.EqualFold(scheme, "https") {
		return errors.New("roots, clientCertificate and proxyURL go with an https:// upstream only")
	}
	if r.Roots != "" {
		if err := checkCertificates(r.Roots); err != nil {
			return fmt.Errorf("roots: %w", err)
		}
	}
	if r.ProxyURL == "" {
		return nil
	}
	// The text is not shown: it could hold user info.
	u, err := url.Parse(r.ProxyURL)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" || r.ProxyURL != "http://"+u.Host {
		return errors.New("proxyURL is not a URL such as http://proxy.example.com:3128")
	}
	return nil
}

func checkCertificates(text string) error {
	plain, err := Certificates(text)
	switch {
	case err != nil:
		return fmt.Errorf("the text %w", err)
	case plain != text:
		return errors.New("the text has something around its certificates")
	}
	return nil
}

// withTokenFile returns a copy whose token file name has renamed; nil of nil.
func (c *ClientCertificate) withTokenFile(name func(string) (string, error)) (*ClientCertificate, error) {
	if c == nil || c.TokenFile == "" {
		return c, nil
	}
	out := *c
	renamed, err := name(c.TokenFile)
	out.TokenFile = renamed
	return &out, err
}

func (t *Table) checkClientCertificate(c *ClientCertificate) error {
	if c == nil {
		return nil
	}
	return errors.Join(checkCertificates(c.Certificates), t.checkPlace(c.place()))
}

// checkUses refuses a private key where a token would be sent, and any other token as a key.
func (t *Table) checkUses(tokens map[place]Token) error {
	for _, r := range t.Routes {
		for _, at := range r.Auth.places() {
			if IsPrivateKey(tokens[at].Reveal()) {
				return fmt.Errorf("route %q: its token is a private key, which is not sent to anybody", r.Path)
			}
		}
		if r.ClientCertificate == nil {
			continue
		}
		if key, ok := tokens[r.ClientCertificate.place()]; ok && !IsPrivateKey(key.Reveal()) {
			return fmt.Errorf("route %q: the key of its client certificate is no private key in PEM", r.Path)
		}
	}
	return nil
}
