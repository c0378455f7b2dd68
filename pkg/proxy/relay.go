package proxy

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
)

// relay has a route's upstream answer a request. It does to the bytes what httputil.ReverseProxy does, to which it is held by
// tests, and pays less for it: the client's header becomes the upstream's, and the fields of the answer are handed on. Like that
// it ends an answer that breaks off by a panic that net/http expects.
func (h *Handler) relay(e *exchange, rt *route, in *http.Request) {
	out := rt.outgoing(e, in)
	defer e.endUpload()
	res, err := rt.transport.RoundTrip(out)
	e.interims.end()
	if err != nil {
		rt.fail(e, out, err)
		return
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusSwitchingProtocols {
		h.switchOver(e, rt, out, res)
		return
	}
	if res.StatusCode < 200 {
		rt.fail(e, out, errNoStatus)
		return
	}
	dropHopByHop(res.Header)
	if err := rt.receive(res); err != nil {
		rt.fail(e, out, err)
		return
	}
	announced := len(res.Trailer)
	e.begin(res)
	if h.pass(e, res) != nil {
		panic(http.ErrAbortHandler)
	}
	e.end()
	e.trail(res.Trailer, announced)
}

// outgoing makes the upstream's request of the client's, of which it takes over the header.
func (rt *route) outgoing(e *exchange, in *http.Request) *http.Request {
	out := in.WithContext(httptrace.WithClientTrace(in.Context(), e.interims.to(e)))
	out.URL, out.Body, out.Close = &e.target, e.upload.of(in), false
	trailers := hasToken(in.Header["Te"], "trailers")
	dropHopByHop(out.Header)
	if trailers {
		out.Header["Te"] = []string{"trailers"}
	}
	if e.tunnels != nil {
		out.Header["Connection"], out.Header["Upgrade"] = []string{"Upgrade"}, []string{"websocket"}
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // or the transport would add its own
	}
	rt.rewrite(out, in)
	return out
}

// begin sends the header of an answer, with the names of the trailers that were announced.
func (e *exchange) begin(res *http.Response) {
	maps.Copy(e.Header(), res.Header)
	if len(res.Trailer) > 0 {
		e.Header().Add("Trailer", strings.Join(slices.Collect(maps.Keys(res.Trailer)), ", "))
	}
	e.WriteHeader(res.StatusCode)
}

// trail sends the trailers of an answer. Those that had not been announced take a prefix for net/http.
func (e *exchange) trail(trailers http.Header, announced int) {
	if len(trailers) == 0 {
		return
	}
	dropOwn(trailers)
	e.scrub.fields(trailers)
	e.flush() // so that net/http does not think of a length for the body, behind which there is no place for them
	for name, values := range trailers {
		if len(trailers) != announced {
			name = http.TrailerPrefix + name
		}
		e.Header()[name] = values
	}
}

// hasToken reports whether a field that is a list of tokens has one of them, which is given in small letters.
func hasToken(lists []string, token string) bool {
	for _, list := range lists {
		for one := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(textproto.TrimString(one), token) {
				return true
			}
		}
	}
	return false
}

// dropHopByHop takes out what is between two neighbours only: the fields that Connection names (RFC 9110 section 7.6.1), and those
// that are known to be.
func dropHopByHop(h http.Header) {
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			if name = textproto.TrimString(name); name != "" {
				h.Del(name)
			}
		}
	}
	for name := range h {
		if isHopByHop(name) {
			delete(h, name)
		}
	}
}

func isHopByHop(name string) bool {
	switch name {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// errNoStatus is why an answer is none: net/http takes any three digits, and would not send these.
var errNoStatus = errors.New("the upstream's status is none that an answer can have")

// errNoSwitch is why an upstream does not get to switch protocols.
var errNoSwitch = errors.New("the upstream switches to a protocol that it was not asked for")
