package proxy

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// exchange is the writer of one response. It knows what the log line and the counters need.
type exchange struct {
	http.ResponseWriter
	// in is the client's request.
	in *http.Request
	// leaving is asked when the answer begins, which may be long after its request.
	leaving *atomic.Bool
	begun   time.Time
	route   string
	tally   *tally
	// traced is whether the client asked by which route its request goes, and credential whether that adds one.
	traced, credential bool
	// forwarded is whether the upstream was asked, and target what it was asked for. tunnels is told when the exchange ends; nil unless it asks for one.
	forwarded bool
	tunnels   *sync.WaitGroup
	target    url.URL
	upload    upload
	interims  interims
	tunnel    *tunnel

	// idle watches that bytes are sent, where the route has a limit of silence.
	idle *watch
	// warned is the code of a refusal that the route's policy has not enforced.
	warned string

	// code is why the sidecar refused; empty if it did not. status is that of the answer, and upstream that of the upstream's, after
	// firstByte; both are 0 before there is one.
	code             string
	status, upstream int
	firstByte        time.Duration
	// written counts the bytes of the body.
	written int64
	// finished is false while the response may still break off.
	finished bool
	scrub    scrubber
}

// Unwrap lets http.ResponseController find the writer below.
func (e *exchange) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// WriteHeader notes the final status. Interim answers are not for clients of HTTP/1.0 (RFC 9110 section 15.2).
func (e *exchange) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		e.answer(status)
		if _, ok := e.Header()["Content-Type"]; !ok {
			// Without this net/http would guess one.
			e.Header()["Content-Type"] = nil
		}
		if e.traced {
			e.trace(e.Header())
		}
		if status != http.StatusSwitchingProtocols && e.isLast() {
			e.Header()["Connection"] = []string{"close"}
		}
		e.scrub.header(e.Header())
	} else {
		if !e.in.ProtoAtLeast(1, 1) || status == http.StatusContinue && len(e.in.Header["Expect"]) > 0 {
			// net/http asks the client itself, when the body is read, which is when the upstream has asked.
			return
		}
		dropOwn(e.Header()) // of an upstream's interim answer
		e.scrub.fields(e.Header())
	}
	e.ResponseWriter.WriteHeader(status)
}

// isLast reports whether the connection ends with this answer. Where the upstream has answered before it had the whole body, net/http
// would otherwise read that itself before it sends the answer, and take it from the transport, which is reading it.
func (e *exchange) isLast() bool {
	return e.leaving.Load() || e.in.ProtoMajor == 1 && e.upload.underway()
}

// answer notes the final status.
func (e *exchange) answer(status int) {
	e.status = status
	if e.code == "" {
		e.upstream, e.firstByte = status, time.Since(e.begun)
	}
}

// trace tells a client the route of its request, which it may know, and whether a credential is added, never which.
func (e *exchange) trace(h http.Header) {
	if e.route != "" {
		h.Set(routetable.FieldRoute, (&url.URL{Path: e.route}).EscapedPath())
	}
	h.Set(routetable.FieldCredential, routetable.CredentialNone)
	if e.credential {
		h.Set(routetable.FieldCredential, routetable.CredentialAdded)
	}
}

// Write sends a piece of an answer of the sidecar's own.
func (e *exchange) Write(b []byte) (int, error) { return len(b), e.pass(slices.Clone(b), 0) }

// pass sends a piece of the body, which a buffer has behind some room, or what of it may be sent by now. It may change the buffer.
func (e *exchange) pass(buffer []byte, room int) error {
	e.idle.touch()
	out, unread := e.scrub.next(buffer, room)
	if len(out) > 0 {
		if _, err := e.send(out); err != nil {
			return err
		}
	}
	return unread
}

// end sends what was held back of the body.
func (e *exchange) end() {
	if e.scrub.stream == nil {
		return
	}
	if rest := e.scrub.stream.Rest(); len(rest) > 0 {
		_, _ = e.send(rest) // who has left needs no more
	}
}

// send counts.
func (e *exchange) send(b []byte) (int, error) {
	n, err := e.ResponseWriter.Write(b) //nolint:gosec // what an upstream answers passes as it is, under its own content type
	e.written += int64(n)
	e.idle.touch()
	return n, err
}
