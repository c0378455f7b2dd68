package attacks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"credproxy.dev/controller/pkg/routetable"
)

// step is what is sent on a connection of HTTP/2, and what comes of it before the next.
type step struct {
	// sends is frames, byte for byte.
	sends string
	// gets says what became of the streams that end until then, in their order: what answer.status says, or "reset" and an error
	// code (RFC 9113 section 7). Last is what the whole connection is told: "GOAWAY" and the code.
	gets []string
}

// framed is one connection of HTTP/2, whose frames are written by hand: no library sends what is against the rules.
type framed struct {
	*agent
	frames *http2.Framer
	// answers are what has come on each stream, and ended the streams on which nothing more can, in their order.
	answers map[uint32]*answer
	ended   []uint32
	// away is the last word about the connection, and pong whether a ping was answered.
	away string
	pong bool
}

// honestStream is behind all others.
const honestStream = 1<<20 + 1

// greeting is what a client begins with (RFC 9113 section 3.4): settings of its own, and that it has seen the server's.
func greeting() string {
	return http2.ClientPreface + settings() + frame(http2.FrameSettings, http2.FlagSettingsAck, 0, "")
}

// frame is one as it stands on the wire (RFC 9113 section 4.1).
func frame(kind http2.FrameType, flags http2.Flags, stream uint32, payload string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	b = append(b[1:], byte(kind), byte(flags))
	return string(binary.BigEndian.AppendUint32(b, stream)) + payload
}

// settings are pairs of a setting and its value.
func settings(pairs ...uint32) string {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, uint16(pairs[i])), pairs[i+1])
	}
	return frame(http2.FrameSettings, 0, 0, string(b))
}

// number is one of four bytes, as several frames have it.
func number(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

func window(stream, more uint32) string {
	return frame(http2.FrameWindowUpdate, 0, stream, number(more))
}

func reset(stream uint32) string {
	return frame(http2.FrameRSTStream, 0, stream, number(uint32(http2.ErrCodeCancel)))
}

func ping() string { return frame(http2.FramePing, 0, 0, "pingpong") }

// block is a header of names and values, of which nothing is left in a table (RFC 7541 section 6.2.3).
func block(fields ...string) string {
	var b bytes.Buffer
	encoder := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1], Sensitive: true})
	}
	return b.String()
}

const maxFrame = 16 << 10

// headers are those of a request, or trailers, in as many frames as it takes.
func headers(stream uint32, end bool, fields ...string) string {
	return inFrames(stream, end, block(fields...))
}

func inFrames(stream uint32, end bool, block string) string {
	kind, flags, all := http2.FrameHeaders, http2.Flags(0), ""
	if end {
		flags = http2.FlagHeadersEndStream
	}
	for len(block) > maxFrame {
		all += frame(kind, flags, stream, block[:maxFrame])
		kind, flags, block = http2.FrameContinuation, 0, block[maxFrame:]
	}
	return all + frame(kind, flags|http2.FlagHeadersEndHeaders, stream, block)
}

// asks are the fields of a request, and more of them.
func asks(method, path string, more ...string) []string {
	return append([]string{":method", method, ":scheme", "http", ":authority", "cred-proxy:9099", ":path", path}, more...)
}

// getting is a whole request.
func getting(stream uint32, path string, more ...string) string {
	return headers(stream, true, asks("GET", path, more...)...)
}

// posting is the header of a request whose body follows.
func posting(stream uint32, path string, more ...string) string {
	return headers(stream, false, asks("POST", path, more...)...)
}

func data(stream uint32, text string) string { return frame(http2.FrameData, 0, stream, text) }

func lastData(stream uint32, text string) string {
	return frame(http2.FrameData, http2.FlagDataEndStream, stream, text)
}

// converseInFrames takes the steps of an attack.
func (a attack) converseInFrames(c *scene) {
	c.t.Helper()
	f := c.frame()
	for i, step := range a.framed {
		if i == 0 && !strings.HasPrefix(step.sends, "PRI ") {
			step.sends = greeting() + step.sends
		}
		f.send(step.sends)
		f.mustGet(a.closes && i == len(a.framed)-1, step.gets...)
	}
	if a.shows != nil {
		var all []answer
		for _, stream := range slices.Sorted(slices.Values(f.ended)) {
			all = append(all, *f.answers[stream])
		}
		a.shows(c, all)
	}
	if !a.closes {
		f.mustServe(c)
	}
}

// frame opens a connection for frames.
func (s *scene) frame() *framed {
	s.t.Helper()
	f := &framed{agent: s.connect(), answers: map[uint32]*answer{}}
	f.frames = http2.NewFramer(nil, f.from)
	f.frames.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	return f
}

// greet opens one, and begins.
func (s *scene) greet() *framed {
	s.t.Helper()
	f := s.frame()
	f.send(greeting())
	return f
}

// mustGet reads until as many streams have ended, or the connection has, and compares what came of them.
func (f *framed) mustGet(closes bool, gets ...string) {
	f.t.Helper()
	before := len(f.ended)
	for (closes || len(f.ended)-before < len(gets)) && f.read() {
	}
	var got []string
	for _, stream := range slices.Sorted(slices.Values(f.ended[before:])) {
		got = append(got, f.answers[stream].status)
	}
	if f.away != "" {
		got = append(got, f.away)
	}
	if !slices.EqualFunc(got, gets, fits) {
		f.t.Errorf("it got %q, not %q", got, gets)
	}
}

// mustServe asks honestly on the same connection, and holds that nothing else comes any more.
func (f *framed) mustServe(c *scene) {
	f.t.Helper()
	var fields []string
	for _, line := range c.fields {
		name, value, _ := strings.Cut(line, ": ")
		fields = append(fields, strings.ToLower(name), value)
	}
	f.send(getting(honestStream, "/r/"+more, fields...) + window(honestStream, 1<<10))
	f.mustGet(false, "200")
	before := len(f.ended)
	f.send(ping())
	for !f.pong && f.read() {
	}
	if len(f.ended) != before || f.away != "" || !f.pong {
		f.t.Errorf("there is more: %v, %q", f.ended[before:], f.away)
	}
}

// read takes one frame, and reports whether the connection goes on.
func (f *framed) read() bool {
	f.t.Helper()
	frame, err := f.frames.ReadFrame()
	var wrong http2.StreamError
	switch {
	case errors.As(err, &wrong):
		f.t.Errorf("what came is against the rules: %v", err)
		return false
	case err != nil:
		f.mustHaveEnded(err)
		return false
	}
	switch frame := frame.(type) {
	case *http2.MetaHeadersFrame:
		f.take(frame)
	case *http2.DataFrame:
		f.on(frame.StreamID).body += string(frame.Data())
		f.end(frame.StreamID, frame.StreamEnded())
	case *http2.RSTStreamFrame:
		f.takeReset(frame)
	case *http2.PingFrame:
		f.pong = f.pong || frame.IsAck()
	case *http2.GoAwayFrame:
		f.away = "GOAWAY " + frame.ErrCode.String()
	}
	return true
}

// on is what has come on a stream.
func (f *framed) on(stream uint32) *answer {
	if f.answers[stream] == nil {
		f.answers[stream] = &answer{}
	}
	return f.answers[stream]
}

// take reads a header or trailers, which compression hides in the bytes that came.
func (f *framed) take(frame *http2.MetaHeadersFrame) {
	fields := http.Header{}
	for _, one := range frame.RegularFields() {
		fields.Add(one.Name, one.Value)
		f.got.WriteString("\n" + one.Name + ": " + one.Value + "\n")
	}
	a := f.on(frame.StreamID)
	switch status := frame.PseudoValue("status"); {
	case status == "":
		a.trailer = fields
	case !strings.HasPrefix(status, "1"):
		a.status, a.header = status, fields
		if code := fields.Get(routetable.FieldError); code != "" {
			a.status += " " + code
		}
	}
	f.end(frame.StreamID, frame.StreamEnded())
}

func (f *framed) end(stream uint32, ended bool) {
	if ended {
		f.ended = append(f.ended, stream)
	}
}

// takeReset is an end, unless an answer is whole and but its request's body is not wanted.
func (f *framed) takeReset(frame *http2.RSTStreamFrame) {
	if slices.Contains(f.ended, frame.StreamID) {
		return
	}
	if a := f.on(frame.StreamID); a.status == "" {
		a.status = "reset " + frame.ErrCode.String()
	} else {
		a.status += " " + broken
	}
	f.end(frame.StreamID, true)
}
