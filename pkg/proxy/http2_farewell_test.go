package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"credproxy.dev/controller/pkg/routetable"
)

// TestConnectionsOfHTTP2AreToldToGo says farewell to one without a request, and to one with a stream that goes on.
func TestConnectionsOfHTTP2AreToldToGo(t *testing.T) {
	var streaming io.WriteCloser
	upstream := func(*http.Request) io.ReadCloser {
		body, to := io.Pipe()
		streaming = to
		return body
	}
	onPipes(t, internal(), upstream, func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		idle, busy := newFramed(t, network.dial(t)), newFramed(t, network.dial(t))
		busy.ask(1, "/r/x", true)
		if got := busy.status(1); got != "200" {
			t.Fatalf("status %s", got)
		}
		s.signals <- syscall.SIGTERM
		s.wantReport(t, unasked(1, "draining"))
		go s.listen()
		left := time.Now()
		for name, f := range map[string]*framed{"idle": idle, "busy": busy} {
			if code := f.goAway().ErrCode; code != http2.ErrCodeNo || time.Since(left) != 0 {
				t.Errorf("the %s one is told to go with %v after %v", name, code, time.Since(left))
			}
		}
		idle.ends()
		<-time.After(idleGrace + newGrace)
		_, _ = io.WriteString(streaming, "still here")
		_ = streaming.Close()
		data := busy.next(func(frame http2.Frame) bool { _, ok := frame.(*http2.DataFrame); return ok })
		if data == nil || string(data.(*http2.DataFrame).Data()) != "still here" {
			t.Errorf("the stream gave %v", data)
		}
		busy.ends()
		if err := <-s.done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

// TestNobodyIsLostOverHTTP2 says farewell to clients in the midst of their requests. What the last words of a connection do not exclude
// is answered; the rest was not begun, and may be asked elsewhere.
func TestNobodyIsLostOverHTTP2(t *testing.T) {
	upstream := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	var all []*started
	for range 5 {
		all = append(all, farewellTo(t, upstream, func(addr string, served *atomic.Int64) error {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
				return err
			}
			return newFramed(t, conn).askOn(served)
		}))
	}
	allEnded(t, all)
}

// askOn makes one request after the other until it is told to go.
func (f *framed) askOn(served *atomic.Int64) error {
	told := false
	for stream := uint32(1); !told; stream += 2 {
		if err := f.WriteHeaders(wholeHeader(stream, f.encode(request("/r")...))); err != nil {
			return err
		}
		answered := false
		for !answered {
			frame, err := f.ReadFrame()
			if err != nil {
				return fmt.Errorf("request %d: %w", stream, err)
			}
			switch frame := frame.(type) {
			case *http2.GoAwayFrame:
				told = true
				answered = frame.LastStreamID < stream
			case *http2.MetaHeadersFrame:
				if got := frame.PseudoValue("status"); got != "200" {
					return fmt.Errorf("request %d: status %s", stream, got)
				}
			case *http2.DataFrame:
				answered = frame.StreamEnded()
			}
		}
		served.Add(1)
	}
	return nil
}

// TestTakingATokenAwayCutsStreamsOfHTTP2: whichever of a connection's requests is on the route, before or behind others.
func TestTakingATokenAwayCutsStreamsOfHTTP2(t *testing.T) {
	for name, paths := range map[string][]string{
		"alone": {"/taken"}, "before others": {"/taken", "/kept", "/kept"}, "behind others": {"/kept", "/kept", "/taken"},
		"behind one that has ended": {"/short", "/taken"}, "before one that has ended": {"/taken", "/short"},
	} {
		t.Run(name, func(t *testing.T) {
			begun, gone := make(chan struct{}), make(chan string, len(paths)+1)
			upstream := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/short") {
					return
				}
				_ = http.NewResponseController(w).Flush()
				begun <- struct{}{}
				<-r.Context().Done()
				gone <- r.URL.Path
			})
			route := func(path string) routetable.Route {
				return routetable.Route{Path: path, Upstream: upstream + path, Auth: bearer()}
			}
			s := start(t, newMachine(internal()), nil)
			taken := route("/taken")
			s.push(t, seal(t, 1, taken, route("/kept"), route("/short")))
			s.wantReport(t, ready(1))
			f, other := newFramed(t, dial(t, s.addr(internal()))), newFramed(t, dial(t, s.addr(internal())))
			for i, path := range paths {
				stream := uint32(1 + 2*i)
				f.ask(stream, path, true)
				if path != "/short" {
					<-begun
				} else if got := f.status(stream); got != "200" {
					t.Fatalf("status %s", got)
				}
			}
			other.ask(1, "/kept", true)
			<-begun
			taken.Auth, taken.Withheld = nil, routetable.WithheldRevoked
			s.reload(t, 2, taken, route("/kept"), route("/short"))
			for ended := ""; ended != "/taken"; {
				ended = <-gone
			}
			f.ends()
			other.ask(3, "/short", true)
			if got := other.status(3); got != "200" {
				t.Errorf("another connection gets %s", got)
			}
		})
	}
}
