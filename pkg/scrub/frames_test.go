package scrub

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

func webSocketFrame(payload string) []byte {
	head := []byte{0x81, byte(len(payload))}
	switch {
	case len(payload) > 0xffff:
		head = binary.BigEndian.AppendUint64([]byte{0x81, 127}, uint64(len(payload)))
	case len(payload) > 125:
		head = binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(payload)))
	}
	return append(head, payload...)
}

func envelope(payload string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(payload))), payload...)
}

func TestFramesAreScrubbedAndNeverHeldBack(t *testing.T) {
	hidden := strings.Repeat("*", len(token))
	payloads := []string{"", "sk", token, "a " + token, strings.Repeat("x", 126) + token, strings.Repeat("y", 70000) + token + "z", token[:5]}
	for name, kind := range map[string]struct {
		layout Layout
		frame  func(string) []byte
	}{"WebSocket": {WebSocket, webSocketFrame}, "gRPC": {Enveloped, envelope}} {
		t.Run(name, func(t *testing.T) {
			for _, length := range []int{1, 3, 4096, 1 << 20} {
				var streams Streams
				f := NewFrames(streams.Open(New(token)), kind.layout)
				for _, payload := range payloads {
					in, want := kind.frame(payload), kind.frame(strings.ReplaceAll(payload, token, hidden))
					var got []byte
					for len(in) > 0 {
						piece := in[:min(len(in), length)]
						out, err := f.Next(piece)
						if err != nil {
							t.Fatal(err)
						}
						got, in = append(got, out...), in[len(piece):]
					}
					if !bytes.Equal(got, want) {
						t.Fatalf("by %d bytes a frame of %d came out as %.40q… of %d", length, len(payload), got, len(got))
					}
				}
			}
		})
	}
}

// cutFrames is a message in frames of these payloads.
func cutFrames(payloads ...string) (b []byte) {
	for i, payload := range payloads {
		frame := webSocketFrame(payload)
		frame[0] = 0
		if i == 0 {
			frame[0] = 1
		}
		if i == len(payloads)-1 {
			frame[0] |= 0x80
		}
		b = append(b, frame...)
	}
	return b
}

func ping(payload string) string { return "\x89" + string(rune(len(payload))) + payload }

func TestAMessageInSeveralFramesIsOneText(t *testing.T) {
	hidden := strings.Repeat("*", len(token))
	for name, c := range map[string]struct{ in, want []byte }{
		"two":         {cutFrames("a "+token[:5], token[5:]+" b"), cutFrames("a "+hidden[:5], hidden[5:]+" b")},
		"each byte":   {cutFrames(strings.Split(token, "")...), cutFrames(strings.Split(hidden, "")...)},
		"empty ones":  {cutFrames(token[:5], "", "", token[5:]), cutFrames(hidden[:5], "", "", hidden[5:])},
		"not a token": {cutFrames(token[:5], token[6:]), cutFrames(token[:5], token[6:])},
		"with pings": {
			slices.Concat(cutFrames(token[:5], token[5:])[:7], []byte(ping("x")+ping(token)), cutFrames(token[:5], token[5:])[7:]),
			slices.Concat(cutFrames(hidden[:5], hidden[5:])[:7], []byte(ping("x")+ping(hidden)), cutFrames(hidden[:5], hidden[5:])[7:]),
		},
		"two messages": {append(cutFrames("a", token[:5]), cutFrames(token[5:], "b")...), append(cutFrames("a", token[:5]), cutFrames(token[5:], "b")...)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, length := range []int{1, 3, 4096} {
				var streams Streams
				f := NewFrames(streams.Open(New(token)), WebSocket)
				var got []byte
				for in := c.in; len(in) > 0; {
					piece := in[:min(len(in), length)]
					out, err := f.Next(piece)
					if err != nil {
						t.Fatal(err)
					}
					got, in = append(got, out...), in[len(piece):]
				}
				if !bytes.Equal(got, c.want) {
					t.Errorf("by %d bytes got %q, not %q", length, got, c.want)
				}
			}
		})
	}
}

func TestFramesOfNothingAreNotKeptWithoutEnd(t *testing.T) {
	var streams Streams
	f := NewFrames(streams.Open(New(token)), WebSocket)
	if _, err := f.Next([]byte("\x01\x05" + token[:5])); err != nil {
		t.Fatal(err)
	}
	for range 100000 {
		if _, err := f.Next([]byte("\x00\x00")); err != nil {
			return
		}
	}
	t.Error("a hundred thousand are kept")
}

// A text that calls itself a stream of messages does not get a token past in what is taken for heads.
func TestATokenThatIsTakenForAHeadIsNotPassedOn(t *testing.T) {
	for taken := range 5 {
		for _, length := range []int{1, 3, 4096} {
			text := strings.Repeat("\x00", 5-taken) + token + " and more, which is a text"
			var streams Streams
			f := NewFrames(streams.Open(New(token)), Enveloped)
			var got []byte
			var err error
			for in := []byte(text); len(in) > 0 && err == nil; {
				var out []byte
				piece := in[:min(len(in), length)]
				out, err = f.Next(piece)
				got, in = append(got, out...), in[len(piece):]
			}
			if bytes.Contains(got, []byte(token)) || taken > 0 && !errors.Is(err, ErrUnreadable) {
				t.Errorf("with %d bytes of it in a head, by %d, got %q, %v", taken, length, got, err)
			}
		}
	}
}

func TestFramesThatCannotBeReadArePassedOnNoFurther(t *testing.T) {
	for name, c := range map[string]struct {
		layout Layout
		frame  string
	}{
		"compressed WebSocket": {WebSocket, "\xc1\x01x"},
		"masked WebSocket":     {WebSocket, "\x81\x81abcdx"},
		"endless ping":         {WebSocket, "\x89\x7e\x00\x80"},
		"compressed message":   {Enveloped, "\x01\x00\x00\x00\x01x"},
		"no message":           {Enveloped, "text"},
	} {
		t.Run(name, func(t *testing.T) {
			var streams Streams
			out, err := NewFrames(streams.Open(New(token)), c.layout).Next([]byte(c.frame))
			if !errors.Is(err, ErrUnreadable) || len(out) > 0 {
				t.Errorf("got %q, %v", out, err)
			}
		})
	}
}
