package scrub

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// MinTokenBytes is the least length of a token that is looked for. A shorter one would be found by accident, and guessed by
// looking at what is overwritten.
const MinTokenBytes = 8

// holdSlack is more than what a spelling takes beside the token: the characters beside base64, and an escape that must not be cut.
const holdSlack = 64

// needle is one text that a token appears as.
type needle struct {
	text []byte
	// before and after are whether the character of base64 beside it carries bits of the token too, which it shares with what is
	// around it.
	before, after bool
}

// Needles are the texts that are looked for, prepared. They never change, and do not print.
type Needles struct {
	all []needle
	// window is the length in bytes of the shortest; the hash of as many first bytes of each is its anchor.
	window  int
	anchors []uint64
	// in and out are what a byte adds to the hash of a window, and takes from it as it leaves. They are random, so that nobody
	// can make up a text with a given hash.
	in, out [256]uint64
	// seen has the first 12 bits of each anchor.
	seen [4096]bool
	// kinds says of each byte whether it may be part of a needle, as it is or spelled. It is the same for all tokens but for
	// characters that few have, of which what is held back so tells that one of them is in a token.
	kinds [256]kind
	// hold is the most that is held back, in bytes, an escape more or less.
	hold int
}

// New prepares the search for tokens. It is nil when none of them is long enough.
func New(tokens ...string) *Needles {
	n := &Needles{kinds: publicKinds()}
	longest := 0
	for _, token := range tokens {
		if len(token) >= MinTokenBytes {
			longest = max(longest, len(token))
			n.all = append(n.all, appearances(token)...)
		}
	}
	if len(n.all) == 0 {
		return nil
	}
	slices.SortFunc(n.all, func(a, b needle) int { return bytes.Compare(a.text, b.text) })
	n.all = slices.CompactFunc(n.all, func(a, b needle) bool { return bytes.Equal(a.text, b.text) })
	// Each byte written as \u00XX. The power of two is there because a length that is seen should say little of the token's.
	n.hold = 1 << bits.Len(uint(6*longest+holdSlack))
	n.index()
	return n
}

func (n *Needles) index() {
	n.window = len(slices.MinFunc(n.all, func(a, b needle) int { return len(a.text) - len(b.text) }).text)
	var key [256 * 8]byte
	_, _ = rand.Read(key[:]) // which never fails
	for b := range n.in {
		n.in[b] = binary.LittleEndian.Uint64(key[8*b:])
		n.out[b] = bits.RotateLeft64(n.in[b], n.window)
	}
	for _, needle := range n.all {
		h := n.hash(needle.text[:n.window])
		n.anchors = append(n.anchors, h)
		n.seen[h>>52] = true
		for _, b := range needle.text {
			n.kinds[b] |= inside
		}
	}
}

// Format implements fmt.Formatter without the needles, whatever the verb.
func (n *Needles) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[needles]")) }

// appearances are the texts as which a token is looked for, each of them as it is, percent-encoded and in JSON.
func appearances(token string) []needle {
	all := []needle{{text: []byte(token)}}
	if strings.Contains(token, " ") {
		// In a form a space is a plus (WHATWG URL section 5.1).
		all = append(all, needle{text: []byte(strings.ReplaceAll(token, " ", "+"))})
	}
	if bare := strings.ReplaceAll(token, `\`, ""); bare != token && len(bare) >= MinTokenBytes {
		// Unescaping JSON drops every backslash.
		all = append(all, needle{text: []byte(bare)})
	}
	digits := hex.EncodeToString([]byte(token))
	all = append(all, needle{text: []byte(digits)}, needle{text: []byte(strings.ToUpper(digits))})
	for offset := range 3 {
		all = append(all, inBase64(token, offset, base64.RawStdEncoding), inBase64(token, offset, base64.RawURLEncoding))
	}
	return all
}

// inBase64 is how a token appears in the encoding of a text that has it behind a multiple of three bytes and offset more. The
// characters that depend on the token alone are looked for; one at either end may depend on its neighbours too.
func inBase64(token string, offset int, alphabet *base64.Encoding) needle {
	padded := append(make([]byte, offset, offset+len(token)), token...)
	text := []byte(alphabet.EncodeToString(padded))
	// A character has six bits.
	first, end := (8*offset+5)/6, 8*len(padded)/6
	return needle{text: text[first:end], before: offset%3 != 0, after: len(padded)%3 != 0}
}
