package scrub

import (
	"bytes"
	"encoding/binary"
	"errors"
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

func TestFramesThatCannotBeReadArePassedOnNoFurther(t *testing.T) {
	for name, c := range map[string]struct {
		layout Layout
		frame  string
	}{
		"compressed WebSocket": {WebSocket, "\xc1\x01x"},
		"masked WebSocket":     {WebSocket, "\x81\x81abcdx"},
		"compressed message":   {Enveloped, "\x01\x00\x00\x00\x01x"},
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
