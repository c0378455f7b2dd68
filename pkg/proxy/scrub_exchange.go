package proxy

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"credproxy.dev/controller/pkg/scrub"
)

// scrubber is the part of an exchange that keeps tokens out of the answer. The zero one lets everything pass.
type scrubber struct {
	by     *scrubbing
	stream *scrub.Stream
	// frames are those of a body that is a stream of messages, each of which has to arrive when it is whole.
	frames *scrub.Frames
	// found is whether anything was overwritten. A tunnel may say so later than the exchange.
	found atomic.Bool
}

// open begins to scrub an answer; close has to follow.
func (s *scrubber) open(by *scrubbing) {
	s.by, s.stream = by, by.streams.Open(by.needles)
}

func (s *scrubber) close() {
	if s.stream.Found() {
		s.found.Store(true)
	}
	if s.found.Load() {
		s.by.echoes.count.Add(1)
	}
	s.by.streams.Close(s.stream)
	s.stream = nil
}

// fields scrubs the header of an interim answer, or trailers.
func (s *scrubber) fields(h http.Header) {
	if s.stream != nil {
		scrubFields(s.stream, h)
	}
}

// header scrubs the header of an answer.
func (s *scrubber) header(h http.Header) {
	if s.stream == nil {
		return
	}
	scrubFields(s.stream, h)
	if isEnveloped(h) {
		s.frames = scrub.NewFrames(s.stream, scrub.Enveloped)
	}
}

// isEnveloped tells gRPC, gRPC-Web but for its text form, and streams of Connect.
func isEnveloped(h http.Header) bool {
	values := h["Content-Type"]
	if len(values) != 1 {
		return false
	}
	kind, _, _ := strings.Cut(values[0], ";")
	return strings.HasPrefix(kind, "application/grpc") && !strings.HasPrefix(kind, "application/grpc-web-text") ||
		strings.HasPrefix(kind, "application/connect+")
}

// next scrubs a piece of the body, which a buffer has behind some room.
func (s *scrubber) next(buffer []byte, room int) ([]byte, error) {
	switch {
	case s.stream == nil:
		return buffer[room:], nil
	case s.frames != nil:
		return s.frames.Next(buffer[room:])
	}
	return s.stream.NextIn(buffer, room), nil
}

// tunnel scrubs what is written to a connection that becomes a WebSocket. It may outlive the exchange, and so has a stream of its
// own.
func (s *scrubber) tunnel(conn net.Conn) net.Conn {
	stream := new(scrub.Streams).Open(s.by.needles)
	return &scrubbedConn{Conn: conn, stream: stream, frames: scrub.NewFrames(stream, scrub.WebSocket), found: &s.found}
}

// scrubbedConn is the client's end of a WebSocket.
type scrubbedConn struct {
	net.Conn
	stream *scrub.Stream
	frames *scrub.Frames
	found  *atomic.Bool
}

// Write passes on what is decided. Of frames that cannot be read nothing is, and the connection ends.
func (c *scrubbedConn) Write(b []byte) (int, error) {
	out, err := c.frames.Next(b)
	if c.stream.Found() && !c.found.Load() {
		c.found.Store(true)
	}
	if len(out) > 0 {
		if _, err := c.Conn.Write(out); err != nil {
			return 0, err
		}
	}
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// CloseWrite is for tunnels of which one direction ends.
func (c *scrubbedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
