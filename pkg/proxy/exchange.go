package proxy

import (
	"net/http"
	"strconv"
)

// exchange is the writer of one response. It knows what the log line needs, and sends each piece of a body on at
// once.
type exchange struct {
	http.ResponseWriter
	route  string
	code   string
	status int
	// sent counts the bytes of the body, length those announced; -1 when none were.
	sent, length int64
	finished     bool
}

// Unwrap lets http.ResponseController find the writer below.
func (e *exchange) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// WriteHeader notes the final status.
func (e *exchange) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		e.status = status
		h := e.Header()
		if length, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil {
			e.length = length
		}
		if _, ok := h["Content-Type"]; !ok {
			// Without this net/http would guess one.
			h["Content-Type"] = nil
		}
	}
	e.ResponseWriter.WriteHeader(status)
}

// Write flushes what it writes, except for the end of a body of known length: the handler's return, which is next,
// flushes that, and saves small responses a system call.
func (e *exchange) Write(b []byte) (int, error) {
	n, err := e.ResponseWriter.Write(b)
	e.sent += int64(n)
	if err == nil && e.sent != e.length {
		err = http.NewResponseController(e.ResponseWriter).Flush()
	}
	return n, err
}
