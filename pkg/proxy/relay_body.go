package proxy

import (
	"net/http"
	"sync"
	"time"
)

// headerDelay bounds how long the header of an answer waits for the first piece of its body, to share a packet with it. No
// other piece waits.
const headerDelay = 5 * time.Millisecond

// pass sends a body as it comes. The last piece of one whose length is known goes with the end of the answer.
func (h *Handler) pass(e *exchange, res *http.Response) error {
	if res.Body == http.NoBody {
		return nil
	}
	hurry := h.hurries.begin(e)
	defer h.hurries.end(hurry)
	left := res.ContentLength
	return h.buffers.each(res.Body, func(buffer []byte) error {
		hurry.stop()
		if err := e.pass(buffer, roomBytes); err != nil {
			return err
		}
		if left -= int64(len(buffer) - roomBytes); left != 0 {
			e.flush()
		}
		return nil
	})
}

// flush sends what was written. One who has left finds out at the next piece.
func (e *exchange) flush() { _ = http.NewResponseController(e.ResponseWriter).Flush() }

// hurries are timers for answers that have begun, used again and again.
type hurries struct{ pool sync.Pool }

// hurry flushes the header of an answer whose body lets itself be waited for.
type hurry struct {
	timer *time.Timer
	mu    sync.Mutex
	// waiting is the answer; nil once a piece of its body was read.
	waiting *exchange
}

func (p *hurries) begin(e *exchange) *hurry {
	h, ok := p.pool.Get().(*hurry)
	if !ok {
		h = &hurry{waiting: e}
		h.timer = time.AfterFunc(headerDelay, h.flush)
		return h
	}
	h.mu.Lock()
	h.waiting = e
	h.mu.Unlock()
	h.timer.Reset(headerDelay)
	return h
}

func (p *hurries) end(h *hurry) {
	h.stop()
	p.pool.Put(h)
}

// flush is the timer's. One that comes late meets nobody who waits, or the next, whom an early flush does not harm.
func (h *hurry) flush() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting != nil {
		h.waiting.flush()
	}
}

// stop returns once the answer is its goroutine's alone.
func (h *hurry) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting != nil {
		h.waiting = nil
		h.timer.Stop()
	}
}
