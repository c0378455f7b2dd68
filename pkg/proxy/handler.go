package proxy

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// Handler serves one generation of a routing table at a time.
type Handler struct {
	table   atomic.Pointer[table]
	forward func(*route) *httputil.ReverseProxy
	log     *slog.Logger
	guests  *guests
	// tunnels are the WebSocket connections, which http.Server forgets once they are taken over.
	tunnels sync.WaitGroup
	// leaving makes every answer the last one of its connection.
	leaving atomic.Bool
	// rejections is what outlives a table of how upstreams take its tokens.
	rejections *rejections
}

// NewHandler makes a handler without routes. It sends requests through transport and one line to log for each.
func NewHandler(transport http.RoundTripper, log *slog.Logger) *Handler {
	h := &Handler{forward: forwarder(transport, &buffers{}), log: log, guests: &guests{}, rejections: newRejections()}
	h.table.Store(&table{})
	return h
}

// Swap serves another generation from now on. Requests in flight finish on the one that they began with, unless their
// route's token is withheld now.
func (h *Handler) Swap(loaded routetable.Loaded) error {
	t, err := newTable(loaded, h.forward)
	if err != nil {
		return err
	}
	t.inherit(h.table.Load(), h.rejections)
	t.keepBudgets(h.table.Load())
	h.table.Store(t)
	if n := h.guests.cut(t); n > 0 {
		h.log.Info("connections were cut off whose route lost its token", "connections", n)
	}
	return nil
}

// ServeHTTP answers one request and writes its log line.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := &exchange{ResponseWriter: w, leaving: &h.leaving}
	begun := time.Now()
	// Deferred, because httputil ends a broken exchange by a panic that net/http expects.
	defer func() { h.logRequest(e, r, begun) }()
	defer letGo(r.Context())
	h.serve(e, r)
	e.finished = true
}

func (h *Handler) serve(e *exchange, r *http.Request) {
	e.traced = r.Header.Get(routetable.FieldTrace) == "true"
	rt, refused := h.admit(r)
	if rt != nil {
		e.route = rt.path
	}
	if refused != nil {
		e.refuse(refused)
		return
	}
	if refused := rt.gate.refuse(e, rt, r); refused != nil {
		e.refuse(refused)
		return
	}
	if rt.limits != nil {
		admitted, refused := rt.limits.enter(e, r)
		if refused != nil {
			e.refuse(refused)
			return
		}
		defer admitted.leave()
		r = admitted.request
	}
	e.credential = rt.credential != nil
	if onlyWebSocket(r) {
		h.tunnels.Add(1)
		defer h.tunnels.Done()
	}
	rt.forward.ServeHTTP(e, r)
}

// admit decides by the table that is served, and takes the route of what is forwarded.
func (h *Handler) admit(r *http.Request) (*route, *refusal) {
	for {
		t := h.table.Load()
		rt, refused := t.admit(r)
		if refused != nil || h.take(r.Context(), t, rt) {
			return rt, refused
		}
	}
}

// admit decides whether a request is forwarded, and by which route. The route is also returned with a refusal that
// is about it.
func (t *table) admit(r *http.Request) (*route, *refusal) {
	if t.waiting {
		return nil, notDelivered()
	}
	path := r.URL.EscapedPath()
	rt := t.find(path)
	if refused := t.callers.refuse(r, rt); refused != nil {
		return nil, refused
	}
	if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
		return nil, denied(r.Method + " is not forwarded")
	}
	if r.URL.Scheme != "" || r.URL.Host != "" {
		return nil, badPathRefusal("this is not a forward proxy: send a path that begins with a route, and no proxy setting")
	}
	if len(r.Header) > maxFields {
		// Those of a request that was read along with the body before it have not been counted.
		return nil, badRequest("the header has more than " + strconv.Itoa(maxFields) + " fields")
	}
	if why := badPath(path); why != "" {
		return nil, badPathRefusal(why)
	}
	if rt == nil {
		return nil, noRoute(t)
	}
	if rest, _ := rt.cut(path); beginsAuthority(rest) {
		return rt, badPathRefusal("what follows " + rt.path + " begins with two slashes; does the base URL end with one too many?")
	}
	if !rt.ready() {
		return rt, noToken(rt)
	}
	return rt, nil
}

// refuse answers with an error of the sidecar's own.
func (e *exchange) refuse(r *refusal) {
	e.code = r.code
	r.write(e, e.route)
}

// logRequest writes what may be known of a request: never its path, query, header or body.
func (h *Handler) logRequest(e *exchange, r *http.Request, begun time.Time) {
	// A Record holds five attributes without an allocation.
	attrs := [7]slog.Attr{
		slog.String("method", knownMethod(r.Method)),
		slog.String("route", e.route),
		slog.Int("status", e.status),
		slog.Int64("bytes", e.sent),
		slog.Float64("duration_ms", float64(time.Since(begun).Microseconds())/1000),
	}
	code := e.code
	if code == "" && !e.finished {
		code = "cut_off"
	}
	n := 5
	if code != "" {
		attrs[n] = slog.String("error", code)
		n++
	}
	if e.warned != "" {
		attrs[n] = slog.String("warning", e.warned)
		n++
	}
	h.log.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs[:n]...)
}

// knownMethod keeps text of a client's own invention out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "OTHER"
}
