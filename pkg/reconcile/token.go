package reconcile

import "fmt"

// Token holds a token's value so that it cannot be printed, logged or encoded by accident.
type Token struct{ value string }

// NewToken wraps a value.
func NewToken(value string) Token { return Token{value} }

// Reveal returns the value, for the one call that hands it to the engine.
func (t Token) Reveal() string { return t.value }

// Equal reports whether both hold the same value.
func (t Token) Equal(u Token) bool { return t.value == u.value }

const redacted = "[token]"

// String implements fmt.Stringer without the value.
func (t Token) String() string { return redacted }

// Format implements fmt.Formatter without the value, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements encoding.TextMarshaler without the value.
func (t Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }
