package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// fields are so many lines of a header, all of them different.
func fields(n int) string {
	var b strings.Builder
	for i := range n {
		_, _ = fmt.Fprintf(&b, "X-%d:\n", i)
	}
	return b.String()
}

func TestBrokenBodyIsTheClientsFaultAndTheLastOfItsConnection(t *testing.T) {
	upstream := newRecorder(t)
	for name, chunks := range map[string]string{
		"no length":        "zz\n",
		"a longer chunk":   "3\nabcdef\n0\n\n",
		"endless length":   "1;" + strings.Repeat("a", 5000) + "\n",
		"broken trailer":   "1\na\n0\nno colon\n\n",
		"after good ones":  "1\na\n-1\n\n",
		"negative at once": "-1\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			proxy := serve(t, routeTo(upstream.URL))
			conn := newTalk(dial(t, proxy.addr))
			write(t, conn, lines("POST /r/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n"+chunks+"GET /r/smuggled HTTP/1.1\nHost: a\n\n"))
			res, body := readResponse(t, conn.from)
			wantRefusal(t, res, body, http.StatusBadRequest, "bad_request")
			if !res.Close {
				t.Error("the connection is kept")
			}
			_, _ = io.Copy(io.Discard, conn.from)
			for _, got := range upstream.all() {
				if got.Target == "/smuggled" {
					t.Error("the rest of a broken body was taken for a request")
				}
			}
		})
	}
}

func TestUpstreamThatHangsUpDuringABodyIsItsOwnFault(t *testing.T) {
	upstream := rawUpstream(t, func(net.Conn, *http.Request) {})
	proxy := serve(t, routeTo(upstream))
	conn := dial(t, proxy.addr)
	write(t, conn, "POST /r/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
	// The answer begins after the rest was read, or its lack.
	go func() { _, _ = io.WriteString(conn, "defghij") }()
	res, body := readResponse(t, bufio.NewReader(conn))
	wantRefusal(t, res, body, http.StatusBadGateway, "upstream_unreachable")
}

// An upstream may answer before it has the whole body, and the client may wait for that with the rest. Nothing of either is lost.
func TestAnAnswerThatComesBeforeTheBodyIsPassedOnAtOnce(t *testing.T) {
	for name, body := range map[string][3]string{
		"length": {"Content-Length: 2", "a", "b"}, "chunks": {"Transfer-Encoding: chunked", "1\r\na\r\n", "1\r\nb\r\n0\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := serve(t, routeTo(newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
				c := http.NewResponseController(w)
				_ = c.EnableFullDuplex()
				_, _ = io.WriteString(w, "first ")
				_ = c.Flush()
				got, err := io.ReadAll(r.Body)
				_, _ = fmt.Fprintf(w, "%s %v", got, err)
			})))
			conn := dial(t, proxy.addr)
			write(t, conn, "POST /r/x HTTP/1.1\r\nHost: a\r\n"+body[0]+"\r\n\r\n"+body[1])
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			first := make([]byte, len("first "))
			if _, err := io.ReadFull(res.Body, first); err != nil {
				t.Fatal(err)
			}
			write(t, conn, body[2])
			if got, rest := readBody(t, res); rest != "ab <nil>" || !got.Close {
				t.Errorf("the rest is %q, and it is the last of the connection: %v", rest, got.Close)
			}
		})
	}
}

// The transport asks once more for a body whose length it has read. net/http may have closed that by then.
func TestABodyThatIsOverStaysSo(t *testing.T) {
	u := &upload{from: iotest.DataErrReader(strings.NewReader("all"))}
	for _, want := range []string{"all", "", ""} {
		b := make([]byte, 8)
		if n, err := u.Read(b); string(b[:n]) != want || !errors.Is(err, io.EOF) {
			t.Errorf("got %q, %v", b[:n], err)
		}
		u.from = iotest.ErrReader(http.ErrBodyReadAfterClose)
	}
}

// early is a transport whose upstream answers when it has read a header, and then reads on.
func early(answer string) *http.Transport {
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			from := bufio.NewReader(far)
			if _, err := http.ReadRequest(from); err != nil {
				return
			}
			_, _ = io.WriteString(far, answer)
			_, _ = io.Copy(io.Discard, from)
		}()
		return near, nil
	}}
}

const anEarlyRefusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge"

// A client that keeps a body back which nobody waits for any more is shown out.
func TestWhoKeepsABodyBackBehindItsAnswerIsShownOut(t *testing.T) {
	for _, framing := range []string{"Content-Length: 10", "Content-Length: 200000", "Content-Length: 1000000", "Transfer-Encoding: chunked"} {
		for name, path := range map[string]string{"answered": "/r", "refused": "/nowhere"} {
			for _, expects := range []string{"", "Expect: 100-continue\r\n"} {
				t.Run(name+" "+framing+" "+expects, func(t *testing.T) {
					upstream := early(anEarlyRefusal)
					onPipesTo(t, internal(), upstream, plainRoute(), func(t *testing.T, s *started, network *pipes) {
						defer upstream.CloseIdleConnections()
						s.wantReport(t, ready(1))
						c := newTalk(network.dial(t))
						write(t, c, "POST "+path+" HTTP/1.1\r\nHost: a\r\n"+framing+"\r\n"+expects+"\r\n")
						res, _ := readResponse(t, c.from)
						if res.StatusCode == http.StatusContinue { // the upstream's answer was a moment too late for that
							res, _ = readResponse(t, c.from)
						}
						if !res.Close {
							t.Error("the connection is said to go on")
						}
						if took := c.over(t); took > 2*bodyGrace {
							t.Errorf("it stays for %v", took)
						}
					})
				})
			}
		}
	}
}

// A client that reads no answer before it has sent all, as most do, is given the time for it.
func TestWhoSendsABodyBeforeItReadsTheEarlyAnswerGetsThat(t *testing.T) {
	for framing, piece := range map[string]string{
		"Content-Length: 40000": strings.Repeat("a", 2000), "Transfer-Encoding: chunked": "7d0\r\n" + strings.Repeat("a", 2000) + "\r\n",
	} {
		t.Run(framing, func(t *testing.T) {
			upstream := early(anEarlyRefusal)
			onPipesTo(t, internal(), upstream, plainRoute(), func(t *testing.T, s *started, network *pipes) {
				defer upstream.CloseIdleConnections()
				s.wantReport(t, ready(1))
				c := newTalk(network.dial(t))
				answered := make(chan int, 1)
				go func() { // a pipe takes nothing that nobody reads
					res, _ := readResponse(t, c.from)
					answered <- res.StatusCode
				}()
				write(t, c, "POST /r HTTP/1.1\r\nHost: a\r\n"+framing+"\r\n\r\n")
				for range 20 {
					<-time.After(50 * time.Millisecond)
					write(t, c, piece)
				}
				if framing == "Transfer-Encoding: chunked" {
					write(t, c, "0\r\n\r\n")
				}
				if status := <-answered; status != http.StatusRequestEntityTooLarge {
					t.Errorf("status %d", status)
				}
			})
		})
	}
}

func TestBodyThatTheTransportHasClosedIsNobodysFault(t *testing.T) {
	u := &upload{from: strings.NewReader("rest")}
	_ = u.Close()
	if n, err := u.Read(make([]byte, 4)); n != 0 || !errors.Is(err, errUploadOver) || u.failed.Load() {
		t.Errorf("got %d bytes, %v, failed: %v", n, err, u.failed.Load())
	}
}

// routeTo is the route /r with a token.
func routeTo(upstream string) routetable.Route {
	return routetable.Route{Path: "/r", Upstream: upstream, Auth: bearer()}
}
