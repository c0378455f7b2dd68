package proxy

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Clients that know beforehand that a server speaks HTTP/2 begin with it (RFC 9113 section 3.3): those of gRPC do, on a network
// without TLS. What is bounded here is what one connection can have the sidecar hold; the requests of all are bounded by seats.

const (
	// maxStreams is how many requests a connection may have in hand, and no fewer than RFC 9113 section 6.5.2 recommends.
	// net/http ends a connection on which five times as many were begun and not heard of again.
	maxStreams = 100
	// uploadWindowBytes is how much of a request's body waits for an upstream that is slower than the client, and
	// uploadWindowsBytes how much of all on a connection. The network between is a bridge, so that more would be no faster.
	uploadWindowBytes, uploadWindowsBytes = 64 << 10, 256 << 10
	// maxFrameBytes is the least that may be announced (RFC 9113 section 4.2). A connection keeps a buffer of the largest
	// frame that came.
	maxFrameBytes = 16 << 10
	// writeStall is how long a client may leave everything unread on a connection, whose other requests wait meanwhile.
	writeStall = 2 * time.Minute
)

func spoken() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

func boundsOfHTTP2() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          maxStreams,
		MaxReadFrameSize:              maxFrameBytes,
		MaxReceiveBufferPerConnection: uploadWindowsBytes,
		MaxReceiveBufferPerStream:     uploadWindowBytes,
		WriteByteTimeout:              writeStall,
	}
}

// malformedInFrames says what a request has that only HTTP/2's framing lets it have (RFC 9113 sections 8.1.1 and 8.3.1); empty where it
// has nothing of the kind. What is malformed must not be sent on, and over HTTP/1.1 net/http refuses it.
func malformedInFrames(r *http.Request) string {
	switch {
	case strings.ContainsFunc(r.Method, notInToken):
		return "the method is not one word of letters, digits and a few signs"
	case strings.Contains(r.RequestURI, " "):
		return "there is a space in the path or query, which is written %20"
	case !hasItsLength(r):
		return "its content-length is not that of its body"
	}
	return ""
}

// hasItsLength reports whether all lengths that a header tells are the one by which its body is read. That one is 0 where a request has
// no body, and where its first length is no number.
func hasItsLength(r *http.Request) bool {
	for _, value := range r.Header["Content-Length"] {
		if n, err := strconv.ParseUint(value, 10, 63); err != nil || int64(n) != r.ContentLength {
			return false
		}
	}
	return true
}

// server is an http.Server that can tell its connections of HTTP/2 to go (GOAWAY, RFC 9113 section 6.8) and leave the others alone.
// Shutdown would close one of HTTP/1.1 on which the next request is on its way.
type server struct {
	*http.Server
	// framed has HTTP/2's part of the server, and nothing else: Shutdown of it is what tells them.
	framed *http.Server
}

// splitHTTP2 has another server, which never listens, do HTTP/2 for one.
func splitHTTP2(s *http.Server) *server {
	framed := &http.Server{Protocols: s.Protocols, HTTP2: s.HTTP2, IdleTimeout: s.IdleTimeout, ReadHeaderTimeout: s.ReadHeaderTimeout}
	// Serve sets HTTP/2 up, and ends when nobody can come.
	_ = framed.Serve(shutListener{})
	s.TLSNextProto = framed.TLSNextProto
	return &server{s, framed}
}

// dismiss asks the clients of HTTP/2 to take their next request elsewhere. What they have asked is answered.
func (s *server) dismiss(ctx context.Context) { _ = s.framed.Shutdown(ctx) }

// shutListener lets nobody in.
type shutListener struct{}

func (shutListener) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (shutListener) Close() error              { return nil }
func (shutListener) Addr() net.Addr            { return &net.TCPAddr{} }
