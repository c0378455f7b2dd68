package proxy

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// idleGrace is how long a connection between two requests may stay in order to send the next one, which is
	// answered with Connection: close. To close it earlier could meet that request on its way.
	idleGrace = time.Second
	// newGrace is the same for a connection from which no whole request has come yet.
	newGrace = 5 * time.Second
	// seeOffPoll is how often the remaining connections are looked at.
	seeOffPoll = 10 * time.Millisecond
)

// visitors are the connections that http.Server holds. One that was taken over by a tunnel is none any more.
type visitors struct {
	mu      sync.Mutex
	present map[net.Conn]visit
}

// visit is what a connection does, and since when.
type visit struct {
	state http.ConnState
	since time.Time
}

func newVisitors() *visitors { return &visitors{present: map[net.Conn]visit{}} }

// note keeps what a connection does.
func (v *visitors) note(conn net.Conn, state http.ConnState) {
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if state == http.StateClosed || state == http.StateHijacked {
		delete(v.present, conn)
		return
	}
	v.present[conn] = visit{state, now}
}

// seeOff waits until all have gone, and closes those that stay without asking for anything.
func (v *visitors) seeOff(ctx context.Context, g grace) error {
	again := time.NewTicker(seeOffPoll)
	defer again.Stop()
	for !v.closeSilent(g) {
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// closeSilent reports whether nobody is left.
func (v *visitors) closeSilent(g grace) bool {
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	for conn, visit := range v.present {
		if g.isOver(visit, now) {
			// Its goroutine finds out, and notes that it is closed.
			_ = conn.Close()
		}
	}
	return len(v.present) == 0
}

// grace is how much longer connections may stay that send nothing.
type grace struct {
	began time.Time
	// idle is for those between two requests, fresh for those before the first.
	idle, fresh time.Duration
}

// graceFor leaves time for what they send in the end.
func graceFor(began time.Time, drainTimeout time.Duration) grace {
	return grace{began: began, idle: min(idleGrace, drainTimeout/2), fresh: min(newGrace, drainTimeout/2)}
}

func (g grace) isOver(v visit, now time.Time) bool {
	switch v.state {
	case http.StateIdle:
		return now.Sub(v.since) >= g.idle && now.Sub(g.began) >= g.idle
	case http.StateNew:
		return now.Sub(v.since) >= g.fresh && now.Sub(g.began) >= g.idle
	}
	return false
}
