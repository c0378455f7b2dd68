package page

import "sync"

// Bell tells those who wait that something has changed, and not what. The zero Bell can be used.
type Bell struct {
	mu    sync.Mutex
	rings uint64
	next  chan struct{}
}

// Ring wakes everybody who waits. It does not wait for them.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rings++
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}

// Next is closed when the bell is rung next; rings is how often it was before.
func (b *Bell) Next() (rings uint64, next <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.rings, b.next
}
