package proxy

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestEnvironmentHasNoSayInWhereRequestsGo(t *testing.T) {
	if mustTransport(anywhere()).Proxy != nil {
		t.Error("HTTPS_PROXY would be followed")
	}
}

// oneConn is a listener of a single connection.
type oneConn struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l oneConn) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l oneConn) Close() error {
	close(l.done)
	return nil
}

func (oneConn) Addr() net.Addr { return &net.TCPAddr{} }

func TestDribbledHeaderIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := oneConn{make(chan net.Conn), make(chan struct{})}
		server := newServer(t.Context(), http.NotFoundHandler(), slog.New(slog.DiscardHandler))
		go func() { _ = server.Serve(listener) }()
		client, conn := net.Pipe()
		listener.conns <- conn
		begun := time.Now()
		write(t, client, "GET / HTTP/1.1\r\n")
		if _, err := io.ReadAll(client); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 2*readHeaderTimeout {
			t.Errorf("the connection was held for %s", took)
		}
		_ = client.Close()
		_ = server.Close()
	})
}
