// Package leakhunt finds tokens in what programs leave behind, in whatever way they are written there: whole or in part,
// encoded, reversed or digested.
package leakhunt

import (
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	// enough is how many bytes in a row of a writing give it away, wherever they begin: so a part of a token is found too,
	// and nothing that is found is there by chance.
	enough = 12
	// probe is how many bytes are looked up at once.
	probe = 8
	// stride is the way from one look to the next: of as many bytes in a row as are enough, one look meets eight.
	stride = enough - probe + 1
	// filterBits is the logarithm of the filter's size.
	filterBits = 22
)

// Find says that a secret is in a text, as what, and where in it.
type Find struct {
	Secret, Writing string
	// Offset is that of the first byte that gives it away.
	Offset int
}

// place is one in a writing of a secret.
type place struct {
	secret string
	writing
	offset int
}

// Index knows all writings of some secrets.
type Index struct {
	secrets []Secret
	places  map[uint64][]place
	// filter has a bit set for each key of places, so that the map is asked rarely.
	filter []uint64
}

// NewIndex makes an index of secrets.
func NewIndex(secrets ...Secret) (*Index, error) {
	x := &Index{places: map[uint64][]place{}, filter: make([]uint64, 1<<filterBits/64)}
	for _, s := range secrets {
		if err := x.Add(s); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// Add hunts one more secret.
func (x *Index) Add(s Secret) error {
	if len(s.Value) < 2*enough {
		return fmt.Errorf("%s has %d bytes, which is too short to be told from other text; it takes %d", s.Name, len(s.Value), 2*enough)
	}
	x.secrets = append(x.secrets, s)
	for _, w := range writings(s.Value) {
		x.put(s.Name, w, len(w.text))
	}
	for _, w := range digests(s.Value) {
		x.put(s.Name, w, enough) // digests are cut short at their end, if anywhere
	}
	return nil
}

// put makes a writing known by its first bytes, or all of them.
func (x *Index) put(secret string, w writing, first int) {
	for i := 0; i+probe <= first; i++ {
		key := binary.LittleEndian.Uint64([]byte(w.text[i:]))
		x.places[key] = append(x.places[key], place{secret, w, i})
		bit := bitOf(key)
		x.filter[bit/64] |= 1 << (bit % 64)
	}
}

// bitOf is the filter's bit for a key.
func bitOf(key uint64) uint64 { return key * 0x9E3779B97F4A7C15 >> (64 - filterBits) }

// Search finds the secrets in a text, each writing of each once, in the order in which they begin. Where several writings
// agree with the text, the one that does so for longest is told.
//
//go:norace // it only reads what is its caller's own, and would take thirty times as long
func (x *Index) Search(text []byte) []Find {
	var all finds
	for i := 0; i+probe <= len(text); i += stride {
		key := binary.LittleEndian.Uint64(text[i:])
		if bit := bitOf(key); x.filter[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		for _, p := range x.places[key] {
			if from, length := p.extent(text, i); length >= enough {
				all.add(Find{p.secret, p.name, from}, length)
			}
		}
	}
	return all.found
}

// finds are what was found so far, with how far each agrees.
type finds struct {
	found   []Find
	lengths []int
}

func (f *finds) add(one Find, length int) {
	for i, known := range f.found {
		if known.Secret != one.Secret {
			continue
		}
		overlap := one.Offset < known.Offset+f.lengths[i] && known.Offset < one.Offset+length
		if overlap && length > f.lengths[i] {
			f.found[i], f.lengths[i] = one, length
		}
		if overlap || known.Writing == one.Writing {
			return
		}
	}
	f.found, f.lengths = append(f.found, one), append(f.lengths, length)
}

// extent is how far a text, which at some byte is at this place of the writing, agrees with it to both sides.
func (p place) extent(text []byte, at int) (from, length int) {
	before, after := 0, probe
	for before < min(at, p.offset) && text[at-before-1] == p.text[p.offset-before-1] {
		before++
	}
	for after < min(len(text)-at, len(p.text)-p.offset) && text[at+after] == p.text[p.offset+after] {
		after++
	}
	return at - before, before + after
}

// Secrets are those that are hunted.
func (x *Index) Secrets() []Secret { return slices.Clone(x.secrets) }
