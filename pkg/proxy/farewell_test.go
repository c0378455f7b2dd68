package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	upstream := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		_, _ = io.WriteString(w, "done")
	})
	s := start(t, newMachine(internal()), nil)
	s.push(t, seal(t, 1, routetable.Route{Path: "/r", Upstream: upstream}))
	s.wantReport(t, ready(1))
	addr := s.addr(internal())
	idle, busy := dial(t, addr), dial(t, addr)
	write(t, busy, "GET /r/x HTTP/1.1\r\nHost: a\r\n\r\n")
	<-begun

	s.signals <- syscall.SIGTERM
	s.wantReport(t, unasked(1, "draining"))
	eventually(t, "new connections are refused", func() bool { return !reachable(addr) })
	s.signals <- syscall.SIGUSR1
	s.wantReport(t, unasked(1, "draining"))
	s.signals <- syscall.SIGHUP
	close(finish)
	res, body := readResponse(t, bufio.NewReader(busy))
	if body != "done" || !res.Close {
		t.Errorf("got %q, Connection: close %v", body, res.Close)
	}
	_ = idle.Close()
	if err := <-s.done; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestDrainWaitsForTunnelsAndASecondSignalEndsIt(t *testing.T) {
	upstream, _ := echo(t)
	s := start(t, newMachine(internal()), nil)
	s.push(t, seal(t, 1, routetable.Route{Path: "/r", Upstream: upstream}))
	s.wantReport(t, ready(1))
	conn := dial(t, s.addr(internal()))
	write(t, conn, "GET /r HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	from := bufio.NewReader(conn)
	wantSwitch(t, from)

	s.signals <- syscall.SIGTERM
	s.wantReport(t, unasked(1, "draining"))
	eventually(t, "it refuses connections", func() bool { return !reachable(s.addr(internal())) })
	write(t, conn, "still here\n")
	if line, err := from.ReadString('\n'); line != "still here\n" {
		t.Fatalf("the tunnel was cut: %q, %v", line, err)
	}
	s.signals <- syscall.SIGTERM
	if err := <-s.done; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := from.ReadByte(); err == nil {
		t.Error("the tunnel outlived the sidecar")
	}
}

func TestDrainEndsAfterItsTimeout(t *testing.T) {
	begun := make(chan struct{})
	upstream := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	})
	s := start(t, newMachine(internal()), map[string]string{routetable.DrainTimeoutVariable: "1ms"})
	s.push(t, seal(t, 1, routetable.Route{Path: "/r", Upstream: upstream}))
	s.wantReport(t, ready(1))
	write(t, dial(t, s.addr(internal())), "GET /r HTTP/1.1\r\nHost: a\r\n\r\n")
	<-begun
	s.signals <- syscall.SIGTERM
	s.wantReport(t, unasked(1, "draining"))
	if err := <-s.done; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if !strings.Contains(s.log.String(), "cut off") {
		t.Errorf("it is not said that requests were cut off: %s", s.log)
	}
}

func TestConnectionsMayAskOnceMoreBeforeTheyAreClosed(t *testing.T) {
	var body io.ReadCloser
	upstream := func(r *http.Request) io.ReadCloser {
		if r.URL.Path == "/stream" {
			return body
		}
		return ok(r)
	}
	onPipes(t, internal(), upstream, func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		pausing, silent, fresh := newTalk(network.dial(t)), newTalk(network.dial(t)), newTalk(network.dial(t))
		if pausing.ask(t) || silent.ask(t) {
			t.Error("a connection ends before the farewell")
		}
		var streaming io.WriteCloser
		body, streaming = io.Pipe()
		stream := newTalk(network.dial(t))
		write(t, stream, "GET /r/stream HTTP/1.1\r\nHost: a\r\n\r\n")
		begun, err := http.ReadResponse(stream.from, nil)
		if err != nil {
			t.Fatal(err)
		}

		s.signals <- syscall.SIGTERM
		s.wantReport(t, unasked(1, "draining"))
		left := time.Now()
		go s.listen() // what was counted is told in the end, and takes longer if nobody reads
		<-time.After(idleGrace * 9 / 10)
		if !pausing.ask(t) {
			t.Error("the last answer does not say so")
		}
		pausing.over(t)
		silent.over(t)
		if after := time.Since(left); after < idleGrace || after > idleGrace+seeOffPoll {
			t.Errorf("a silent connection was closed after %v", after)
		}
		<-time.After(idleGrace)
		_, _ = io.WriteString(streaming, "ok")
		_ = streaming.Close()
		if res, text := readBody(t, begun); res.Close || text != "ok" {
			t.Errorf("the stream gave %q, Connection: close %v", text, res.Close)
		}
		<-time.After(idleGrace / 2)
		if !stream.ask(t) {
			t.Error("the last answer behind a stream does not say so")
		}
		fresh.over(t)
		if err := <-s.done; err != nil || time.Since(left) > newGrace+seeOffPoll {
			t.Errorf("it ended with %v after %v", err, time.Since(left))
		}
	})
}

// TestNobodyIsLostWhoConnectsAnew says farewell to clients that connect as fast as they can. Whoever gets a
// connection gets an answer; the others are refused, and would ask the next address.
func TestNobodyIsLostWhoConnectsAnew(t *testing.T) {
	upstream := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	var all []*started
	for range 30 {
		all = append(all, farewellTo(t, upstream, func(addr string, served *atomic.Int64) error {
			for {
				conn, err := net.DialTimeout("tcp", addr, knock)
				switch {
				case errors.Is(err, syscall.ECONNREFUSED):
					return nil
				case unanswered(err):
					// Nobody answered the first knock; a patient client knocks again after a second.
					continue
				case err != nil:
					return err
				}
				_, err = exchangeOn(conn, bufio.NewReader(conn))
				_ = conn.Close()
				if err != nil {
					return err
				}
				served.Add(1)
			}
		}))
	}
	allEnded(t, all)
}

// TestNobodyIsLostWhoKeepsConnections is the same for clients that ask on as long as they are not told to go.
func TestNobodyIsLostWhoKeepsConnections(t *testing.T) {
	upstream := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	var all []*started
	for range 10 {
		all = append(all, farewellTo(t, upstream, func(addr string, served *atomic.Int64) error {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			from := bufio.NewReader(conn)
			for {
				last, err := exchangeOn(conn, from)
				if last || err != nil {
					return err
				}
				served.Add(1)
			}
		}))
	}
	allEnded(t, all)
}

const (
	clients = 4
	// knock is how long a client that is not answered waits before it tries again.
	knock = 100 * time.Millisecond
)

// farewellTo sends SIGTERM to a sidecar in the midst of its clients' requests and waits for their end.
func farewellTo(t *testing.T, upstream string, client func(addr string, served *atomic.Int64) error) *started {
	t.Helper()
	s := start(t, newMachine(internal()), nil)
	s.push(t, seal(t, 1, routetable.Route{Path: "/r", Upstream: upstream, Auth: bearer()}))
	s.wantReport(t, ready(1))
	var (
		running sync.WaitGroup
		served  [clients]atomic.Int64
	)
	for i := range served {
		running.Go(func() {
			if err := client(s.addr(internal()), &served[i]); err != nil {
				t.Errorf("a request was lost: %v", err)
			}
		})
	}
	for i := range served {
		eventually(t, "every client is served", func() bool { return served[i].Load() >= 10 })
	}
	s.signals <- syscall.SIGTERM
	s.wantReport(t, unasked(1, "draining"))
	running.Wait()
	return s
}

// allEnded waits for the end of sidecars.
func allEnded(t *testing.T, all []*started) {
	t.Helper()
	for round, s := range all {
		if err := <-s.done; err != nil {
			t.Errorf("round %d: it ended with %v", round, err)
		}
		if log := s.log.String(); strings.Contains(log, "may be reset") || strings.Contains(log, "cut off") {
			t.Errorf("round %d: not all went well: %s", round, log)
		}
	}
}

// unanswered reports whether a client has given up because nobody answered.
func unanswered(err error) bool {
	var failure net.Error
	return errors.As(err, &failure) && failure.Timeout()
}

// exchangeOn sends a request and reads its answer.
func exchangeOn(conn net.Conn, from *bufio.Reader) (last bool, err error) {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return false, err
	}
	if _, err := io.WriteString(conn, "GET /r HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		return false, err
	}
	res, err := http.ReadResponse(from, nil)
	if err != nil {
		return false, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err == nil && (res.StatusCode != http.StatusOK || string(body) != "ok") {
		err = fmt.Errorf("status %d, body %q", res.StatusCode, body)
	}
	return res.Close, err
}
