package scrub

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// BenchmarkStream1MiB prints the throughput of bodies of 1 MiB that come in pieces of 16 KiB, by what they are.
func BenchmarkStream1MiB(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	key := randomString(r, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 40)
	binary := make([]byte, 1<<20)
	for i := range binary {
		binary[i] = byte(r.Uint32())
	}
	bodies := map[string][]byte{
		"events":  []byte(strings.Repeat(`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a word\nor two"}}`+"\n\n", 11000))[:1<<20],
		"binary":  binary,
		"base64":  []byte(randomString(r, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/", 1<<20)),
		"escapes": bytes.Repeat([]byte(`\u00e9%20`), 1<<20/9),
		"one run": bytes.Repeat([]byte("x"), 1<<20),
		"tokens":  bytes.Repeat([]byte(key+" "), 1<<20/41),
	}
	for name, body := range bodies {
		b.Run(name, func(b *testing.B) { benchStream(b, New(key), body) })
	}
}

// BenchmarkStream1KiB is a small answer, of which the pool has the state.
func BenchmarkStream1KiB(b *testing.B) {
	benchStream(b, New(strings.Repeat("0123456789", 4)), bytes.Repeat([]byte("x"), 1<<10))
}

func benchStream(b *testing.B, n *Needles, body []byte) {
	b.Helper()
	var streams Streams
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		s := streams.Open(n)
		for rest := body; len(rest) > 0; {
			piece := rest[:min(len(rest), 16<<10)]
			s.Next(piece)
			rest = rest[len(piece):]
		}
		s.Rest()
		streams.Close(s)
	}
}
