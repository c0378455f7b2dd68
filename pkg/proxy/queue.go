package proxy

import (
	"io"
	"sync"
	"time"
)

// flushPatience bounds what a stalled reader can hold up at the end.
const flushPatience = time.Second

// queue is a writer that never waits for its reader: a goroutine of its own hands on what was written, and what
// does not fit is dropped and counted. A container's stdout blocks once nobody reads it, and the proxy must not.
type queue struct {
	out   io.Writer
	limit int
	// pause lets lines gather, so that many of them cost one system call.
	pause time.Duration
	// notice words the number of dropped lines; nil leaves it to takeDropped.
	notice func(dropped int64) []byte

	mu      sync.Mutex
	pending []byte
	dropped int64

	wake    chan struct{}
	closing chan struct{}
	done    chan struct{}
	once    sync.Once
}

func newQueue(out io.Writer, limit int, pause time.Duration, notice func(int64) []byte) *queue {
	q := &queue{
		out: out, limit: limit, pause: pause, notice: notice,
		wake: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}),
	}
	go q.run()
	return q
}

// Write takes one whole line, or drops it. It never fails, since nobody could do anything about it.
func (q *queue) Write(line []byte) (int, error) {
	q.offer(line)
	return len(line), nil
}

// offer is Write that tells whether the line was taken.
func (q *queue) offer(line []byte) bool {
	return q.offerSpare(line, 0) || q.drop()
}

// offerSpare is offer that leaves some room for others, and neither drops nor counts a line that there is no room for.
func (q *queue) offerSpare(line []byte, room int) bool {
	taken := q.append(line, room)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return taken
}

// drop counts a line that there was no room for.
func (q *queue) drop() (taken bool) {
	q.addDropped(1)
	return false
}

func (q *queue) append(line []byte, room int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pending)+len(line) > q.limit-room {
		return false
	}
	if q.dropped > 0 && q.notice != nil {
		q.pending = append(q.pending, q.notice(q.dropped)...)
		q.dropped = 0
	}
	q.pending = append(q.pending, line...)
	return true
}

// takeDropped returns how many lines were dropped since the last call.
func (q *queue) takeDropped() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.dropped
	q.dropped = 0
	return n
}

// addDropped gives back a count that could not be told.
func (q *queue) addDropped(n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped += n
}

func (q *queue) run() {
	defer close(q.done)
	var spare []byte
	for {
		select {
		case <-q.wake:
			q.gather()
			spare = q.hand(spare)
		case <-q.closing:
			q.hand(spare)
			return
		}
	}
}

// gather waits for the pause to be over, or for the end.
func (q *queue) gather() {
	if q.pause == 0 {
		return
	}
	timer := time.NewTimer(q.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-q.closing:
	}
}

// hand writes all that is pending in one call and returns the buffer for the next lines but one.
func (q *queue) hand(spare []byte) []byte {
	q.mu.Lock()
	batch := q.pending
	q.pending = spare[:0]
	q.mu.Unlock()
	if len(batch) > 0 {
		// When the stream is broken there is nobody left to tell.
		_, _ = q.out.Write(batch)
	}
	return batch
}

// close hands on what is pending, but does not wait for a stalled reader longer than flushPatience.
func (q *queue) close() {
	q.once.Do(func() { close(q.closing) })
	timer := time.NewTimer(flushPatience)
	defer timer.Stop()
	select {
	case <-q.done:
	case <-timer.C:
	}
}
