package scrub

import (
	"encoding/binary"
	"errors"
)

// Part is what a frame is of its message.
type Part int

const (
	// Last ends its message; most messages have one frame.
	Last Part = iota
	// Unfinished is followed by more of its message.
	Unfinished
	// Aside is none of it, and may stand between two that are.
	Aside
)

// Head is what the head of a frame says. While Size, its own length, is more than the bytes that are there, nothing else counts.
type Head struct {
	Size    int
	Payload uint64
	Part    Part
	// Searched is whether the head is searched with its message: what calls itself a frame may be a text, whose first bytes would go
	// unseen.
	Searched bool
}

// Layout reads the head of a frame as far as it is there, at most maxHead bytes.
type Layout func(head []byte) (Head, error)

const (
	maxHead = 10
	// maxAside is the longest payload of a frame that is an aside (RFC 6455 section 5.5).
	maxAside = 125
)

// ErrUnreadable is what is said of frames whose payload is not what it seems, or that are none.
var ErrUnreadable = errors.New("a frame is compressed, masked, or none")

// WebSocket is the layout of what a server sends (RFC 6455 section 5.2). It must not be masked (section 5.1), and without an
// extension no reserved bit is set: compression would set one (RFC 7692 section 6).
func WebSocket(head []byte) (Head, error) {
	if len(head) < 2 {
		return Head{Size: 2}, nil
	}
	if head[0]&0x70 != 0 || head[1]&0x80 != 0 {
		return Head{}, ErrUnreadable
	}
	h := Head{Size: 2, Payload: uint64(head[1]), Part: webSocketPart(head[0])}
	switch head[1] {
	case 126:
		h.Size += 2
	case 127:
		h.Size += 8
	default:
		return h, nil
	}
	if len(head) < h.Size {
		return h, nil
	}
	h.Payload = 0
	for _, b := range head[2:h.Size] {
		h.Payload = h.Payload<<8 | uint64(b)
	}
	return h, nil
}

func webSocketPart(first byte) Part {
	switch {
	case first&0x08 != 0: // ping, pong and close
		return Aside
	case first&0x80 == 0:
		return Unfinished
	}
	return Last
}

// The flags of an envelope whose message can be read. The lowest bit would say compressed.
const (
	flagsMessage  = 0
	flagsEnd      = 2    // of Connect's streams
	flagsTrailers = 0x80 // of gRPC-Web
)

// Enveloped is the layout of gRPC's messages, of gRPC-Web's and of Connect's streams: a byte of flags, and the length. The flags are no
// character of a token, so that none goes from one message to the next.
func Enveloped(head []byte) (Head, error) {
	switch head[0] {
	case flagsMessage, flagsEnd, flagsTrailers:
	default:
		return Head{}, ErrUnreadable
	}
	if len(head) < 5 {
		return Head{Size: 5}, nil
	}
	return Head{Size: 5, Payload: uint64(binary.BigEndian.Uint32(head[1:])), Searched: true}, nil
}
