package proxy

import (
	"encoding/base64"
	"net/http"
	"net/textproto"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
)

// credential is what a route adds to each request.
type credential struct {
	// header is the field's canonical name.
	header string
	// value is the whole field value. It counts as a token: Basic is but an encoding of one.
	value routetable.Token
	// present is false while the sidecar has no token for the route.
	present bool
}

func newCredential(a routetable.Auth, token routetable.Token, present bool) *credential {
	c := &credential{header: "Authorization", present: present}
	if a.Scheme == "Header" {
		c.header = textproto.CanonicalMIMEHeaderKey(a.Header)
	}
	if present {
		c.value = routetable.NewToken(fieldValue(a, token.Reveal()))
	}
	return c
}

// fieldValue writes a token as its scheme wants it: Bearer is RFC 6750 section 2.1, Basic RFC 7617 section 2.
func fieldValue(a routetable.Auth, token string) string {
	switch a.Scheme {
	case "Bearer":
		return "Bearer " + token
	case "Token":
		return "token " + token
	case "Basic":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Username+":"+token))
	}
	return token
}

// authorize decides alone which credential leaves: it removes every field in which a client could bring one, on
// routes without a credential too, and what was meant for the sidecar itself, and then adds the route's. It runs last, on the header that is sent.
func (rt *route) authorize(h http.Header) {
	for name := range h {
		if rt.isCredential(name) || isForwarding(name) || isOwn(name) || rt.gate != nil && isMethodOverride(name) {
			delete(h, name)
		}
	}
	if c := rt.credential; c != nil && c.present {
		h[c.header] = []string{c.value.Reveal()}
	}
}

func (rt *route) isCredential(name string) bool {
	for _, slot := range clientSlots() {
		if sameField(name, slot) {
			return true
		}
	}
	return sameField(name, "Proxy-Authorization") || rt.callers.owns(name) ||
		rt.credential != nil && sameField(name, rt.credential.header)
}

// isForwarding tells the fields by which a client could claim to be somebody else (RFC 7239, and what came before it).
func isForwarding(name string) bool {
	const prefix = "X-Forwarded"
	return sameField(name, "Forwarded") || len(name) >= len(prefix) && sameField(name[:len(prefix)], prefix)
}

// isOwn tells the fields that are between the sidecar and its clients.
func isOwn(name string) bool {
	const prefix = routetable.FieldPrefix
	return len(name) >= len(prefix) && sameField(name[:len(prefix)], prefix)
}

// dropOwn takes such fields out of what an upstream has sent.
func dropOwn(h http.Header) {
	for name := range h {
		if isOwn(name) {
			delete(h, name)
		}
	}
}

// sameField compares field names as upstreams may: without case, and with _ for -, because CGI and what grew out of
// it cannot tell X_Api_Key from X-Api-Key (RFC 3875 section 4.1.18).
func sameField(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	return strings.EqualFold(a, b) || strings.Contains(a, "_") && strings.EqualFold(strings.ReplaceAll(a, "_", "-"), strings.ReplaceAll(b, "_", "-"))
}
