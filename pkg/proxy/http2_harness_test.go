package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// overHTTP2 is a client that begins with HTTP/2 at once, with connections of its own.
func overHTTP2(t testing.TB) *http.Transport {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// does makes a request and reads the answer.
func does(t testing.TB, by http.RoundTripper, r *http.Request) (answer, string) {
	t.Helper()
	res, err := by.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return readBody(t, res)
}

// newRequest makes a request of a header of names and values.
func newRequest(t testing.TB, method, url string, body io.Reader, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

// framed is a connection of HTTP/2 whose frames are written by hand.
type framed struct {
	t testing.TB
	net.Conn
	*http2.Framer
	block  bytes.Buffer
	fields *hpack.Encoder
	// settings are the other side's.
	settings *http2.SettingsFrame
}

// newFramed begins, and exchanges settings.
func newFramed(t testing.TB, conn net.Conn) *framed {
	t.Helper()
	f := &framed{t: t, Conn: conn, Framer: http2.NewFramer(conn, conn)}
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.fields = hpack.NewEncoder(&f.block)
	f.must(io.WriteString(conn, preface))
	f.must(0, f.WriteSettings())
	first, err := f.ReadFrame()
	settings, ok := first.(*http2.SettingsFrame)
	if !ok {
		t.Fatalf("the other side begins with %v, %v", first, err)
	}
	f.settings = settings
	f.must(0, f.WriteSettingsAck())
	return f
}

func (f *framed) must(_ int, err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// encode makes a header block of names and values, as they are.
func (f *framed) encode(fields ...string) []byte {
	f.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = f.fields.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return bytes.Clone(f.block.Bytes())
}

// ask begins a request. Its fields come behind, or in place of, those that each request has.
func (f *framed) ask(stream uint32, path string, end bool, more ...string) {
	f.t.Helper()
	f.send(stream, end, append(request(path), more...)...)
}

// send writes a header, in as many frames as it takes.
func (f *framed) send(stream uint32, end bool, fields ...string) {
	f.t.Helper()
	block := f.encode(fields...)
	piece := block[:min(len(block), maxFrameBytes)]
	f.must(0, f.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: piece, EndStream: end, EndHeaders: len(piece) == len(block),
	}))
	for block = block[len(piece):]; len(block) > 0; block = block[len(piece):] {
		piece = block[:min(len(block), maxFrameBytes)]
		f.must(0, f.WriteContinuation(stream, len(piece) == len(block), piece))
	}
}

// next reads frames until one is wanted; nil when the connection ends before.
func (f *framed) next(wanted func(http2.Frame) bool) http2.Frame {
	f.t.Helper()
	for {
		frame, err := f.ReadFrame()
		var broken http2.StreamError
		switch {
		case errors.As(err, &broken):
			f.t.Fatalf("the other side broke the rules: %v", err)
		case err != nil:
			return nil
		}
		if wanted(frame) {
			return frame
		}
	}
}

// status reads the header of an answer, and returns its status.
func (f *framed) status(stream uint32) string {
	f.t.Helper()
	frame := f.next(func(frame http2.Frame) bool {
		_, ok := frame.(*http2.MetaHeadersFrame)
		return ok && frame.Header().StreamID == stream
	})
	if frame == nil {
		f.t.Fatalf("there is no answer to request %d", stream)
	}
	return frame.(*http2.MetaHeadersFrame).PseudoValue("status")
}

// goAway reads on until the other side says that it takes no more requests.
func (f *framed) goAway() *http2.GoAwayFrame {
	f.t.Helper()
	frame := f.next(func(frame http2.Frame) bool {
		_, ok := frame.(*http2.GoAwayFrame)
		return ok
	})
	if frame == nil {
		f.t.Fatal("the connection ended without a GOAWAY")
	}
	return frame.(*http2.GoAwayFrame)
}

// reset reads on until a stream is ended by the other side.
func (f *framed) reset(stream uint32) http2.ErrCode {
	f.t.Helper()
	frame := f.next(func(frame http2.Frame) bool {
		_, ok := frame.(*http2.RSTStreamFrame)
		return ok && frame.Header().StreamID == stream
	})
	if frame == nil {
		f.t.Fatalf("the connection ended, and not stream %d alone", stream)
	}
	return frame.(*http2.RSTStreamFrame).ErrCode
}

// ends reads until the connection ends.
func (f *framed) ends() {
	f.next(func(http2.Frame) bool { return false })
}

// longField is a field of so many bytes that no compression makes shorter.
func longField(n int) []string { return []string{"x-long", strings.Repeat("\x7e", n)} }
