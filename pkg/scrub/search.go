package scrub

import (
	"crypto/subtle"
	"math/bits"
)

// match is a needle and where it begins.
type match struct {
	at     int
	needle *needle
}

// reach is what a match covers of a text: the needle, and beside it what carries bits of the token.
func (m match) reach(text []byte) (from, to int) {
	from, to = m.at, m.at+len(m.needle.text)
	if m.needle.before && from > 0 && isBase64(text[from-1]) {
		from--
	}
	if m.needle.after && to < len(text) && isBase64(text[to]) {
		to++
	}
	return from, to
}

// isBase64 tells the characters of both alphabets (RFC 4648 sections 4 and 5).
func isBase64(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '+' || b == '/' || b == '-' || b == '_'
}

// hash is the cyclic polynomial of a window's bytes (Cohen, Recursive Hashing Functions for n-Grams, 1997).
func (n *Needles) hash(window []byte) (h uint64) {
	for _, b := range window {
		h = bits.RotateLeft64(h, 1) ^ n.in[b]
	}
	return h
}

// search appends to found every needle in text. Each window costs the same, but for those that have the first bytes of a
// needle, as many as the shortest needle has, and a few chance hits.
func (n *Needles) search(found []match, text []byte) []match {
	if len(text) < n.window {
		return found
	}
	h := n.hash(text[:n.window])
	if n.seen[h>>52] {
		found = n.verify(found, text, 0, h)
	}
	ahead, behind := text[n.window:], text[:len(text)-n.window]
	behind = behind[:len(ahead)]
	for i, b := range ahead {
		h = bits.RotateLeft64(h, 1) ^ (n.in[b] ^ n.out[behind[i]])
		if n.seen[h>>52] {
			found = n.verify(found, text, i+1, h)
		}
	}
	return found
}

// verify appends the needles that begin at a place of text, of which the window there has a hash.
func (n *Needles) verify(found []match, text []byte, at int, h uint64) []match {
	for i, anchor := range n.anchors {
		if anchor != h {
			continue
		}
		needle := &n.all[i]
		if end := at + len(needle.text); end <= len(text) && subtle.ConstantTimeCompare(text[at:end], needle.text) == 1 {
			found = append(found, match{at, needle})
		}
	}
	return found
}
