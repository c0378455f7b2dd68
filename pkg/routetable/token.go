package routetable

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxTokenBytes bounds a token. Servers commonly refuse header lines of more than 8 to 16 KiB.
const MaxTokenBytes = 16 << 10

// SlotPrefix begins the name of every slot.
const SlotPrefix = "CRED_PROXY_TOKEN_"

// Token holds a token's value so that it cannot be printed, logged or encoded by accident.
//
// The value is behind a pointer because fmt does not call the methods of what it finds in unexported fields: it prints
// a string there, but only the address of a pointer.
type Token struct{ value *string }

// NewToken wraps a value.
func NewToken(value string) Token { return Token{&value} }

// Reveal returns the value, for the one place that puts it into a request.
func (t Token) Reveal() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// Equal reports whether both hold the same value.
func (t Token) Equal(u Token) bool { return t.Reveal() == u.Reveal() }

const redacted = "[token]"

// String implements fmt.Stringer without the value.
func (t Token) String() string { return redacted }

// Format implements fmt.Formatter without the value, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements encoding.TextMarshaler without the value; encoding/json and log/slog use it.
func (t Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// CheckToken reports why a value cannot be a token, in words that fit behind "the token of …". Its errors never
// show any of the value. What it lets pass is legal in a header field (RFC 9110 section 5.5) and, encoded, in Basic
// credentials (RFC 7617 section 2).
func CheckToken(value string) error {
	switch {
	case value == "":
		return errors.New("is empty")
	case len(value) > MaxTokenBytes:
		return fmt.Errorf("is longer than %d KiB", MaxTokenBytes>>10)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("has a control character (a line break in its middle, perhaps); it cannot be sent in a header")
	}
	return nil
}

// MinCallerKeyBytes is the least length of a caller key: anybody on the internal network may guess at it as often as
// they like.
const MinCallerKeyBytes = 16

// CheckCallerKey reports why a value cannot be a caller key, in words that fit behind "the caller key of …", without any
// of the value. What it lets pass arrives as it is in every place where a client can send it.
func CheckCallerKey(value string) error {
	if err := CheckToken(value); err != nil {
		return err
	}
	switch {
	case len(value) < MinCallerKeyBytes:
		return fmt.Errorf("is shorter than %d characters and could be guessed; make one with `openssl rand -hex 32`", MinCallerKeyBytes)
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }):
		return errors.New("has a space, a colon, or a character that is not ASCII; not every client could send it as it is")
	}
	return nil
}

// TokenDir is the directory below Dir that holds the token files of a generation.
func TokenDir(generation int64) string { return tokenDirPrefix + strconv.FormatInt(generation, 10) }

const tokenDirPrefix = "tokens-"

// DirGeneration is the generation whose token files are in the directory of that name; false when the name is not
// one that TokenDir gives.
func DirGeneration(name string) (int64, bool) {
	digits, ok := strings.CutPrefix(name, tokenDirPrefix)
	generation, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || generation < 1 || TokenDir(generation) != name {
		return 0, false
	}
	return generation, true
}

// isSlot reports whether name is SlotPrefix and a number from 1, written without leading zeros.
func isSlot(name string) bool {
	digits, ok := strings.CutPrefix(name, SlotPrefix)
	n, err := strconv.ParseUint(digits, 10, 16)
	return ok && err == nil && n > 0 && strconv.FormatUint(n, 10) == digits
}
