package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

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
