package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
)

// reference is the relay that the standard library has, for the same route.
func reference(rt *route) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			if body := new(upload).of(pr.In); body != nil {
				pr.Out.Body = body // of which trailers come
			}
			rt.rewrite(pr.Out, pr.In)
		},
		Transport:      rt.transport,
		FlushInterval:  headerDelay,
		ModifyResponse: rt.receive,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
}

// serveReference is serve with the reference in the place of the relay.
func serveReference(t *testing.T, proxy *running) string {
	t.Helper()
	standard, transport := reference(proxy.table.Load().routes[0]), mustTransport(anywhere())
	t.Cleanup(transport.CloseIdleConnections)
	standard.Transport = transport // upstreams hang up, so that no connection is to be found that the other has left
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		onlyWebSocket(r)
		standard.ServeHTTP(unguessed{w}, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// unguessed keeps net/http from guessing a type.
type unguessed struct{ http.ResponseWriter }

func (w unguessed) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w unguessed) WriteHeader(status int) {
	if _, ok := w.Header()["Content-Type"]; !ok && status >= http.StatusOK {
		w.Header()["Content-Type"] = nil
	}
	w.ResponseWriter.WriteHeader(status)
}

// scripted is an upstream that answers in bytes, and keeps those that it receives.
type scripted struct {
	url string
	// first is sent when the header has come, then when the body has.
	first, then string
	heard       chan string
}

func newScripted(t *testing.T) *scripted {
	t.Helper()
	s := &scripted{heard: make(chan string, 1)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + listener.Addr().String()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.answer(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return s
}

func (s *scripted) answer(conn net.Conn) {
	var raw bytes.Buffer
	from := bufio.NewReader(io.TeeReader(conn, &raw))
	req, err := http.ReadRequest(from)
	if err != nil {
		s.heard <- "nothing that is a request"
		return
	}
	_, _ = io.WriteString(conn, s.first)
	_, _ = io.Copy(io.Discard, req.Body)
	s.heard <- raw.String()
	_, _ = io.WriteString(conn, s.then)
	if strings.Contains(s.then, " 101 ") {
		_, _ = io.Copy(conn, from)
	}
}

// said is what a client was answered, but for how the pieces of a body were cut, and whether one that has none was announced so. Of
// an answer that breaks off it has the end alone: how much of it has been sent before is a question of time. So it is how often a
// client of the standard library's is told to go on.
type said struct {
	Status          string
	Header, Trailer http.Header
	Length          int64
	Close           bool
	Body, Error     string
}

// converse sends a request and returns all answers to it.
func converse(t *testing.T, addr, request string) (all []said) {
	t.Helper()
	conn := dial(t, addr)
	write(t, conn, request)
	from := bufio.NewReader(conn)
	for {
		res, err := http.ReadResponse(from, &http.Request{Method: strings.Fields(request)[0]})
		if err != nil {
			return append(all, said{Error: wordOf(err)})
		}
		if res.StatusCode == http.StatusContinue {
			continue
		}
		one := said{Status: res.Proto + " " + res.Status, Header: res.Header, Length: res.ContentLength, Close: res.Close}
		if res.StatusCode == http.StatusSwitchingProtocols {
			write(t, conn, "ping")
			_ = conn.(*net.TCPConn).CloseWrite()
		}
		body, err := io.ReadAll(res.Body)
		if res.StatusCode == http.StatusSwitchingProtocols {
			body, err = io.ReadAll(from)
		}
		_ = res.Body.Close()
		one.Body, one.Error, one.Trailer = string(body), wordOf(err), res.Trailer
		if one.Body == "" && one.Length < 1 {
			one.Length = 0
			one.Header.Del("Content-Length")
		}
		if one.Error != "" {
			return append(all, said{Error: one.Error})
		}
		if all = append(all, one); res.StatusCode >= 200 || res.StatusCode == http.StatusSwitchingProtocols {
			return all
		}
	}
}

// wordOf tells ends of a connection apart no further: whether it is reset is the kernel's to decide.
func wordOf(err error) string {
	if err == nil || errors.Is(err, io.EOF) {
		return ""
	}
	return "broken off"
}

// TestRelayIsAReverseProxy compares what upstream and client get with what they get by way of the standard library.
func TestRelayIsAReverseProxy(t *testing.T) {
	const get = "GET /r/x HTTP/1.1\nHost: a\n"
	const ok = "HTTP/1.1 200 OK\nDate: Mon, 02 Jan 2006 15:04:05 GMT\n"
	long := strings.Repeat("0123456789abcdef", 8<<10)
	for _, tt := range []struct{ name, request, first, then string }{
		{"a length", get, "", ok + "Content-Length: 2\n\nhi"},
		{"no body", get, "", ok + "Content-Length: 0\n\n"},
		{"a type", get, "", ok + "Content-Type: text/html\nContent-Length: 2\n\nhi"},
		{"a type that is empty", get, "", ok + "Content-Type:\nContent-Length: 2\n\nhi"},
		{"HEAD", "HEAD /r/x HTTP/1.1\nHost: a\n", "", ok + "Content-Length: 20\n\n"},
		{"HEAD of no length", "HEAD /r/x HTTP/1.1\nHost: a\n", "", ok + "Transfer-Encoding: chunked\n\n"},
		{"204", get, "", "HTTP/1.1 204 No Content\nDate: x\n\n"},
		{"304", get + "If-None-Match: \"a\"\n", "", "HTTP/1.1 304 Not Modified\nDate: x\nEtag: \"a\"\n\n"},
		{"a status of its own", get, "", "HTTP/1.1 299 Fine\nDate: x\nContent-Length: 0\n\n"},
		{"chunks", get, "", ok + "Transfer-Encoding: chunked\n\n2\nhi\n3\nyou\n0\n\n"},
		{"chunks without any", get, "", ok + "Transfer-Encoding: chunked\n\n0\n\n"},
		{"until the end", get, "", ok + "\nhi"},
		{"long", get, "", ok + fmt.Sprintf("Content-Length: %d\n\n", len(long)) + long},
		{"long until the end", get, "", ok + "\n" + long},
		{"shorter than announced", get, "", ok + "Content-Length: 20\n\nhi"},
		{"chunks that break off", get, "", ok + "Transfer-Encoding: chunked\n\n2\nhi\n3\ny"},
		{"compressed", get + "Accept-Encoding: gzip\n", "", ok + "Content-Encoding: gzip\nContent-Length: 3\n\n\x1f\x8b\x08"},
		{"cookies", get + "Cookie: a=1\nCookie: b=2\n", "", ok + "Set-Cookie: a=1\nSet-Cookie: b=2\nContent-Length: 0\n\n"},
		{"upload", "POST /r/x HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello", "", ok + "Content-Length: 0\n\n"},
		{"upload of no bytes", "POST /r/x HTTP/1.1\nHost: a\nContent-Length: 0\n", "", ok + "Content-Length: 0\n\n"},
		{"upload without a length", "POST /r/x HTTP/1.1\nHost: a\n", "", ok + "Content-Length: 0\n\n"},
		{"upload in chunks", "PUT /r/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n", "", ok + "Content-Length: 0\n\n"},
		{"upload in no chunks", "PUT /r/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n", "", ok + "Content-Length: 0\n\n"},
		{"upload with trailers", "PUT /r/x HTTP/1.1\nHost: a\nTrailer: X-Sum\nTransfer-Encoding: chunked\n\n1\na\n0\nX-Sum: 1\n\n", "", ok + "Content-Length: 0\n\n"},
		{"waits to go on", "PUT /r/x HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 1\n\na", "HTTP/1.1 100 Continue\n\n", ok + "Content-Length: 0\n\n"},
		{"GET with a body", get + "Content-Length: 1\n\na", "", ok + "Content-Length: 0\n\n"},
		{"hop by hop", get + "Connection: X-Named, keep-alive,, te\nX-Named: 1\nKeep-Alive: 1\nProxy-Connection: 1\nTE: trailers\nProxy-Authenticate: b\nX-Kept: 1\n", "",
			ok + "Connection: X-Back\nX-Back: 1\nKeep-Alive: timeout=1\nProxy-Authenticate: Basic\nUpgrade: h2c\nX-Stays: 1\nContent-Length: 0\n\n"},
		{"Connection twice", get + "Connection: X-One\nConnection: X-Two\nX-One: 1\nX-Two: 2\nX-Three: 3\n", "", ok + "Connection: a\nConnection: b\nA: 1\nB: 1\nContent-Length: 0\n\n"},
		{"TE", get + "TE: deflate, Trailers\n", "", ok + "Content-Length: 0\n\n"},
		{"TE of something else", get + "TE: deflate\n", "", ok + "Content-Length: 0\n\n"},
		{"an agent", get + "User-Agent: me\n", "", ok + "Content-Length: 0\n\n"},
		{"an agent without a name", get + "User-Agent:\n", "", ok + "Content-Length: 0\n\n"},
		{"forwarded", get + "X-Forwarded-For: 1.2.3.4\nForwarded: for=1.2.3.4\nX-Forwarded-Host: b\nX-Forwarded-Proto: https\n", "", ok + "Content-Length: 0\n\n"},
		{"a query that is none", "GET /r/x?a=%zz;b&c HTTP/1.1\nHost: a\n", "", ok + "Content-Length: 0\n\n"},
		{"an empty query", "GET /r/x? HTTP/1.1\nHost: a\n", "", ok + "Content-Length: 0\n\n"},
		{"encoded", "GET /r/@a%2fb/%7Ec HTTP/1.1\nHost: a\n", "", ok + "Content-Length: 0\n\n"},
		{"close", get + "Connection: close\n", "", ok + "Content-Length: 0\n\n"},
		{"trailers", get + "TE: trailers\n", "", ok + "Trailer: X-Sum\nTransfer-Encoding: chunked\n\n2\nhi\n0\nX-Sum: 1\n\n"},
		{"trailers that nobody announced", get, "", ok + "Transfer-Encoding: chunked\n\n2\nhi\n0\nX-Sum: 1\n\n"},
		{"more trailers than announced", get, "", ok + "Trailer: X-Sum\nTransfer-Encoding: chunked\n\n2\nhi\n0\nX-Sum: 1\nX-More: 2\n\n"},
		{"trailers that do not come", get, "", ok + "Trailer: X-Sum\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n"},
		{"trailers without a body", get, "", ok + "Trailer: X-Sum\nTransfer-Encoding: chunked\n\n0\nX-Sum: 1\n\n"},
		{"trailers of a long body", get, "", ok + "Trailer: X-Sum\nTransfer-Encoding: chunked\n\n" + fmt.Sprintf("%x\n%s\n0\nX-Sum: 1\n\n", len(long), long)},
		{"interim answers", get, "HTTP/1.1 103 Early Hints\nLink: </a>\n\nHTTP/1.1 102 Processing\n\nHTTP/1.1 103 Early Hints\nLink: </b>\nX-A: 1\n\n", ok + "X-B: 1\nContent-Length: 2\n\nhi"},
		{"HTTP/1.0", "GET /r/x HTTP/1.0\n", "", ok + "Content-Length: 2\n\nhi"},
		{"HTTP/1.0 of no length", "GET /r/x HTTP/1.0\n", "", ok + "Transfer-Encoding: chunked\n\n2\nhi\n0\nX-Sum: 1\n\n"},
		{"HTTP/1.0 that is kept", "GET /r/x HTTP/1.0\nConnection: keep-alive\n", "", ok + "Content-Length: 2\n\nhi"},
		{"an upstream of HTTP/1.0", get, "", "HTTP/1.0 200 OK\nDate: x\n\nhi"},
		{"WebSocket", get + "Connection: keep-alive, Upgrade\nUpgrade: websocket\nSec-WebSocket-Key: k\n", "",
			"HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\nX-A: 1\nX-A: 2\n\n"},
		{"WebSocket that is refused", get + "Connection: Upgrade\nUpgrade: websocket\n", "", "HTTP/1.1 403 No\nDate: x\nConnection: Upgrade\nUpgrade: websocket\nContent-Length: 2\n\nno"},
		{"Upgrade without Connection", get + "Upgrade: websocket\n", "", ok + "Content-Length: 0\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			upstream := newScripted(t)
			upstream.first, upstream.then = lines(tt.first), lines(tt.then)
			proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.url})
			request := lines(tt.request)
			if !strings.Contains(tt.request, "\n\n") {
				request += "\r\n"
			}
			wanted, wantedHeard := converse(t, serveReference(t, proxy), request), <-upstream.heard
			got, heard := converse(t, proxy.addr, request), <-upstream.heard
			if diff := cmp.Diff(wantedHeard, heard); diff != "" {
				t.Errorf("the upstream hears (-as by the standard library +by us):\n%s", diff)
			}
			if diff := cmp.Diff(wanted, got); diff != "" {
				t.Errorf("the client hears (-as by the standard library +by us):\n%s", diff)
			}
			if wanted[0].Status+wanted[0].Error == "" || strings.Contains(wanted[0].Status, "502") {
				t.Errorf("this compares nothing: %+v", wanted)
			}
		})
	}
}

func TestAClientIsToldOnceToGoOn(t *testing.T) {
	upstream := newScripted(t)
	upstream.first, upstream.then = lines("HTTP/1.1 100 Continue\n\n"), lines("HTTP/1.1 200 OK\nContent-Length: 0\n\n")
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.url})
	conn := dial(t, proxy.addr)
	write(t, conn, lines("PUT /r/x HTTP/1.1\nHost: a\nConnection: close\nExpect: 100-continue\nContent-Length: 1\n\n"))
	from := bufio.NewReader(conn)
	if line, err := from.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	write(t, conn, "a")
	if rest, err := io.ReadAll(from); err != nil || !strings.HasPrefix(string(rest), "\r\nHTTP/1.1 200 OK\r\n") {
		t.Errorf("%q, %v", rest, err)
	}
	<-upstream.heard
}

// An upstream that switches protocols without being asked, or to another one, is refused.
func TestAProtocolThatNobodyAskedForIsNotSwitchedTo(t *testing.T) {
	for name, tt := range map[string]struct{ request, answer string }{
		"nobody asked":      {"", "Connection: Upgrade\nUpgrade: websocket\n"},
		"another":           {"Connection: Upgrade\nUpgrade: websocket\n", "Connection: Upgrade\nUpgrade: h2c\n"},
		"none":              {"Connection: Upgrade\nUpgrade: websocket\n", "Connection: Upgrade\n"},
		"another one asked": {"Connection: Upgrade\nUpgrade: h2c\n", "Connection: Upgrade\nUpgrade: h2c\n"},
	} {
		t.Run(name, func(t *testing.T) {
			upstream := newScripted(t)
			upstream.first = lines("HTTP/1.1 101 Switching Protocols\n" + tt.answer + "\n")
			proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.url})
			res, body := raw(t, proxy.addr, lines("GET /r/x HTTP/1.1\nHost: a\n"+tt.request+"\n"))
			wantRefusal(t, res, body, http.StatusBadGateway, "upstream_unreachable")
			<-upstream.heard
		})
	}
}

// FuzzRelay holds that for any header of either side the relay sends on what the standard library does.
func FuzzRelay(f *testing.F) {
	for _, seed := range [][2]string{
		{"Connection: a, B\nA: 1\nb: 2\nC: 3", "Connection: close, Set-Cookie\nSet-Cookie: a"},
		{"Te: trailers\nTe: gzip", "Trailer: A\nTransfer-Encoding: gzip"},
		{"Upgrade: websocket\nConnection: ,upgrade , ,", "Upgrade: websocket\nConnection: upgrade"},
		{"Connection: te,user-agent,connection\nTe: x,trailers\nUser-Agent: x", "Location: /x\nConnection: location"},
		{"Proxy-Connection: \nKeep-Alive: \nTrailer: a", "X-A: 1\nX-A: 2\nx-a: 3"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, asked, answered string) {
		request, ok := headerOf(asked)
		response, ok2 := headerOf(answered)
		if !ok || !ok2 {
			return
		}
		var got [2]struct {
			Sent, Back http.Header
			Status     int
		}
		for i := range got {
			transport := roundTrip(func(r *http.Request) (*http.Response, error) {
				got[i].Sent = r.Header.Clone()
				return answerTo(r, response.Clone()), nil
			})
			h := NewHandler(always(transport), slog.New(slog.DiscardHandler), io.Discard, "web")
			if err := h.Swap(load(t, routetable.Route{Path: "/r", Upstream: "https://a.test"})); err != nil {
				t.Fatal(err)
			}
			in := httptest.NewRequest(http.MethodGet, "/r/x", nil).WithContext(context.Background())
			in.Header = request.Clone()
			onlyWebSocket(in)
			out := httptest.NewRecorder()
			if i == 0 {
				h.ServeHTTP(out, in)
			} else {
				reference(h.table.Load().routes[0]).ServeHTTP(out, in)
			}
			got[i].Back, got[i].Status = out.Header(), out.Code
			for _, header := range []http.Header{got[i].Sent, got[i].Back} {
				maps.DeleteFunc(header, func(_ string, values []string) bool {
					return !slices.ContainsFunc(values, func(v string) bool { return v != "" })
				})
			}
		}
		if diff := cmp.Diff(got[1], got[0]); diff != "" {
			t.Errorf("(-as by the standard library +by us):\n%s", diff)
		}
	})
}

// headerOf reads a header as net/http does.
func headerOf(text string) (http.Header, bool) {
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(lines(text) + "\r\n\r\n"))).ReadMIMEHeader()
	return http.Header(h), err == nil
}

func answerTo(r *http.Request, header http.Header) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: header,
		Body: io.NopCloser(strings.NewReader("hi")), ContentLength: 2,
	}
}
