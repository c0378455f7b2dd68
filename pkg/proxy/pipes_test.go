package proxy

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// pipes is a network in memory, so that stories on it can have a time of their own.
type pipes struct {
	mu      sync.Mutex
	now     []Place
	dialled chan net.Conn
	notices chan struct{}
}

func newPipes(at Place) *pipes {
	return &pipes{now: []Place{at}, dialled: make(chan net.Conn), notices: make(chan struct{}, 1)}
}

func (*pipes) Gateways() ([]netip.Addr, error) { return nil, nil }

func (p *pipes) Places() ([]Place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, nil
}

func (p *pipes) Changes(context.Context) (<-chan struct{}, error) { return p.notices, nil }

func (p *pipes) change(places ...Place) {
	p.mu.Lock()
	p.now = places
	p.mu.Unlock()
	p.notices <- struct{}{}
}

func (p *pipes) Listen(context.Context, Place, uint16) (net.Listener, error) {
	return &pipeListener{pipes: p, closed: make(chan struct{})}, nil
}

// dial connects from a neighbour on the internal network.
func (p *pipes) dial(t *testing.T) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _ = ours.Close() })
	p.dialled <- strangerConn{theirs, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: 1}}
	return ours
}

type pipeListener struct {
	*pipes
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.dialled:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// upstreamFunc answers in place of all upstreams.
type upstreamFunc func(*http.Request) io.ReadCloser

func (f upstreamFunc) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, ContentLength: -1, Body: f(r), Request: r}, nil
}

// onPipes starts a sidecar with one route, /r, and tells a story in synctest's time.
func onPipes(t *testing.T, at Place, upstream upstreamFunc, story func(*testing.T, *started, *pipes)) {
	t.Helper()
	onPipesTo(t, at, upstream, routetable.Route{Path: "/r", Upstream: "http://a.test"}, story)
}

// onPipesTo is the same for a route and an upstream of any kind.
func onPipesTo(t *testing.T, at Place, upstream http.RoundTripper, route routetable.Route, story func(*testing.T, *started, *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := newPipes(at)
		s := startOn(t, network, always(upstream), nil)
		s.push(t, seal(t, 1, route))
		story(t, s, network)
	})
}

// talk is one connection of a client.
type talk struct {
	net.Conn
	from *bufio.Reader
}

func newTalk(conn net.Conn) *talk { return &talk{conn, bufio.NewReader(conn)} }

// ask sends a request and returns whether the answer is the last one of the connection.
func (c *talk) ask(t *testing.T) (last bool) {
	t.Helper()
	write(t, c, "GET /r HTTP/1.1\r\nHost: a\r\n\r\n")
	res, body := readResponse(t, c.from)
	if res.StatusCode != http.StatusOK || body != "ok" {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
	return res.Close
}

// over waits for the end of the connection and returns how long that took.
func (c *talk) over(t *testing.T) time.Duration {
	t.Helper()
	begun := time.Now()
	if b, err := c.from.ReadByte(); err == nil {
		t.Errorf("something came after the end: %q", b)
	}
	return time.Since(begun)
}

func ok(*http.Request) io.ReadCloser { return io.NopCloser(strings.NewReader("ok")) }
