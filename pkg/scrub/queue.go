package scrub

// queue puts what stands between pieces of a text back where it stood, once the text has passed that far.
type queue struct {
	out []byte
	// taken and passed count the text's bytes.
	taken, passed uint64
	// waiting are behind text that is held back, bytes of them in all, of which there is so much room.
	waiting []insertion
	bytes   int
	room    int
}

// insertion is something behind the first bytes of a text.
type insertion struct {
	at   uint64
	what []byte
}

// expect says that so many bytes of text will pass.
func (q *queue) expect(n int) { q.taken += uint64(n) }

// put puts something behind all the text that was taken.
func (q *queue) put(what []byte) error {
	if q.passed == q.taken {
		q.out = append(q.out, what...)
		return nil
	}
	if q.bytes += len(what); q.bytes > q.room {
		return ErrUnreadable // an upstream that sends frames of nothing, on and on
	}
	q.waiting = append(q.waiting, insertion{q.taken, append([]byte(nil), what...)})
	return nil
}

// pass passes text on, and what stands in it.
func (q *queue) pass(text []byte) {
	for len(q.waiting) > 0 && q.waiting[0].at <= q.passed+uint64(len(text)) {
		next := q.waiting[0]
		n := next.at - q.passed
		q.out = append(append(q.out, text[:n]...), next.what...)
		q.passed, text = next.at, text[n:]
		q.bytes -= len(next.what)
		q.waiting = q.waiting[1:]
	}
	q.out = append(q.out, text...)
	q.passed += uint64(len(text))
}
