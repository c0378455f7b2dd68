package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// tunnel is a client's connection that carries another protocol than HTTP from now on. It counts both ways.
type tunnel struct {
	net.Conn
	read, written atomic.Int64
	idle          *watch
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

// switchOver joins client and upstream, once the upstream has agreed to a WebSocket.
func (h *Handler) switchOver(e *exchange, rt *route, out *http.Request, res *http.Response) {
	err := rt.receive(res)
	upstream, ok := res.Body.(io.ReadWriteCloser)
	if err == nil && !(ok && isHandshake(out.Header) && isHandshake(res.Header)) {
		err = errNoSwitch
	}
	if err != nil {
		rt.fail(e, out, err)
		return
	}
	client, err := e.takeOver(res)
	if err != nil {
		return // the connection is lost, and nobody can be told
	}
	defer client.Close()
	// Nobody reads from what carries a tunnel but the tunnel, so that the end of the request has to end it too.
	defer context.AfterFunc(out.Context(), func() { _ = upstream.Close() })()
	h.buffers.join(client, upstream)
}

// takeOver takes the client's connection away from net/http, and writes the answer to it as it is.
func (e *exchange) takeOver(res *http.Response) (net.Conn, error) {
	conn, buffered, err := http.NewResponseController(e.ResponseWriter).Hijack()
	if err != nil {
		return nil, err
	}
	e.answer(http.StatusSwitchingProtocols)
	e.tunnel = &tunnel{Conn: conn, idle: e.idle}
	res.Body = nil
	res.Status = "" // the upstream's own words are searched by nobody
	if err := errors.Join(res.Write(buffered), buffered.Flush()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if e.scrub.stream != nil {
		return e.scrub.tunnel(e.tunnel), nil
	}
	return e.tunnel, nil
}

// isHandshake tells both halves of a WebSocket's handshake (RFC 6455 section 4).
func isHandshake(h http.Header) bool {
	return hasToken(h["Connection"], "upgrade") && strings.EqualFold(h.Get("Upgrade"), "websocket")
}

// join copies both ways until one breaks off, or both have ended.
func (b *buffers) join(client net.Conn, upstream io.ReadWriteCloser) {
	oneWay := func(to io.WriteCloser, from io.ReadCloser) {
		if b.copy(to, from) != nil {
			_, _ = from.Close(), to.Close() // who waits at the other end has to be told
		}
	}
	var there sync.WaitGroup
	there.Go(func() { oneWay(upstream, client) })
	oneWay(client, upstream)
	there.Wait()
}

// copy fails where only one direction of a connection cannot be ended.
func (b *buffers) copy(to io.Writer, from io.Reader) error {
	err := b.each(from, func(buffer []byte) error {
		_, err := to.Write(buffer[roomBytes:])
		return err
	})
	if err != nil {
		return err
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
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
