package proxy

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// errIdle is the cause by which a silent exchange ends.
var errIdle = errors.New("nothing was sent in either direction for too long")

// idleGoodbye is how long the answer may take that says so.
const idleGoodbye = 5 * time.Second

// idleWatch ends an exchange in which nothing has been sent for too long, in either direction: a request's body, the answer
// to it, or what goes through a WebSocket. A nil one watches nothing.
type idleWatch struct {
	timeout time.Duration
	begun   time.Time
	// last is when something was sent, since begun.
	last atomic.Int64

	mu    sync.Mutex
	timer *time.Timer
	end   context.CancelCauseFunc
	conn  *http.ResponseController
	// stopped is true once the exchange is over, fired once it was ended for its silence.
	stopped, fired bool
}

// watchIdle returns the context of an exchange, which ends with errIdle.
func watchIdle(ctx context.Context, timeout time.Duration, conn *http.ResponseController) (context.Context, *idleWatch) {
	ctx, end := context.WithCancelCause(ctx)
	w := &idleWatch{timeout: timeout, begun: time.Now(), end: end, conn: conn}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(timeout, w.look)
	return ctx, w
}

// touch notes that something was sent.
func (w *idleWatch) touch() {
	if w != nil {
		w.last.Store(int64(time.Since(w.begun)))
	}
}

// look ends the exchange if it is time, and otherwise looks again when it may be.
func (w *idleWatch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	if left := w.timeout - time.Since(w.begun) + time.Duration(w.last.Load()); left > 0 {
		w.timer.Reset(left)
		return
	}
	w.fired = true
	w.end(errIdle)
	// Whoever waits for the client, to read from it or to write to it, does not see that the context has ended. The
	// connection is of no more use after that, and the answer says so.
	_ = w.conn.SetReadDeadline(time.Now())
	_ = w.conn.SetWriteDeadline(time.Now().Add(idleGoodbye))
}

// stop ends the watch, and reports whether it has ended the exchange.
func (w *idleWatch) stop() (fired bool) {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.timer.Stop()
	w.end(nil)
	return w.fired
}
