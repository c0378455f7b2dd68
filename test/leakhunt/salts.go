package leakhunt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"regexp"
	"strings"
)

const (
	// maxRuns bounds how much is tried as a salt.
	maxRuns = 20_000
	// minSalt is the length from which on a word is tried: eight bytes in hex.
	minSalt = 16
)

// saltLike is a run of the characters of hex and base64 that could be a salt, or a digest. What is longer is cut into several.
//
// immutable
var saltLike = regexp.MustCompile(`[0-9A-Za-z+/_-]{16,128}`)

// Salts collects what could be a salt and what could be a salted digest, in all texts together. The zero Salts is ready.
type Salts struct {
	// runs are those that were met, and where first.
	runs map[string]string
	// digests are the first eight bytes of what runs, and the words in them, could be the writing of.
	digests map[uint64]string
}

// Collect takes from a text what could be salt or digest.
func (s *Salts) Collect(place string, text []byte) {
	if s.runs == nil {
		s.runs, s.digests = map[string]string{}, map[uint64]string{}
	}
	for _, run := range saltLike.FindAllString(string(text), -1) {
		s.note(place, run)
		for _, word := range strings.FieldsFunc(run, isSeparator) {
			if len(word) >= minSalt && word != run {
				s.note(place, word)
			}
		}
	}
}

// note takes up a run, with its beginning and that of each word in it.
func (s *Salts) note(place, run string) {
	if _, ok := s.runs[run]; ok {
		return
	}
	s.runs[run] = place
	for i := range len(run) {
		if i > 0 && !isSeparator(rune(run[i-1])) {
			continue
		}
		for _, key := range beginnings(run[i:]) {
			s.digests[key] = place
		}
	}
}

// beginnings are the first eight bytes of what a text may be the writing of, in hex and in both alphabets of base64.
func beginnings(text string) (keys []uint64) {
	take := func(decode func(string) ([]byte, error), characters int) {
		if len(text) < characters {
			return
		}
		if raw, err := decode(text[:characters]); err == nil {
			keys = append(keys, binary.BigEndian.Uint64(raw))
		}
	}
	take(hex.DecodeString, 16)
	take(base64.RawStdEncoding.DecodeString, 12)
	take(base64.RawURLEncoding.DecodeString, 12)
	return keys
}

// isSeparator reports whether a character of base64 may also stand between words.
func isSeparator(r rune) bool { return r == '+' || r == '/' || r == '-' || r == '_' }

// SaltedFind says that a digest of a secret with a salt is somewhere.
type SaltedFind struct {
	Secret, Writing string
	// Salt and Digest are where they were met.
	Salt, Digest string
}

// Search tries everything that was collected as a salt of each secret, and looks for the digest among the same. It fails when
// there is more than can be tried.
func (s *Salts) Search(secrets []Secret) (found []SaltedFind, err error) {
	if len(s.runs) > maxRuns {
		return nil, fmt.Errorf("%d runs could be salts, more than the %d that are tried", len(s.runs), maxRuns)
	}
	for run, place := range s.runs {
		for _, salt := range readings(run) {
			mac := hmac.New(sha256.New, salt)
			for _, secret := range secrets {
				salted(mac, salt, []byte(secret.Value), func(name string, sum []byte) {
					if at, ok := s.digests[binary.BigEndian.Uint64(sum)]; ok {
						found = append(found, SaltedFind{secret.Name, name, place, at})
					}
				})
			}
		}
	}
	return found, nil
}

// readings are what a run may stand for as a salt: itself, and what it encodes.
func readings(run string) [][]byte {
	all := [][]byte{[]byte(run)}
	if raw, err := hex.DecodeString(run); err == nil {
		return append(all, raw)
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if raw, err := encoding.DecodeString(run); err == nil {
			return append(all, raw)
		}
	}
	return all
}

// salted visits the usual digests of a value with a salt.
func salted(mac hash.Hash, salt, value []byte, visit func(name string, sum []byte)) {
	for _, message := range []struct {
		name string
		text []byte
	}{
		{"salt and value", append(salt[:len(salt):len(salt)], value...)},
		{"value and salt", append(value[:len(value):len(value)], salt...)},
	} {
		for _, digest := range sums(message.text) {
			visit(digest.name+" of "+message.name, []byte(digest.text))
		}
	}
	mac.Reset()
	_, _ = mac.Write(value) // it never fails
	visit("HMAC-SHA-256 of it", mac.Sum(nil))
}
