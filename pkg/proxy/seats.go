package proxy

import (
	"errors"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// How many connections are read at a time, tunnels among them, and requests over HTTP/2, depends on the memory that there is. Each can
// make a sidecar hold some 90 KiB: a header of the most bytes, an upstream's connection with TLS, and a piece of a response that its
// client does not read.
const (
	bytesForConnection = 128 << 10
	// usualConnections are those of 64 MiB, the default.
	usualConnections                   = 512
	fewestConnections, mostConnections = 64, 4096
)

// connectionsIn is how many connections fit into a soft limit of memory, which is four fifths of the hard one (MemoryLimit). With 0, or
// none that anybody could reach, they are the usual ones.
func connectionsIn(softLimit int64) int {
	if softLimit <= 0 || softLimit > math.MaxInt64/2 {
		return usualConnections
	}
	// Rounded, so that what the limit lost in the division is nobody's seat.
	fit := (softLimit/4*5 + bytesForConnection/2) / bytesForConnection
	return int(min(max(fit, fewestConnections), mostConnections))
}

const (
	// ownBufferBytes is the size of net/http's buffer for a connection. Larger ones are for bodies.
	ownBufferBytes = 4 << 10
	// pieceBytes holds most headers.
	pieceBytes = 1 << 10
)

// seat waits until there is room for a connection; false when the doorway was closed meanwhile.
//
// Whoever comes to a full house waits, unread, and behind it others in the socket's queue: to close a connection at
// once would lose a request that its client has sent along, and the wait is short, since those who do not finish a
// header are shown out. At the last call everybody is let in, however full it is: those who have seats might keep them
// until the sidecar is gone, and who waits in the doorway would be lost. Nobody new can come then, so that these are
// the socket's queue and no more.
func (d *doorway) seat(conn net.Conn) (net.Conn, bool) {
	g := &guest{Conn: conn, doorway: d}
	free := func() {}
	select {
	case d.seats <- struct{}{}:
		free = func() { <-d.seats }
	case <-d.leaving:
	case <-d.closed:
		return nil, false
	}
	g.leave = sync.OnceFunc(func() {
		d.guests.leave(g)
		free()
	})
	d.guests.enter(g)
	return g, true
}

// guest is a connection that has a seat until it is closed.
type guest struct {
	net.Conn
	doorway *doorway
	leave   func()
	// header is that of the request which is read, or was read last.
	header header
	// greeting tells whether the connection is one of HTTP/2.
	greeting greeting
	// own is where its request is, and others where those over HTTP/2 are.
	own    seat
	mu     sync.Mutex
	others map[*seat]struct{}
	// until is when the body of the last request has to be there, in nanoseconds since 1970; 0 before its answer.
	until atomic.Int64
}

// next is http.Server's notice that the next request may come.
func (g *guest) next() {
	if !g.greeting.framed() {
		g.header = g.header.after()
	}
}

// Read fails in a header of too many fields, to which net/http answers 400. It fills buffers of net/http's own by pieces:
// what they take in behind the end of a request is the beginning of a header of which no field is counted. Frames of HTTP/2 are
// not for it to judge.
func (g *guest) Read(b []byte) (int, error) {
	if g.greeting.framed() {
		return g.Conn.Read(b)
	}
	if len(b) <= ownBufferBytes {
		b = b[:min(len(b), pieceBytes)]
	}
	n, err := g.Conn.Read(b)
	g.greeting.read(b[:n])
	if tooMany := g.header.read(b[:n]); tooMany != nil {
		return 0, tooMany
	}
	return n, err
}

// leaveBy has the connection end at a time, whatever net/http has in mind with it. Its last answer has been given.
func (g *guest) leaveBy(t time.Time) {
	g.until.Store(t.UnixNano())
	_ = g.Conn.SetReadDeadline(t)
}

// SetReadDeadline is net/http's. Behind an answer it breaks off a read that is underway, lifts every deadline, and reads the rest of the
// body: that would be for ever, and the client that still sends would be cut off.
func (g *guest) SetReadDeadline(t time.Time) error {
	if until := g.until.Load(); until != 0 {
		t = time.Unix(0, until)
	}
	return g.Conn.SetReadDeadline(t)
}

// Close frees the seat.
func (g *guest) Close() error {
	defer g.leave()
	return g.Conn.Close()
}

// CloseWrite is for net/http, which ends the last answer of a connection with it so that the client can read it all,
// and for tunnels of which one direction ends.
func (g *guest) CloseWrite() error {
	if half, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
