package scrub

import "bytes"

// Frames scrubs each message of a connection as a text of its own, so that none is held back when it is whole, however many frames
// it has, and leaves their heads alone.
type Frames struct {
	stream *Stream
	layout Layout
	head   [maxHead]byte
	length int
	// part and left are of the frame in hand: what it is, and how much of its payload is still to come.
	part Part
	left uint64
	// searched is what has not been passed yet of a head that is searched.
	searched []byte
	// aside is the one in hand, with its head.
	aside  []byte
	beside *Stream
	queue  queue
}

// NewFrames scrubs by a stream that nothing else uses.
func NewFrames(s *Stream, layout Layout) *Frames {
	return &Frames{stream: s, beside: &Stream{needles: s.needles}, layout: layout, queue: queue{room: 4*s.needles.hold + 4<<10}}
}

// Next takes a piece and returns what may be passed on, which is valid until the next call. It fails for good with
// ErrUnreadable.
func (f *Frames) Next(piece []byte) ([]byte, error) {
	f.queue.out = f.queue.out[:0]
	for len(piece) > 0 {
		if f.left == 0 {
			f.head[f.length] = piece[0]
			f.length++
			piece = piece[1:]
			if err := f.begin(); err != nil {
				return f.queue.out, err
			}
			continue
		}
		part := piece[:min(uint64(len(piece)), f.left)]
		piece = piece[len(part):]
		if err := f.take(part); err != nil {
			return f.queue.out, err
		}
	}
	return f.queue.out, nil
}

// begin passes the head on once it is whole.
func (f *Frames) begin() error {
	head, err := f.layout(f.head[:f.length])
	if err != nil || head.Size > f.length {
		return err
	}
	whole := f.head[:f.length]
	f.part, f.left, f.length = head.Part, head.Payload, 0
	switch {
	case head.Searched:
		f.searched = whole
		err = f.search(whole)
	case head.Part != Aside:
		err = f.queue.put(whole)
	case head.Payload > maxAside:
		return ErrUnreadable
	default:
		f.aside = append(f.aside[:0], whole...)
	}
	if f.left == 0 && err == nil {
		err = f.end()
	}
	return err
}

// take takes a part of the payload.
func (f *Frames) take(part []byte) error {
	f.left -= uint64(len(part))
	if f.part == Aside {
		f.aside = append(f.aside, part...)
	} else if err := f.search(part); err != nil {
		return err
	}
	if f.left > 0 {
		return nil
	}
	return f.end()
}

// search passes on what is decided of a message.
func (f *Frames) search(part []byte) error {
	f.queue.expect(len(part))
	return f.pass(f.stream.Next(part))
}

// pass passes a text on. A head of which something was overwritten is that of no frame.
func (f *Frames) pass(text []byte) error {
	head := f.searched[:min(len(f.searched), len(text))]
	if !bytes.Equal(head, text[:len(head)]) {
		return ErrUnreadable
	}
	f.searched = f.searched[len(head):]
	f.queue.pass(text)
	return nil
}

// end is that of a frame.
func (f *Frames) end() error {
	switch f.part {
	case Last:
		return f.pass(f.stream.Rest())
	case Aside:
		return f.queue.put(f.scrubbedAside())
	}
	return nil
}

// scrubbedAside is the one in hand, whose head has two bytes.
func (f *Frames) scrubbedAside() []byte {
	head, payload := f.aside[:2], f.aside[2:]
	scrubbed, found := f.beside.Text(string(payload))
	f.stream.found = f.stream.found || found
	return append(head, scrubbed...)
}
