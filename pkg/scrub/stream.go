package scrub

import "sync"

// mark is what a token is overwritten with, byte by byte, so that no length changes.
const mark = '*'

// Stream scrubs one text that comes in pieces. What it changes is a function of the whole text, whatever the pieces: every byte
// that is part of an occurrence, and no other.
type Stream struct {
	needles *Needles
	// kept is memory of its own. The first given bytes of it were returned, the rest is held back.
	kept  []byte
	given int
	// owed is how many of the bytes that are held back are part of an occurrence that began before them.
	owed  int
	found bool

	spans   []span
	matches []match
	decoded []byte
}

// span is where an occurrence is, the characters beside it included.
type span struct{ from, to int }

// maxKeptBytes bounds the memory that a stream keeps for the next one that is opened.
const maxKeptBytes = 64 << 10

// Streams hands out streams, and has them used again.
type Streams struct{ pool sync.Pool }

// Open returns a stream for one text.
func (p *Streams) Open(n *Needles) *Stream {
	s, ok := p.pool.Get().(*Stream)
	if !ok {
		s = &Stream{}
	}
	s.needles = n
	return s
}

// Close takes a stream back, which is used no more. What it held back is dropped.
func (p *Streams) Close(s *Stream) {
	if cap(s.kept) > maxKeptBytes || cap(s.decoded) > maxKeptBytes {
		return
	}
	if s.found {
		clear(s.kept[:cap(s.kept)])
		clear(s.decoded[:cap(s.decoded)])
	}
	clear(s.matches[:cap(s.matches)]) // they point to needles
	*s = Stream{kept: s.kept[:0], spans: s.spans[:0], matches: s.matches[:0], decoded: s.decoded[:0]}
	p.pool.Put(s)
}

// Found reports whether anything was overwritten so far.
func (s *Stream) Found() bool { return s.found }

// Next takes a piece and returns what may be passed on, which is valid until the next call. It does not change the piece.
func (s *Stream) Next(piece []byte) []byte {
	data, own := s.join(piece)
	return s.pass(data, own, s.needles.decided(data))
}

// NextIn is Next for the piece that a buffer has from some place on. In front of that there may be room for what is held back: then
// nothing but that is copied. The buffer is the stream's until the next call.
func (s *Stream) NextIn(buffer []byte, from int) []byte {
	held := s.kept[s.given:]
	if len(held) > from {
		return s.Next(buffer[from:])
	}
	data := buffer[from-len(held):]
	copy(data, held)
	cut := s.needles.decided(data)
	s.look(data, cut)
	s.kept, s.given = append(s.kept[:0], data[cut:]...), 0
	return s.overwrite(data[:cut])
}

// Rest returns what was held back, at the end of the text.
func (s *Stream) Rest() []byte {
	data, own := s.join(nil)
	return s.pass(data, own, len(data))
}

// Text scrubs a text of its own, between two that come in pieces. It returns the same string when nothing is found.
func (s *Stream) Text(text string) (scrubbed string, found bool) {
	if len(text) < s.needles.window {
		return text, false
	}
	s.kept, s.given, s.owed = append(s.kept[:0], text...), 0, 0
	before := s.found
	s.found = false
	out := s.Rest()
	found, s.found = s.found, s.found || before
	if found {
		return string(out), true
	}
	return text, false
}

// join puts a piece behind what is held back. own is whether the result is the stream's memory.
func (s *Stream) join(piece []byte) (data []byte, own bool) {
	s.kept = append(s.kept[:0], s.kept[s.given:]...)
	s.given = 0
	if len(s.kept) == 0 {
		return piece, false
	}
	s.kept = append(s.kept, piece...)
	return s.kept, true
}

// pass returns data up to cut, scrubbed, and keeps the rest.
func (s *Stream) pass(data []byte, own bool, cut int) []byte {
	s.look(data, cut)
	if !own {
		if len(s.spans) == 0 {
			s.kept = append(s.kept[:0], data[cut:]...)
			return data[:cut]
		}
		s.kept = append(s.kept[:0], data...)
	}
	s.given = cut
	return s.overwrite(s.kept[:cut])
}

// overwrite puts marks on the spans as far as what is returned goes. The rest has to stay as it is for a while, since another
// occurrence may begin in it.
func (s *Stream) overwrite(out []byte) []byte {
	fill(out[:min(s.owed, len(out))])
	s.owed = max(0, s.owed-len(out))
	for _, span := range s.spans {
		s.found = true
		fill(out[span.from:min(span.to, len(out))])
		s.owed = max(s.owed, span.to-len(out))
	}
	return out
}

func fill(b []byte) {
	for i := range b {
		b[i] = mark
	}
}

// look lists the spans that begin before cut.
func (s *Stream) look(data []byte, cut int) {
	s.spans = s.spans[:0]
	for at := 0; at < cut; {
		lo, hi, kinds, ok := s.needles.nextRun(data, at)
		if !ok {
			return
		}
		run := data[lo:hi]
		s.matches = s.needles.search(s.matches[:0], run)
		for _, m := range s.matches {
			from, to := m.reach(run)
			s.add(data, span{lo + from, lo + to}, cut)
		}
		if kinds&percents != 0 {
			s.lookBehind(inURL, data, span{lo, hi}, cut)
		}
		if kinds&backslash != 0 {
			s.lookBehind(inJSON, data, span{lo, hi}, cut)
		}
		at = hi
	}
}

// lookBehind looks for what a run stands for.
func (s *Stream) lookBehind(spelled spelling, data []byte, run span, cut int) {
	text := data[run.from:run.to]
	s.decoded = spelled.decode(s.decoded[:0], text)
	s.matches = s.needles.search(s.matches[:0], s.decoded)
	c := cursor{}
	for _, m := range s.matches {
		first, end := m.reach(s.decoded)
		// The matches are in order of where they begin, and reach a byte further back at most.
		c = spelled.advance(c, text, max(0, m.at-1))
		from, to := spelled.place(c, text, first, end)
		s.add(data, span{run.from + from, run.from + to}, cut)
	}
}

// add lists a span if it begins before cut.
func (s *Stream) add(data []byte, found span, cut int) {
	if b := data[found.from]; b == '/' || b == '"' {
		// Without what it escapes, a backslash would spoil the JSON around it.
		for found.from > 0 && data[found.from-1] == '\\' {
			found.from--
		}
	}
	if found.from < cut {
		s.spans = append(s.spans, found)
	}
}
