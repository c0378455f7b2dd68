package scrub

import (
	"encoding/binary"
	"errors"
)

// Layout reads the head of a frame, as far as it is there: how many bytes the whole head has, at most maxHead, and how many follow
// it. While size is more than len(head), nothing but it counts.
type Layout func(head []byte) (size int, payload uint64, err error)

const maxHead = 10

// ErrUnreadable is what a layout says of frames whose payload is not what it seems.
var ErrUnreadable = errors.New("a frame is compressed or masked")

// WebSocket is the layout of what a server sends (RFC 6455 section 5.2). It must not be masked (section 5.1), and without an
// extension no reserved bit is set: compression would set one (RFC 7692 section 6).
func WebSocket(head []byte) (size int, payload uint64, err error) {
	if len(head) < 2 {
		return 2, 0, nil
	}
	if head[0]&0x70 != 0 || head[1]&0x80 != 0 {
		return 0, 0, ErrUnreadable
	}
	size = 2
	switch head[1] {
	case 126:
		size += 2
	case 127:
		size += 8
	default:
		return size, uint64(head[1]), nil
	}
	if len(head) < size {
		return size, 0, nil
	}
	for _, b := range head[2:size] {
		payload = payload<<8 | uint64(b)
	}
	return size, payload, nil
}

// Enveloped is the layout of gRPC's messages, of gRPC-Web's and of Connect's streams: a byte of flags, of which the lowest says
// compressed, and the length.
func Enveloped(head []byte) (size int, payload uint64, err error) {
	if len(head) < 5 {
		return 5, 0, nil
	}
	if head[0]&1 != 0 {
		return 0, 0, ErrUnreadable
	}
	return 5, uint64(binary.BigEndian.Uint32(head[1:])), nil
}

// Frames scrubs the payload of each frame of a connection as a text of its own, so that none is held back when it is whole, and
// leaves the heads alone.
type Frames struct {
	stream *Stream
	layout Layout
	head   [maxHead]byte
	length int
	// left is how much of the payload is still to come.
	left uint64
	out  []byte
}

// NewFrames scrubs by a stream that nothing else uses.
func NewFrames(s *Stream, layout Layout) *Frames { return &Frames{stream: s, layout: layout} }

// Next takes a piece and returns what may be passed on, which is valid until the next call. It fails for good with
// ErrUnreadable.
func (f *Frames) Next(piece []byte) ([]byte, error) {
	f.out = f.out[:0]
	for len(piece) > 0 {
		if f.left == 0 {
			f.head[f.length] = piece[0]
			f.length++
			piece = piece[1:]
			if err := f.begin(); err != nil {
				return f.out, err
			}
			continue
		}
		part := piece[:min(uint64(len(piece)), f.left)]
		f.out = append(f.out, f.stream.Next(part)...)
		piece = piece[len(part):]
		if f.left -= uint64(len(part)); f.left == 0 {
			f.out = append(f.out, f.stream.Rest()...)
		}
	}
	return f.out, nil
}

// begin passes the head on once it is whole.
func (f *Frames) begin() error {
	size, payload, err := f.layout(f.head[:f.length])
	if err != nil {
		return err
	}
	if size <= f.length {
		f.out = append(f.out, f.head[:f.length]...)
		f.left, f.length = payload, 0
	}
	return nil
}
