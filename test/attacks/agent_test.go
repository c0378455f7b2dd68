package attacks

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// agent is one connection of whoever asks the sidecar.
type agent struct {
	t    testing.TB
	conn net.Conn
	from *bufio.Reader
	// got is every byte that came.
	got *strings.Builder
	// gone is closed when it hangs up.
	gone      chan struct{}
	hungUp    bool
	trickling sync.WaitGroup
	// sent is closed once all was written so far.
	sent chan struct{}
}

// entrance is the sidecar's door, once it is open.
func (s *scene) entrance() door {
	s.t.Helper()
	if s.door == nil {
		select {
		case s.door = <-s.network.opened:
		case <-time.After(patience):
			text, _ := s.log.read()
			s.t.Fatalf("nothing listens: %s", text)
		}
	}
	return s.door
}

// connect opens a connection.
func (s *scene) connect() *agent {
	s.t.Helper()
	conn, err := s.entrance().dial()
	if err != nil {
		s.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(s.patience()))
	a := &agent{t: s.t, conn: conn, got: &strings.Builder{}, gone: make(chan struct{})}
	a.from = bufio.NewReader(io.TeeReader(conn, a.got))
	s.cast = append(s.cast, a)
	return a
}

// hold connects, sends something, and stays for as long as it may.
func hold(door door, text string) {
	if conn, err := door.dial(); err == nil {
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
}

// patience is longer where time jumps.
func (s *scene) patience() time.Duration {
	if s.network.piped {
		return time.Hour
	}
	return patience
}

// send writes bytes as they are. It does not wait: whoever is asked may answer first, or hang up.
func (a *agent) send(text string) *agent {
	done := make(chan struct{})
	before := a.sent
	a.sent = done
	go func() {
		defer close(done)
		if before != nil {
			<-before
		}
		_, _ = io.WriteString(a.conn, text)
	}()
	return a
}

// trickle sends a text every second, until the connection is closed.
func (a *agent) trickle(text string) {
	a.trickling.Go(func() {
		for {
			select {
			case <-time.After(time.Second):
				_, _ = io.WriteString(a.conn, text)
			case <-a.gone:
				return
			}
		}
	})
}

// answer is what came in answer to a request.
type answer struct {
	// status is that of the answer, with the code of a refusal of the sidecar's own behind it: "400 bad_path".
	status  string
	header  http.Header
	body    string
	trailer http.Header
	last    bool
}

// answer reads one, of a request of a method; its status is empty when the connection has ended.
func (a *agent) answer(method string) answer {
	a.t.Helper()
	for {
		res, err := http.ReadResponse(a.from, &http.Request{Method: method})
		if err != nil {
			a.mustHaveEnded(err)
			return answer{last: true}
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		status := strconv.Itoa(res.StatusCode)
		if code := res.Header.Get(routetable.FieldError); code != "" {
			status += " " + code
		}
		if err != nil && !(res.ContentLength < 0 && len(res.TransferEncoding) == 0 && errors.Is(err, syscall.ECONNRESET)) {
			status += " " + broken
		}
		return answer{status, res.Header, string(body), res.Trailer, res.Close || err != nil}
	}
}

// mustHaveEnded tells the end of a connection from an answer that is none.
func (a *agent) mustHaveEnded(err error) {
	a.t.Helper()
	var refused net.Error
	switch {
	case errors.As(err, &refused) && refused.Timeout():
		a.t.Errorf("nothing came for %v, after %q", patience, a.got)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe), errors.As(err, &refused):
	default:
		a.t.Errorf("what came is no answer: %v: %q", err, a.got)
	}
}

// end reads to the end of the connection, and returns what came until then.
func (a *agent) end() string {
	a.t.Helper()
	rest, err := io.ReadAll(a.from)
	if err != nil {
		a.mustHaveEnded(err)
	}
	return string(rest)
}

// close hangs up.
func (a *agent) close() {
	if !a.hungUp {
		a.hungUp = true
		close(a.gone)
	}
	_ = a.conn.Close()
	a.trickling.Wait()
	if a.sent != nil {
		<-a.sent
	}
}

// head writes a header by its lines, the request's first.
func head(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" }

// get is an honest request's header, and more lines.
func get(target string, more ...string) string {
	return head(append([]string{"GET " + target + " HTTP/1.1", "Host: cred-proxy:9099"}, more...)...)
}

// post is a request with a body whose length is told.
func post(target, body string, more ...string) string {
	return head(append([]string{"POST " + target + " HTTP/1.1", "Host: cred-proxy:9099", "Content-Length: " + strconv.Itoa(len(body))}, more...)...) + body
}

// chunked is the header of a request whose body comes in chunks, and what follows it.
func chunked(target, body string, more ...string) string {
	return head(append([]string{"POST " + target + " HTTP/1.1", "Host: cred-proxy:9099", "Transfer-Encoding: chunked"}, more...)...) + body
}
