package proxy

import (
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// Handler serves one generation of a routing table at a time.
type Handler struct {
	table   atomic.Pointer[table]
	outlets *outlets
	buffers buffers
	hurries hurries
	log     *slog.Logger
	guests  *guests
	// tunnels are the WebSocket connections, which http.Server forgets once they are taken over.
	tunnels sync.WaitGroup
	// leaving makes every answer the last one of its connection.
	leaving atomic.Bool
	// rejections is what outlives a table of how upstreams take its tokens, and tallies what its routes have counted.
	rejections *rejections
	tallies    *tallies
	audit      *audit
}

// NewHandler makes a handler without routes, of the sidecar of a spec. It sends requests through outlets, and one line to lines for
// each.
func NewHandler(outlets *outlets, log *slog.Logger, lines io.Writer, specName string) *Handler {
	h := &Handler{
		outlets: outlets, log: log, guests: &guests{},
		rejections: newRejections(), tallies: newTallies(), audit: newAudit(lines, specName),
	}
	h.table.Store(&table{})
	return h
}

// Swap serves another generation from now on. Requests in flight finish on the one that they began with, unless their
// route's token is withheld now.
func (h *Handler) Swap(loaded routetable.Loaded) error {
	t, err := newTable(loaded, h.outlets.through)
	if err != nil {
		h.outlets.keep(h.table.Load())
		return err
	}
	t.inherit(h.table.Load(), h.rejections)
	t.keepEchoes(h.table.Load())
	t.keepBudgets(h.table.Load())
	h.tallies.adopt(t)
	h.table.Store(t)
	h.outlets.keep(t)
	if n := h.guests.cut(t); n > 0 {
		h.log.Info("connections were cut off whose route lost its token", "connections", n)
	}
	return nil
}

// ServeHTTP answers one request, counts it and writes its log line.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := &exchange{ResponseWriter: w, in: r, leaving: &h.leaving, begun: time.Now(), tally: h.tallies.none}
	// Deferred, because a broken exchange ends by a panic that net/http expects.
	defer h.account(e, r)
	if at, ok := seatOf(r); ok {
		defer at.leave()
		h.serve(e, r, at)
	} else {
		e.refuse(busy())
	}
	e.finished = true
}

func (h *Handler) serve(e *exchange, r *http.Request, at *seat) {
	e.traced = r.Header.Get(routetable.FieldTrace) == "true"
	rt, refused := h.admit(r, at)
	if rt != nil {
		e.route, e.tally = rt.path, rt.tally
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
		e.tunnels = &h.tunnels
	}
	e.tally.inFlight.Add(1)
	e.forwarded = true
	if rt.scrub != nil {
		e.scrub.open(rt.scrub)
		defer h.tellScrubbed(rt)
		defer e.scrub.close()
	}
	h.relay(e, rt, r)
}

// account counts a request that has ended, and logs it unless it is one refusal of too many.
func (h *Handler) account(e *exchange, r *http.Request) {
	took := time.Since(e.begun)
	if e.forwarded {
		e.tally.inFlight.Add(-1)
	}
	e.tally.count(e, took)
	if e.code == "" || e.tally.refusals[routetable.RefusalReason(e.code)].flood.tells(e.begun) {
		h.audit.request(e, r, took)
	}
	if e.tunnels != nil {
		e.tunnels.Done()
	}
}

// admit decides by the table that is served, and takes the route of what is forwarded.
func (h *Handler) admit(r *http.Request, at *seat) (*route, *refusal) {
	for {
		t := h.table.Load()
		rt, refused := t.admit(r)
		if refused != nil || h.take(at, t, rt) {
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
	if why := malformed(r); why != "" {
		return nil, badRequest(why)
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
	if e.in.ContentLength != 0 && !e.forwarded {
		e.hurryBody() // which net/http reads first
	}
	if e.in.ProtoMajor == 2 {
		r = r.ofStream()
	}
	if isGRPC(e.in) {
		r.writeGRPC(e)
		e.status = r.status
		return
	}
	if isGit(e.in) {
		r = r.forGit()
	}
	r.write(e, e.route)
	e.end()
}
