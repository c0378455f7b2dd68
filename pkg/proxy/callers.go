package proxy

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/textproto"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
)

// clientSlots are the field of our own, for clients that can send one besides their API's, and the fields in which clients
// send the credential that they are configured with: Authorization for most
// APIs and git, X-Api-Key for Anthropic's, X-Goog-Api-Key for Google's, Api-Key for Azure's. They never pass, whether or
// not the environment has a caller key.
func clientSlots() [5]string {
	return [...]string{routetable.FieldKey, "Authorization", "X-Api-Key", "X-Goog-Api-Key", "Api-Key"}
}

// callers are those who show the environment's caller key. A nil one is everybody.
type callers struct {
	// header is the only field in which the key may come; empty for any of the client's slots.
	header string
	// digest is that of the key, so that what is compared is always of one length. It counts as a token.
	digest routetable.Token
	// present is false while the sidecar has no key: then nobody is served.
	present bool
}

func newCallers(loaded *routetable.Loaded) *callers {
	declared := loaded.Table.CallerAuth
	if declared == nil {
		return nil
	}
	c := &callers{header: textproto.CanonicalMIMEHeaderKey(declared.Header)}
	key, ok := loaded.CallerKey(declared)
	if ok {
		sum := sha256.Sum256([]byte(key.Reveal()))
		c.digest, c.present = routetable.NewToken(string(sum[:])), true
	}
	return c
}

// refuse decides alone who is served. It comes before everything that could tell which routes there are; rt, the route of
// the request if there is one, only says in which field its clients send their key.
func (c *callers) refuse(r *http.Request, rt *route) *refusal {
	switch {
	case c == nil:
		return nil
	case !c.present:
		return noCallerKey()
	case c.know(r.Header, rt):
		return nil
	}
	return unauthorized(c, r)
}

// know reports whether the key is in one of its places. Of several values of a field none is taken: which one counts
// would be anybody's guess. What is compared goes on to the end, so that no answer comes sooner for a better guess.
func (c *callers) know(h http.Header, rt *route) bool {
	found := 0
	for _, field := range c.places(rt) {
		values := h[field]
		if len(values) > 1 {
			return false
		}
		for _, value := range values {
			for _, candidate := range shown(field, value) {
				found |= c.compare(candidate)
			}
		}
	}
	return found == 1
}

// places lists the fields in which the key may come.
func (c *callers) places(rt *route) []string {
	if c.header != "" {
		return []string{c.header}
	}
	slots := clientSlots()
	if rt != nil {
		return append(slots[:], rt.credential.secrets()...)
	}
	return slots[:]
}

// shownIn reports whether the key is in a field that would pass otherwise, in any of the spellings of its name.
func (c *callers) shownIn(name string, values []string) bool {
	if c == nil || !c.present {
		return false
	}
	found := 0
	for _, slot := range clientSlots() {
		if !sameField(name, slot) {
			continue
		}
		for _, value := range values {
			for _, candidate := range shown(slot, value) {
				found |= c.compare(candidate)
			}
		}
	}
	return found == 1
}

// shown lists what may be a key in a field: its value, or in Authorization what stands behind Bearer (RFC 6750 section
// 2.1) and token, and the user and the password of Basic (RFC 7617 section 2), of which clients leave one to be made up.
func shown(field, value string) []string {
	if field != "Authorization" {
		return []string{value}
	}
	scheme, credentials, _ := strings.Cut(value, " ")
	credentials = strings.TrimLeft(credentials, " ")
	switch strings.ToLower(scheme) {
	case "bearer", "token":
		return []string{credentials}
	case "basic":
		pair, err := base64.StdEncoding.DecodeString(credentials)
		user, password, ok := strings.Cut(string(pair), ":")
		if err != nil || !ok {
			return nil
		}
		return []string{user, password}
	}
	return []string{value}
}

// compare is 1 when a candidate is the key, and takes the same time for all of its length.
func (c *callers) compare(candidate string) int {
	sum := sha256.Sum256([]byte(candidate))
	return subtle.ConstantTimeCompare(sum[:], []byte(c.digest.Reveal()))
}

// challenges says how to authenticate (RFC 9110 section 11.6.1), so that git asks its credential helper. A key that is
// wanted elsewhere than in Authorization has a scheme of its own, or clients would send it where it is not looked for.
func (c *callers) challenges() []string {
	const realm = `realm="cred-proxy"`
	if c.header != "" && c.header != "Authorization" {
		return []string{routetable.FieldKey + " " + realm + `, header="` + c.header + `"`}
	}
	return []string{"Bearer " + realm, "Basic " + realm}
}

// where says to people in which fields the key is looked for.
func (c *callers) where() string {
	if c.header != "" {
		return c.header
	}
	return routetable.FieldKey + ", or as the API key, password or bearer token that the client is configured with"
}
