package proxy

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"credproxy.dev/controller/pkg/routetable"
)

// parameter is one that a route adds to the query.
type parameter struct {
	name string
	// secret is as that of field.
	secret bool
}

// addQuery prepares the parameters that a route adds. They begin the query, since servers are known to ignore what comes
// after a number of parameters, or after a #.
func (c *credential) addQuery(added []routetable.Addition, w writer) error {
	var pairs []string
	for _, p := range added {
		value, secret, err := w.write(p.Value)
		if err != nil {
			return err
		}
		// A space is %20 in every query, and + only in those of forms.
		pairs = append(pairs, p.Name+"="+strings.ReplaceAll(url.QueryEscape(value), "+", "%20"))
		c.params = append(c.params, parameter{p.Name, secret})
	}
	c.query = routetable.NewToken(strings.Join(pairs, "&"))
	return nil
}

// takeOutParameters prepares which parameters are taken out of the requests of each route: what the route adds itself, and
// unless the client's credentials are to pass, those with which any route brings a token to the same host. Unlike the name of
// a header, that of a parameter says nothing about other hosts.
func (t *table) takeOutParameters() {
	for _, rt := range t.routes {
		rt.takenParams = nil
		for _, other := range t.routes {
			if other.credential == nil || rt != other && (rt.passes || !strings.EqualFold(rt.upstream.Host, other.upstream.Host)) {
				continue
			}
			for _, p := range other.credential.params {
				if (rt == other || p.secret) && !slices.Contains(rt.takenParams, p.name) {
					rt.takenParams = append(rt.takenParams, p.name)
				}
			}
		}
	}
}

// query is what the upstream is asked of a client's query: what the route adds, and behind it the rest as it was written.
func (rt *route) query(client string) string {
	if len(rt.takenParams) > 0 {
		client = withoutParams(client, rt.takenParams)
	}
	if rt.credential == nil || !rt.credential.present || len(rt.credential.params) == 0 {
		return client
	}
	if client == "" {
		return rt.credential.query.Reveal()
	}
	return rt.credential.query.Reveal() + "&" + client
}

// inASCII is a query that can stand in a request's first line, which has no other bytes (RFC 3986 section 2): those are
// percent-encoded, as those of a path are.
func inASCII(query string) string {
	begin := strings.IndexFunc(query, func(c rune) bool { return c >= utf8.RuneSelf })
	if begin < 0 {
		return query
	}
	b := []byte(query[:begin])
	for _, c := range []byte(query[begin:]) {
		if c < utf8.RuneSelf {
			b = append(b, c)
		} else {
			b = fmt.Appendf(b, "%%%02X", c)
		}
	}
	return string(b)
}

// withoutParams takes parameters out of a query. Servers are known to part them by ; as well as by &.
func withoutParams(query string, names []string) string {
	kept, first, dropped := make([]byte, 0, len(query)), true, false
	for begin := 0; begin <= len(query); {
		end := len(query)
		if i := strings.IndexAny(query[begin:], "&;"); i >= 0 {
			end = begin + i
		}
		pair := query[begin:end]
		switch {
		case isParam(pair, names):
			dropped = true
		case first:
			kept, first = append(kept, pair...), false
		default:
			kept = append(kept, query[begin-1:end]...)
		}
		begin = end + 1
	}
	if !dropped {
		return query
	}
	return string(kept)
}

// isParam reports whether a server could take a pair of a query for one of the parameters of these names. As with paths, it
// is judged by all that servers are known to make of it: they decode twice, take names without case, and part them
// from an index (name[], name[0]).
func isParam(pair string, names []string) bool {
	name, _, _ := strings.Cut(pair, "=")
	for range maxEncodings + 1 {
		if slices.ContainsFunc(names, func(taken string) bool { return sameParam(name, taken) }) {
			return true
		}
		decoded := decodeOnce(name)
		if decoded == name {
			return false
		}
		name = decoded
	}
	return true // a name that is encoded over and over is nobody's
}

// sameParam compares the name of a client's parameter, which may have any characters, with one that is taken out.
func sameParam(name, taken string) bool {
	// A name may have become longer by decoding: what comes behind = is a value then, and C ends it at NUL.
	if end := strings.IndexAny(name, "=\x00"); end >= 0 {
		name = name[:end]
	}
	name = strings.TrimFunc(name, func(r rune) bool { return r <= ' ' || r == '+' || r == '?' })
	bare, _, _ := strings.Cut(name, "[")
	return sameFolded(bare, taken) || bare != name && sameFolded(name, taken)
}

// sameFolded compares names without case, and with _ for the characters that PHP's variables cannot have.
func sameFolded(name, taken string) bool {
	if len(name) < len(taken) {
		return false // folded, a name may become shorter and never longer
	}
	return strings.EqualFold(strings.Map(phpName, name), strings.Map(phpName, taken))
}

// phpName is what PHP makes of a character of a name (its documentation of variables from external sources).
func phpName(r rune) rune {
	switch r {
	case '.', ' ', '+', '[':
		return '_'
	}
	return r
}
