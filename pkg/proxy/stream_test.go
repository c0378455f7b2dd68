package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

func newUpstream(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func TestEachPieceArrivesBeforeTheNextIsSent(t *testing.T) {
	kinds := map[string]http.Header{
		"events":               {"Content-Type": {"text/event-stream"}},
		"body of no length":    {"Content-Type": {"application/octet-stream"}},
		"body of known length": {"Content-Length": {"16"}},
	}
	for name, header := range kinds {
		t.Run(name, func(t *testing.T) {
			next := make(chan struct{})
			proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
				for key, values := range header {
					w.Header()[key] = values
				}
				w.WriteHeader(http.StatusOK)
				for i := range 2 {
					_ = http.NewResponseController(w).Flush()
					<-next
					_, _ = fmt.Fprintf(w, "data: %d\n", i)
				}
			}), Auth: bearer()})
			res, err := http.Get(proxy.url("/r/x"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			// The header is there although the upstream waits with the first piece, and each piece although it
			// waits with the next. Were anything held back, this would never end.
			from := bufio.NewReader(res.Body)
			for i := range 2 {
				next <- struct{}{}
				line, err := from.ReadString('\n')
				if line != fmt.Sprintf("data: %d\n", i) {
					t.Fatalf("piece %d: %q, %v", i, line, err)
				}
			}
			http.DefaultClient.CloseIdleConnections()
		})
	}
}

func TestUploadIsStreamed(t *testing.T) {
	arrived := make(chan string)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(_ http.ResponseWriter, r *http.Request) {
		from := bufio.NewReader(r.Body)
		for range 2 {
			line, _ := from.ReadString('\n')
			arrived <- line
		}
	})})
	conn := dial(t, proxy.addr)
	write(t, conn, "PUT /r/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	for _, line := range []string{"a\n", "b\n"} {
		write(t, conn, "2\r\n"+line+"\r\n")
		if got := <-arrived; got != line {
			t.Errorf("%q arrived instead of %q", got, line)
		}
	}
	write(t, conn, "0\r\n\r\n")
	if res, _ := readResponse(t, bufio.NewReader(conn)); res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
}

func write(t testing.TB, conn io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func TestClientThatLeavesCancelsTheUpstream(t *testing.T) {
	begun, cancelled := make(chan struct{}), make(chan struct{})
	for name, early := range map[string]bool{"before the answer": true, "in the midst of the answer": false} {
		t.Run(name, func(t *testing.T) {
			proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
				if !early {
					_, _ = io.WriteString(w, "first")
					_ = http.NewResponseController(w).Flush()
				}
				begun <- struct{}{}
				<-r.Context().Done()
				cancelled <- struct{}{}
			})})
			conn := dial(t, proxy.addr)
			write(t, conn, "GET /r/x HTTP/1.1\r\nHost: a\r\n\r\n")
			<-begun
			_ = conn.Close()
			<-cancelled
			eventually(t, "the request is logged as cut off", func() bool { return strings.Contains(proxy.log.String(), `"error":"cut_off"`) })
		})
	}
}

func TestRedirectIsPassedBack(t *testing.T) {
	other := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/elsewhere", http.StatusTemporaryRedirect)
	}), Auth: bearer()})
	res, _ := get(t, proxy.url("/r/x"))
	if res.StatusCode != http.StatusTemporaryRedirect || res.Header.Get("Location") != other.URL+"/elsewhere" {
		t.Errorf("got %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if len(other.all()) != 0 {
		t.Error("the redirect was followed")
	}
}

func TestTrailersOfTheResponsePass(t *testing.T) {
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Announced")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Announced", "1")
		w.Header().Set(http.TrailerPrefix+"X-Sudden", "2")
	})})
	res, body := get(t, proxy.url("/r/x"))
	if body != "body" || res.Trailer.Get("X-Announced") != "1" || res.Trailer.Get("X-Sudden") != "2" {
		t.Errorf("got %q with trailers %v", body, res.Trailer)
	}
}

func TestExpectContinueIsAnswered(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()})
	conn := dial(t, proxy.addr)
	write(t, conn, lines("\nPOST /r/x HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 4\n\n"))
	from := bufio.NewReader(conn)
	if line, err := from.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	_, _ = from.ReadString('\n')
	write(t, conn, "body")
	if res, body := readResponse(t, from); res.StatusCode != http.StatusOK {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
	if got := upstream.only(t); got.Body != "body" {
		t.Errorf("the upstream received %+v", got)
	}
}

func TestEarlyHintsPass(t *testing.T) {
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a>")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusNoContent)
	})})
	conn := dial(t, proxy.addr)
	write(t, conn, "GET /r/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	all, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n") || !strings.Contains(string(all), "HTTP/1.1 204 ") {
		t.Errorf("got %q, %v", all, err)
	}
	if strings.Contains(proxy.log.String(), `"status":103`) {
		t.Errorf("an interim status is logged as the final one: %s", proxy.log)
	}
}

func TestOldClientIsServed(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()})
	res, body := raw(t, proxy.addr, "GET /r/x HTTP/1.0\r\n\r\n")
	if res.StatusCode != http.StatusOK || body != "upstream saw 1" {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
}

func TestCompressedBodyPassesAsItIs(t *testing.T) {
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("X-Accepted", r.Header.Get("Accept-Encoding"))
		_, _ = io.WriteString(w, "\x1f\x8bnot really")
	})})
	for _, accept := range []string{"", "gzip, br"} {
		res, body := get(t, proxy.url("/r/x"), "Accept-Encoding", accept)
		if body != "\x1f\x8bnot really" || res.Header.Get("Content-Encoding") != "gzip" || res.Header.Get("X-Accepted") != accept {
			t.Errorf("Accept-Encoding %q: got %q %v", accept, body, res.Header)
		}
	}
}

// echo is a WebSocket upstream as far as the proxy can see: it agrees, then returns what it gets.
func echo(t *testing.T) (url string, handshakes chan http.Header) {
	t.Helper()
	handshakes = make(chan http.Header, 1)
	return newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		handshakes <- r.Header.Clone()
		if r.Header.Get("Upgrade") == "" {
			return
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+r.Header.Get("Upgrade")+"\r\n\r\n")
		_, _ = io.Copy(conn, buffered)
	}), handshakes
}

// frame is a WebSocket's message as servers send it (RFC 6455 section 5.2), of at most 125 bytes.
func frame(text string) string { return "\x81" + string(rune(len(text))) + text }

func TestWebSocketPasses(t *testing.T) {
	upstream, handshakes := echo(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream, Auth: bearer()})
	conn := dial(t, proxy.addr)
	write(t, conn, lines("\nGET /r/x HTTP/1.1\nHost: a\nConnection: keep-alive, Upgrade\nUpgrade: WebSocket\nSec-WebSocket-Key: k\nAuthorization: evil\n\n"))
	from := bufio.NewReader(conn)
	wantSwitch(t, from)
	if got := (<-handshakes)["Authorization"]; len(got) != 1 || got[0] != "Bearer "+token {
		t.Errorf("the handshake had Authorization %q", got)
	}
	for _, word := range []string{frame("ping\n"), frame("pong\n")} {
		write(t, conn, word)
		if back, err := from.ReadString('\n'); back != word {
			t.Fatalf("got %q, %v", back, err)
		}
	}
	_ = conn.Close()
	proxy.tunnels.Wait()
}

func TestOtherUpgradesAreNotOffered(t *testing.T) {
	offers := map[string]string{
		"HTTP/2":              "GET /r/x HTTP/1.1\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n",
		"any":                 "GET /r/x HTTP/1.1\nConnection: Upgrade\nUpgrade: tcp\n",
		"WebSocket among two": "GET /r/x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket, h2c\n",
		"WebSocket and h2c":   "GET /r/x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket\nUpgrade: h2c\n",
		"WebSocket by POST":   "POST /r/x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket\nContent-Length: 0\n",
		"not by Connection":   "GET /r/x HTTP/1.1\nUpgrade: websocket\n",
	}
	for name, request := range offers {
		t.Run(name, func(t *testing.T) {
			upstream, handshakes := echo(t)
			proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream, Auth: bearer()})
			res, _ := raw(t, proxy.addr, lines(request+"Host: a\n\n"))
			if res.StatusCode != http.StatusOK {
				t.Errorf("status %d", res.StatusCode)
			}
			got := <-handshakes
			if got.Get("Upgrade") != "" || got.Get("Connection") != "" || got.Get("Http2-Settings") != "" {
				t.Errorf("the upstream received %v", got)
			}
		})
	}
}

func TestSwapLeavesRequestsInFlightAlone(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	slow := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-finish
		_, _ = io.WriteString(w, "old "+r.Header.Get("Authorization"))
	})
	replacement := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "new "+r.Header.Get("Authorization"))
	})
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: slow, Auth: bearer(), Unscrubbed: true})
	answer := make(chan string)
	go func() {
		_, body := get(t, proxy.url("/r"))
		answer <- body
	}()
	<-begun
	if err := proxy.Swap(load(t, routetable.Route{Path: "/r", Upstream: replacement})); err != nil {
		t.Fatal(err)
	}
	if _, body := get(t, proxy.url("/r")); body != "new " {
		t.Errorf("after the swap: %q", body)
	}
	close(finish)
	if body := <-answer; body != "old Bearer "+token {
		t.Errorf("the request in flight got %q", body)
	}
}

func TestSlowUpstreamTimesOut(t *testing.T) {
	transport := mustTransport(anywhere())
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: timeout{}}
	}
	proxy := serveThrough(t, transport, routetable.Route{Path: "/r", Upstream: "https://10.0.0.1", Auth: bearer()})
	res, body := get(t, proxy.url("/r/x"))
	wantRefusal(t, res, body, http.StatusGatewayTimeout, "upstream_timeout")
}

type timeout struct{}

func (timeout) Error() string { return "timed out with " + token }
func (timeout) Timeout() bool { return true }
