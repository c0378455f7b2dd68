package proxy

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
)

// tunnel is a client's connection that carries another protocol than HTTP from now on. It counts both ways.
type tunnel struct {
	net.Conn
	read, written atomic.Int64
	idle          *watch
}

// Hijack hands out the client's connection, once the upstream has agreed to another protocol: then httputil writes the answer to the
// connection itself.
func (e *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(e.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	e.answer(http.StatusSwitchingProtocols)
	e.tunnel = &tunnel{Conn: conn, idle: e.idle}
	if e.scrub.stream != nil {
		return e.scrub.tunnel(e.tunnel), buffered, nil
	}
	return e.tunnel, buffered, nil
}

// Read counts.
func (t *tunnel) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.pass(&t.read, n)
	return n, err
}

// Write counts.
func (t *tunnel) Write(b []byte) (int, error) {
	n, err := t.Conn.Write(b)
	t.pass(&t.written, n)
	return n, err
}

func (t *tunnel) pass(count *atomic.Int64, n int) {
	if n > 0 {
		count.Add(int64(n))
		t.idle.touch()
	}
}

// CloseWrite is for tunnels of which one direction ends.
func (t *tunnel) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// received is how many bytes of a body, or through a tunnel, came from the client.
func (e *exchange) received() int64 {
	n := e.upload.read.Load()
	if e.tunnel != nil {
		n += e.tunnel.read.Load()
	}
	return n
}

// sent is how many went to the client.
func (e *exchange) sent() int64 {
	if e.tunnel != nil {
		return e.tunnel.written.Load()
	}
	return e.written
}
