package proxy

import (
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
)

// interims pass on the answers that come before the final one (RFC 9110 section 15.2). The transport has them passed on beside the
// one who waits for the final one.
type interims struct {
	trace httptrace.ClientTrace
	mu    sync.Mutex
	// over is true once nobody waits any more.
	over bool
}

// to begins to pass on to an answer.
func (i *interims) to(e *exchange) *httptrace.ClientTrace {
	i.trace.Got1xxResponse = e.interim
	return &i.trace
}

// end returns once no interim answer is passed on any more.
func (i *interims) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.over = true
}

// interim passes one on.
func (e *exchange) interim(status int, header textproto.MIMEHeader) error {
	e.interims.mu.Lock()
	defer e.interims.mu.Unlock()
	if !e.interims.over {
		e.idle.touch()
		maps.Copy(e.Header(), http.Header(header))
		e.WriteHeader(status)
		clear(e.Header()) // net/http goes on with it
	}
	return nil
}
