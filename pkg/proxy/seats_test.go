package proxy

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// fill takes every seat but some.
func fill(t *testing.T, network *pipes, but int) (all []*talk) {
	t.Helper()
	for range usualConnections - but {
		all = append(all, newTalk(network.dial(t)))
	}
	return all
}

// askInTheBackground sends a request and tells whether its answer is the last one of the connection.
func askInTheBackground(t *testing.T, c *talk) <-chan bool {
	t.Helper()
	answered := make(chan bool, 1)
	go func() { answered <- c.ask(t) }()
	synctest.Wait()
	return answered
}

func TestWhoComesToAFullHouseWaitsUntilSomebodyLeaves(t *testing.T) {
	onPipes(t, internal(), ok, func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		seated := fill(t, network, 0)
		for _, c := range seated {
			c.ask(t)
		}
		answered := askInTheBackground(t, newTalk(network.dial(t)))
		select {
		case <-answered:
			t.Error("there are more seats than there should be")
		default:
		}
		if seated[1].ask(t) {
			t.Error("who has a seat is sent away")
		}
		_ = seated[0].Close()
		<-answered
	})
}

func TestSlowHeadersKeepNobodyOutForLong(t *testing.T) {
	onPipes(t, internal(), ok, func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		begun := time.Now()
		for i, c := range fill(t, network, 0) {
			if i%2 == 0 {
				write(t, c, "GET /r HTTP/1.1\r\nHost: a\r\nX-A: "+strings.Repeat("a", 8<<10))
			}
		}
		newTalk(network.dial(t)).ask(t)
		if after := time.Since(begun); after > readHeaderTimeout {
			t.Errorf("it took %v", after)
		}
	})
}

func TestFarewellLetsInWhoWaitsForASeat(t *testing.T) {
	onPipes(t, internal(), ok, func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		seated := fill(t, network, 0)
		for _, c := range seated {
			c.ask(t)
		}
		answered := askInTheBackground(t, newTalk(network.dial(t)))
		s.signals <- syscall.SIGTERM
		s.wantReport(t, unasked(1, "draining"))
		if last := <-answered; !last {
			t.Error("the last answer does not say so")
		}
		if !seated[0].ask(t) {
			t.Error("the last answer to who had a seat does not say so")
		}
		if err := <-s.done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

func TestSeatIsFreedOnce(t *testing.T) {
	d := newDoorway(newMachine(), usualConnections, &guests{}, slog.New(slog.DiscardHandler))
	ours, theirs := net.Pipe()
	defer func() { _ = ours.Close() }()
	for _, conn := range []net.Conn{ours, theirs} {
		if _, ok := d.seat(conn); !ok {
			t.Fatal("there is no seat")
		}
	}
	g, _ := d.seat(theirs)
	for range 3 {
		_ = g.Close()
	}
	if taken := len(d.seats); taken != 2 {
		t.Errorf("%d seats are taken, not 2", taken)
	}
}

func TestTunnelCanBeClosedByHalf(t *testing.T) {
	upstream, _ := echo(t)
	s := start(t, newMachine(internal()), nil)
	s.push(t, seal(t, 1, routeTo(upstream)))
	s.wantReport(t, ready(1))
	conn := newTalk(dial(t, s.addr(internal())))
	write(t, conn, "GET /r HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	wantSwitch(t, conn.from)
	half, can := conn.Conn.(interface{ CloseWrite() error })
	if !can || half.CloseWrite() != nil {
		t.Fatal("the tunnel cannot be closed by half")
	}
	conn.over(t)
}

func TestEndlessFieldsAreCutOff(t *testing.T) {
	requests := map[string]struct {
		sent string
		want int
	}{
		"as many as may be":           {"GET /r HTTP/1.1\nHost: a\n" + fields(maxFields-1) + "\n", http.StatusOK},
		"one more":                    {"GET /r HTTP/1.1\nHost: a\n" + fields(maxFields), http.StatusBadRequest},
		"continued lines":             {"GET /r HTTP/1.1\nHost: a\nX-A: a\n" + strings.Repeat(" \n", maxFields), http.StatusBadRequest},
		"none are in a body":          {"POST /r HTTP/1.1\nHost: a\nContent-Length: 400\n\n" + strings.Repeat("\n", 200), http.StatusOK},
		"behind another request":      {"GET /r HTTP/1.1\nHost: a\n\nGET /r HTTP/1.1\nHost: a\n" + fields(4*maxFields), http.StatusBadRequest},
		"of two requests, not summed": {"GET /r HTTP/1.1\nHost: a\n" + fields(70) + "\nGET /r HTTP/1.1\nHost: a\n" + fields(70) + "\n", http.StatusOK},
	}
	for name, tt := range requests {
		t.Run(name, func(t *testing.T) {
			onPipes(t, internal(), ok, func(t *testing.T, s *started, network *pipes) {
				s.wantReport(t, ready(1))
				c := newTalk(network.dial(t))
				go func() { _, _ = io.WriteString(c, lines(tt.sent)) }()
				var res answer
				for range strings.Count(tt.sent, "HTTP/1.1") {
					res, _ = readResponse(t, c.from)
				}
				if res.StatusCode != tt.want {
					t.Errorf("status %d, not %d", res.StatusCode, tt.want)
				}
			})
		})
	}
}

// TestFieldsAreCountedWhereverAPieceEnds sends a header of which the beginning is read along with the request before it, up to any
// place in a line: no handler is to see it, which would have all of it in memory.
func TestFieldsAreCountedWhereverAPieceEnds(t *testing.T) {
	for pad := range len("X-100:\r\n") {
		onPipes(t, internal(), ok, func(t *testing.T, s *started, network *pipes) {
			s.wantReport(t, ready(1))
			c := newTalk(network.dial(t))
			go func() {
				_, _ = io.WriteString(c, lines("GET /r HTTP/1.1\nHost: a\n\nGET /r HTTP/1.1\nHost: "+strings.Repeat("a", pad)+"\n"+fields(6*maxFields)+"\n"))
			}()
			if res, _ := readResponse(t, c.from); res.StatusCode != http.StatusOK {
				t.Errorf("pad %d: the first request gets %d", pad, res.StatusCode)
			}
			rest, _ := io.ReadAll(c.from)
			if len(rest) > 0 && !strings.Contains(string(rest), "400 Bad Request") || strings.Contains(string(rest), "bad_request") {
				t.Errorf("pad %d: the second gets %q", pad, rest)
			}
		})
	}
}

func TestHeaderEndsWhereNetHTTPSeesItEnd(t *testing.T) {
	for sent, over := range map[string]bool{
		"GET / HTTP/1.1\r\n\r\n": true, "GET / HTTP/1.1\n\n": true, "GET / HTTP/1.1\r\nA: b\r\n": false,
		"GET / HTTP/1.1\r\n \r\n": false, "GET / HTTP/1.1\r\n\r\r\n": false, "GET / HTTP/1.1\r\n\rA\n": false,
	} {
		for piece := 1; piece <= len(sent); piece++ {
			var h header
			for rest := sent; rest != ""; {
				n := min(piece, len(rest))
				if err := h.read([]byte(rest[:n])); err != nil {
					t.Errorf("%q: %v", sent, err)
				}
				rest = rest[n:]
			}
			if h.over != over {
				t.Errorf("%q in pieces of %d: over is %v", sent, piece, h.over)
			}
		}
	}
}
