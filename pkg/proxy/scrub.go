package proxy

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/scrub"
)

// scrubWarnPause is how far apart the warnings of a route are.
const scrubWarnPause = time.Minute

// scrubbing keeps the tokens of a route out of what its upstream answers. A nil one lets everything pass.
type scrubbing struct {
	needles *scrub.Needles
	streams *scrub.Streams
	echoes  *echoes
	// identity is the value of fields, which no request may change.
	identity []string
}

// newScrubbing is nil where there is nothing to look for: no token, or none that is long enough.
func newScrubbing(tokens map[string]routetable.Token) *scrubbing {
	var values []string
	for _, token := range tokens {
		values = append(values, token.Reveal())
	}
	needles := scrub.New(values...)
	if needles == nil {
		return nil
	}
	return &scrubbing{needles: needles, streams: &scrub.Streams{}, echoes: &echoes{begun: time.Now()}, identity: []string{"identity"}}
}

// keepEchoes goes on with the counts of the table before, so that a reload makes no warning come earlier.
func (t *table) keepEchoes(before *table) {
	for _, rt := range t.routes {
		i := slices.IndexFunc(before.routes, func(old *route) bool { return old.path == rt.path && old.scrub != nil })
		if i >= 0 && rt.scrub != nil {
			rt.scrub.echoes = before.routes[i].scrub.echoes
		}
	}
}

// encodings are how a client says which encodings it takes, and an upstream which it has used: of HTTP, of gRPC and of Connect.
func encodings() [3]struct{ accept, used string } {
	return [3]struct{ accept, used string }{
		{"Accept-Encoding", "Content-Encoding"},
		{"Grpc-Accept-Encoding", "Grpc-Encoding"},
		{"Connect-Accept-Encoding", "Connect-Content-Encoding"},
	}
}

// ask has a request ask for an answer that can be searched: whole, and not encoded. Without an Accept-Encoding any encoding would
// be fine (RFC 9110 section 12.5.3).
func (s *scrubbing) ask(h http.Header) {
	if s == nil {
		return
	}
	delete(h, "Range")
	delete(h, "If-Range")
	delete(h, "Sec-Websocket-Extensions")
	for _, e := range encodings() {
		if _, ok := h[e.accept]; ok || e.accept == "Accept-Encoding" {
			h[e.accept] = s.identity
		}
	}
}

// unreadableError is why an answer cannot be searched.
type unreadableError struct{ why string }

func (e *unreadableError) Error() string { return "the answer " + e.why }

// judge refuses an answer that cannot be searched, though it was asked for one that can.
func (s *scrubbing) judge(res *http.Response) error {
	if s == nil || bodiless(res) {
		return nil
	}
	switch {
	case res.StatusCode == http.StatusPartialContent:
		return &unreadableError{"is a part, and the whole was asked for"}
	case res.StatusCode == http.StatusSwitchingProtocols && len(res.Header["Sec-Websocket-Extensions"]) > 0:
		return &unreadableError{"switches to a WebSocket with extensions, and none was asked for"}
	}
	for _, e := range encodings() {
		for _, value := range res.Header[e.used] {
			if value != "" && !strings.EqualFold(value, "identity") {
				return &unreadableError{"has a " + e.used + ", and identity was asked for"}
			}
		}
	}
	return nil
}

// bodiless tells answers that end with their header (RFC 9112 section 6.3).
func bodiless(res *http.Response) bool {
	return res.Request.Method == http.MethodHead || res.StatusCode == http.StatusNoContent || res.StatusCode == http.StatusNotModified ||
		res.ContentLength == 0 && res.StatusCode != http.StatusSwitchingProtocols
}

// switched scrubs the header of an answer that switches protocols, which is written to the connection itself.
func (s *scrubbing) switched(res *http.Response) {
	if s == nil || res.StatusCode != http.StatusSwitchingProtocols {
		return
	}
	stream := s.streams.Open(s.needles)
	defer s.streams.Close(stream)
	if scrubFields(stream, res.Header) {
		s.echoes.count.Add(1)
	}
}

// scrubFields scrubs the values of a header, and reports whether there was anything.
func scrubFields(stream *scrub.Stream, h http.Header) (any bool) {
	for _, values := range h {
		for i, value := range values {
			if scrubbed, found := stream.Text(value); found {
				values[i], any = scrubbed, true
			}
		}
	}
	return any
}

// echoes counts answers in which a token was, until that is told.
type echoes struct {
	begun time.Time
	count atomic.Int64
	// told is when it was last told, in nanoseconds since begun; zero when it was not.
	told atomic.Int64
}

// due returns how many there are to tell, at most once a minute, and otherwise 0.
func (c *echoes) due() int64 {
	if c.count.Load() == 0 {
		return 0
	}
	now, last := max(1, int64(time.Since(c.begun))), c.told.Load()
	if last != 0 && now-last < int64(scrubWarnPause) || !c.told.CompareAndSwap(last, now) {
		return 0
	}
	return c.count.Swap(0)
}

// tellScrubbed warns of an upstream that repeats its token.
func (h *Handler) tellScrubbed(rt *route) {
	if n := rt.scrub.echoes.due(); n > 0 {
		h.log.Warn("the upstream repeated the route's token in its answers, which was overwritten", "route", rt.path, "answers", n)
	}
}

func unreadable(rt *route, why *unreadableError) *refusal {
	return &refusal{status: http.StatusBadGateway, code: "unreadable",
		message: rt.upstream.Host + " sent an answer that cannot be searched for the route's token: it " + why.why +
			"; an operator who trusts it not to repeat tokens can set scrubResponses: false for this route"}
}
