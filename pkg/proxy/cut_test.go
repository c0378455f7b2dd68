package proxy

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

// reload pushes a generation of other routes, and waits until it is served.
func (s *started) reload(t *testing.T, generation int64, routes ...routetable.Route) {
	t.Helper()
	s.push(t, seal(t, generation, routes...))
	s.signals <- syscall.SIGHUP
	s.wantReport(t, routetable.Report{Event: routetable.EventReloaded, Generation: generation, Serving: true})
}

func TestAWithheldRouteSaysWhy(t *testing.T) {
	for why, says := range map[routetable.Withheld]string{
		routetable.WithheldMissing:   "the controller's status says which one is missing",
		routetable.WithheldSuspended: "suspended",
		routetable.WithheldRevoked:   "revoked",
		routetable.WithheldDenied:    "policy",
	} {
		t.Run(string(why), func(t *testing.T) {
			upstream := newRecorder(t)
			proxy := serve(t,
				routetable.Route{Path: "/r", Upstream: upstream.URL, Withheld: why},
				routetable.Route{Path: "/other", Upstream: upstream.URL, Auth: bearer()})
			res, body := get(t, proxy.url("/r/x"))
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get(routetable.FieldError) != "no_token" || !strings.Contains(body, says) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			if len(upstream.all()) != 0 {
				t.Error("the request went upstream")
			}
			if res, _ := get(t, proxy.url("/other/x")); res.StatusCode != http.StatusOK {
				t.Errorf("another route answers %d", res.StatusCode)
			}
		})
	}
}

// A stream that began with a token ends when the token is taken away, whatever was pushed since; one of another route goes on.
func TestTakingATokenAwayCutsWhatIsInFlight(t *testing.T) {
	upstream, handshakes := echo(t)
	gone := make(chan struct{})
	endless := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begun\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	})
	s := start(t, newMachine(internal()), nil)
	kept := routetable.Route{Path: "/kept", Upstream: upstream, Auth: bearer()}
	tunnel := routetable.Route{Path: "/tunnel", Upstream: upstream, Auth: bearer()}
	stream := routetable.Route{Path: "/stream", Upstream: endless, Auth: bearer()}
	renamed := routetable.Route{Path: "/renamed", Upstream: upstream, Auth: bearer()}
	s.push(t, seal(t, 1, kept, tunnel, stream, renamed))
	s.wantReport(t, ready(1))

	upgraded := func(path string) *bufio.ReadWriter {
		conn := dial(t, s.addr(internal()))
		write(t, conn, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		from := bufio.NewReader(conn)
		<-handshakes
		wantSwitch(t, from)
		return bufio.NewReadWriter(from, bufio.NewWriter(conn))
	}
	onKept, onTunnel, onRenamed := upgraded("/kept"), upgraded("/tunnel"), upgraded("/renamed")
	streaming := dial(t, s.addr(internal()))
	write(t, streaming, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
	fromStream := bufio.NewReader(streaming)
	eventually(t, "the stream has begun", func() bool {
		line, err := fromStream.ReadString('\n')
		return err != nil || strings.Contains(line, "begun")
	})

	renamed.Path = "/new-name"
	s.reload(t, 2, kept, tunnel, stream, renamed)
	tunnel.Auth, tunnel.Withheld = nil, routetable.WithheldRevoked
	stream.Auth, stream.Withheld = nil, routetable.WithheldSuspended
	renamed.Auth, renamed.Withheld = nil, routetable.WithheldDenied
	s.reload(t, 3, kept, tunnel, stream, renamed)

	<-gone
	// Each of these reads to the end, which has to come.
	for _, end := range []io.Reader{onTunnel, fromStream, onRenamed} {
		_, _ = io.Copy(io.Discard, end)
	}
	_, _ = onKept.WriteString(frame("still here\n"))
	_ = onKept.Flush()
	if line, err := onKept.ReadString('\n'); line != frame("still here\n") {
		t.Errorf("the tunnel of a route that keeps its token was cut: %q, %v", line, err)
	}
}
