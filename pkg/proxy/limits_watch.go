package proxy

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// The causes by which an exchange ends that takes too long.
var (
	errIdle     = errors.New("nothing was sent in either direction for too long")
	errSlowBody = errors.New("the request's body took too long to arrive")
)

// goodbye is how long the answer may take that says so.
const goodbye = time.Second

// watch ends an exchange when it has not been touched for some time. A nil one watches nothing.
type watch struct {
	timeout time.Duration
	begun   time.Time
	// last is when it was touched, since begun.
	last  atomic.Int64
	cause error
	end   context.CancelCauseFunc
	conn  *http.ResponseController
	// hangUp closes the connection, where that may take more than a deadline; nil where it does not.
	hangUp func()

	mu    sync.Mutex
	timer *time.Timer
	// stopped is true once nothing is watched any more, fired once the exchange was ended.
	stopped, fired bool
}

// newWatch ends an exchange by way of its context, with a cause.
func newWatch(timeout time.Duration, cause error, end context.CancelCauseFunc, e *exchange) *watch {
	w := &watch{timeout: timeout, begun: time.Now(), cause: cause, end: end, conn: http.NewResponseController(e.ResponseWriter)}
	if e.in.ProtoMajor == 2 {
		w.hangUp = closer(e.in.Context())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(timeout, w.look)
	return w
}

// touch notes that something was sent.
func (w *watch) touch() {
	if w != nil {
		w.last.Store(int64(time.Since(w.begun)))
	}
}

// look ends the exchange if it is time, and otherwise looks again when it may be.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.stopped:
		return
	case w.fired:
		w.hangUp()
		return
	}
	if left := w.timeout - time.Since(w.begun) + time.Duration(w.last.Load()); left > 0 {
		w.timer.Reset(left)
		return
	}
	w.fired = true
	// The cause comes first: net/http takes a deadline for a client that has left, and says so by the same context.
	w.end(w.cause)
	// Whoever waits for the client, to read from it or to write to it, does not see that the context has ended. The
	// connection is of no more use after that, and the answer says so.
	_ = w.conn.SetReadDeadline(time.Now())
	_ = w.conn.SetWriteDeadline(time.Now().Add(goodbye))
	if w.hangUp != nil {
		// Over HTTP/2 the end of a request has to be written itself, for which its client may leave no room.
		w.timer.Reset(2 * goodbye)
	}
}

// stop ends the watch, and reports whether it has ended the exchange.
func (w *watch) stop() (fired bool) {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.timer.Stop()
	return w.fired
}
