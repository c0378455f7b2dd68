//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// engineProxy stands between a controller and its engine, and counts the calls that change something. Attached
// streams and events pass.
type engineProxy struct {
	socket string

	mu sync.Mutex
	// armed is the call to strike at, counted from 1; 0 is none.
	armed int
	// after tells whether to strike when the engine has answered, or before it is asked.
	after bool
	// calls are those counted since it was armed.
	calls []string
	// strike is called when that call comes, and struck is closed when it has returned.
	strike func()
	struck chan struct{}
	falls  bool
}

// errStruck is the answer to a call that the engine never saw.
var errStruck = errors.New("the controller was killed before this call")

// newEngineProxy listens on a socket of its own until the end of the story.
func newEngineProxy(t testing.TB) *engineProxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "proxy") //nolint:usetesting // the path of a socket has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &engineProxy{socket: filepath.Join(dir, "engine.sock")}
	network, address := engineAddress(t)
	straight := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	server := &http.Server{Handler: &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		Transport:     counting{p, straight},
		FlushInterval: -1, // events are worth nothing later
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}}
	listener, err := net.Listen("unix", p.socket)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		straight.CloseIdleConnections()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return p
}

// engineAddress is where the docker command finds its engine.
func engineAddress(t testing.TB) (network, address string) {
	t.Helper()
	host := docker(t, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
	network, address, _ = strings.Cut(host, "://")
	if network != "unix" && network != "tcp" {
		t.Fatalf("this story needs an engine on a unix or tcp socket, not on %s", host)
	}
	return network, address
}

func (p *engineProxy) host() string { return "unix://" + p.socket }

// arm has the nth call from now on struck, before or after.
func (p *engineProxy) arm(n int, after bool, strike func()) (struck <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.after, p.calls, p.strike = n, after, nil, strike
	p.struck, p.falls = make(chan struct{}), false
	return p.struck
}

// disarm lets everything pass. It returns the calls since it was armed, and whether it came to the strike.
func (p *engineProxy) disarm() (calls []string, struck bool) {
	p.mu.Lock()
	p.armed = 0
	calls, struck = p.calls, p.falls
	p.mu.Unlock()
	if struck {
		<-p.struck
	}
	return calls, struck
}

// counting is the way to the engine.
type counting struct {
	proxy    *engineProxy
	straight http.RoundTripper
}

func (c counting) RoundTrip(req *http.Request) (*http.Response, error) {
	isLast := c.proxy.count(req)
	if isLast && !c.proxy.after {
		c.proxy.fall()
		return nil, errStruck
	}
	resp, err := c.straight.RoundTrip(req)
	if isLast {
		c.proxy.fall()
	}
	return resp, err
}

// count reports whether a call is the one to strike at.
func (p *engineProxy) count(req *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.armed == 0 || req.Method == http.MethodGet || req.Method == http.MethodHead {
		return false
	}
	p.calls = append(p.calls, fmt.Sprintf("%s %s", req.Method, withoutNames(req.URL.Path)))
	isLast := len(p.calls) == p.armed
	p.falls = p.falls || isLast
	return isLast
}

func (p *engineProxy) fall() {
	p.strike()
	close(p.struck)
}

// withoutNames is the kind of a call: its path without version, IDs and names.
func withoutNames(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) > 1 && strings.HasPrefix(parts[0], "v1.") {
		parts = parts[1:]
	}
	if len(parts) > 1 && parts[1] != "create" {
		parts[1] = "…"
	}
	return strings.Join(parts, "/")
}
