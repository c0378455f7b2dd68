package leakhunt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
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
	// heads are the beginnings of runs, and of what stands behind a separator within one.
	heads map[[enough]byte]string
}

// Collect takes from a text what could be salt or digest.
func (s *Salts) Collect(place string, text []byte) {
	if s.runs == nil {
		s.runs, s.heads = map[string]string{}, map[[enough]byte]string{}
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
	for i := 0; i+enough <= len(run); i++ {
		if i == 0 || isSeparator(rune(run[i-1])) {
			s.heads[[enough]byte([]byte(run[i:]))] = place
		}
	}
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
			for _, secret := range secrets {
				for _, sum := range salted(salt, secret.Value) {
					for _, text := range digestTexts(sum.text)[1:] { // bytes are no run
						if at, ok := s.heads[[enough]byte([]byte(text.text))]; ok {
							found = append(found, SaltedFind{secret.Name, sum.name + text.name, place, at})
						}
					}
				}
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

// salted are the usual digests of a value with a salt.
func salted(salt []byte, value string) (all []writing) {
	for name, message := range map[string]string{"salt and value": string(salt) + value, "value and salt": value + string(salt)} {
		for _, sum := range sums([]byte(message)) {
			all = append(all, writing{sum.name + " of " + name, sum.text})
		}
	}
	mac := hmac.New(sha256.New, salt)
	_, _ = mac.Write([]byte(value)) // it never fails
	return append(all, writing{"HMAC-SHA-256", string(mac.Sum(nil))})
}
