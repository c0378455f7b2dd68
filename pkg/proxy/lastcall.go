package proxy

import (
	"context"
	"net"
	"time"
)

const (
	// quietFor is how long nobody may have come in before the doorway is closed: many times what the last packet of a
	// handshake takes on a bridge, and as short as can be, since whoever knocks meanwhile waits for a second.
	quietFor = 50 * time.Millisecond
	// lastCallAtMost bounds the wait for that. It ends well before a client knocks again.
	lastCallAtMost = 250 * time.Millisecond
	// knocksAgain is when a client that nobody answered has tried once more (RFC 6298 section 2: after a second),
	// and some more.
	knocksAgain = 1100 * time.Millisecond
)

// lastCall closes the doorway without losing anybody who is in it: a socket that is closed resets the connections that
// it has not accepted yet. Somebody has to go on accepting until it returns. The end of ctx closes at once. It reports
// whether somebody knocked in vain, and is refused the next time, unless the whole network is gone by then.
func (d *doorway) lastCall(ctx context.Context) (knocked bool) {
	if d.stopHandshakes() {
		d.awaitQuiet(ctx)
		knocked = d.anySocket(turnedAway)
	}
	d.shutSockets()
	_ = d.Close()
	return knocked
}

// stopHandshakes reports whether there is anything to wait for. No socket is opened from now on.
func (d *doorway) stopHandshakes() (stopped bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
	d.calling.Do(func() { close(d.leaving) })
	for at, socket := range d.sockets {
		if err := stopHandshakes(socket); err != nil {
			d.log.Warn("connections that are just being made may be reset", "interface", at.Name, "error", err)
			continue
		}
		stopped = true
	}
	return stopped
}

// hear undoes what a connection may have inherited from its socket.
func (d *doorway) hear(conn net.Conn) {
	select {
	case <-d.leaving:
	default:
		return
	}
	if err := hear(conn); err != nil {
		d.log.Warn("a connection may not be heard", "error", err)
	}
}

func (d *doorway) awaitQuiet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastCallAtMost)
	defer cancel()
	quiet := time.NewTimer(quietFor)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.arrived:
		case <-quiet.C:
			// A process that was held up has seen nobody come, but the kernel has.
			if !d.anySocket(queued) {
				return
			}
		}
		quiet.Reset(quietFor)
	}
}

// anySocket reports whether something is true of a socket. What cannot be found out is not.
func (d *doorway) anySocket(is func(net.Listener) (bool, error)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, socket := range d.sockets {
		if yes, err := is(socket); yes && err == nil {
			return true
		}
	}
	return false
}
