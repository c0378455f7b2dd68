package proxy

import (
	"encoding/base64"
	"net/http"
	"net/textproto"
	"slices"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/template"
)

// credential is what a route adds to each request: made once for a generation, and the same for every request.
type credential struct {
	headers []field
	// query is what begins the query, percent-encoded; it counts as a token. params are the names in it.
	query  routetable.Token
	params []parameter
	// present is false while the sidecar lacks a token of the route: then nothing is added, and nothing sent.
	present bool
}

// field is a header field that a route adds.
type field struct {
	// name is canonical.
	name string
	// values has the whole field value, which counts as a token: Basic is but an encoding of one. It is behind a pointer as
	// Token's is, and an array, so that whoever appends to it gets a copy.
	values *[1]string
	// secret is false for what is the same for everybody, such as a version of an API.
	secret bool
}

// newCredential makes the credential of a route's auth from its tokens, which are looked at only when they are present.
func newCredential(a *routetable.Auth, tokens map[string]routetable.Token, present bool) (*credential, error) {
	c := &credential{present: present}
	added, w := a.Additions(), writer{tokens}
	for _, h := range added.Headers {
		value, secret, err := w.write(h.Value)
		if err != nil {
			return nil, err
		}
		c.headers = append(c.headers, field{textproto.CanonicalMIMEHeaderKey(h.Name), &[1]string{value}, secret})
	}
	if added.Basic != nil {
		value, err := w.basic(*added.Basic)
		if err != nil {
			return nil, err
		}
		c.headers = append(c.headers, field{"Authorization", &[1]string{value}, true})
	}
	return c, c.addQuery(added.Query, w)
}

// writer writes templates with the tokens of a route. A token that is missing is written as nothing.
type writer struct{ tokens map[string]routetable.Token }

// write also returns whether there is a token in the text.
func (w writer) write(text string) (value string, secret bool, err error) {
	t, err := template.Parse(text)
	if err != nil {
		return "", false, err
	}
	return t.Expand(func(name string) string { return w.tokens[name].Reveal() }), len(t.Names()) > 0, nil
}

// basic is the field value of RFC 7617 section 2.
func (w writer) basic(b routetable.Basic) (string, error) {
	username, _, err := w.write(b.Username)
	if err != nil {
		return "", err
	}
	password, _, err := w.write(b.Password)
	if err != nil {
		return "", err
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password)), nil
}

// add puts the fields into a header from which those of the client are gone.
func (c *credential) add(h http.Header) {
	if c == nil || !c.present {
		return
	}
	for _, f := range c.headers {
		h[f.name] = f.values[:]
	}
}

// secrets are the names of the fields with a token in them; none of nil.
func (c *credential) secrets() (names []string) {
	if c == nil {
		return nil
	}
	for _, f := range c.headers {
		if f.secret {
			names = append(names, f.name)
		}
	}
	return names
}

// sameAs reports whether both add the same.
func (c *credential) sameAs(other *credential) bool {
	return c.query.Equal(other.query) && slices.EqualFunc(c.headers, other.headers, func(a, b field) bool {
		return a.name == b.name && *a.values == *b.values
	})
}

// authorize decides alone which credential leaves in the header, and adds the route's. It runs last, on the header that is sent.
func (rt *route) authorize(h http.Header) {
	rt.strip(h)
	rt.credential.add(h)
}

// strip removes every field in which a client could bring a credential, on routes without one too, and what was meant for the
// sidecar itself.
func (rt *route) strip(h http.Header) {
	for name, values := range h {
		if rt.takesOut(name) || isForwarding(name) || isOverride(name) || isOwn(name) || rt.gate != nil && isMethodOverride(name) ||
			rt.passes && rt.callers.shownIn(name, values) {
			delete(h, name)
		}
	}
}

// takesOut reports whether a field is one of those that never pass on the route.
func (rt *route) takesOut(name string) bool {
	for _, taken := range rt.takenFields {
		if sameField(name, taken) {
			return true
		}
	}
	return false
}

// takeOut prepares what is taken out of the requests of each route: what the route adds itself, and where callers show their
// key; and unless the client's credentials are to pass, every field in which clients send one or any route adds one.
//
// Cookie is an exception: an agent has cookies of its own, so that it is taken out only where it is added.
func (t *table) takeOut() {
	var known []string
	for _, rt := range t.routes {
		known = append(known, rt.credential.secrets()...)
	}
	known = slices.DeleteFunc(known, func(name string) bool { return name == "Cookie" })
	for _, rt := range t.routes {
		taken := []string{"Proxy-Authorization"}
		if rt.credential != nil {
			for _, f := range rt.credential.headers {
				taken = append(taken, f.name)
			}
		}
		if t.callers != nil && t.callers.header != "" {
			taken = append(taken, t.callers.header)
		}
		if !rt.passes {
			slots := clientSlots()
			taken = slices.Concat(taken, slots[:], known)
		}
		slices.Sort(taken)
		rt.takenFields = slices.Compact(taken)
	}
	t.takeOutParameters()
}

// isForwarding tells the fields by which a client could claim to be somebody else (RFC 7239, and what came before it).
func isForwarding(name string) bool {
	const prefix = "X-Forwarded"
	return sameField(name, "Forwarded") || len(name) >= len(prefix) && sameField(name[:len(prefix)], prefix) || isAddress(name)
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
	for i := range len(a) {
		if foldByte(a[i]) != foldByte(b[i]) {
			return false
		}
	}
	return true
}

// foldByte is enough for field names, which have letters of ASCII alone (RFC 9110 section 5.6.2).
func foldByte(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case c == '_':
		return '-'
	}
	return c
}
