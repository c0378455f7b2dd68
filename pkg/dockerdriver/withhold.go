package dockerdriver

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	cerrdefs "github.com/containerd/errdefs"

	"credproxy.dev/controller/pkg/reconcile"
)

// telling is how many letters and digits of a token in a row, without what stands between them, make words its own.
// Of a shorter token it takes all.
const telling = 6

// withhold replaces an error whose words may hold a part of one of the tokens that were sent with the call, however
// the engine has written them. What kind of error it is stays.
func withhold(err error, tokens map[string]reconcile.Token) error {
	if err == nil {
		return nil
	}
	for slot, token := range tokens {
		if mayHold(err.Error(), token.Reveal()) {
			return fmt.Errorf("the engine refused the container, with words that repeat the token in %s and are withheld: %w", slot, kindOf(err))
		}
	}
	return err
}

// kindOf is an error's kind without its words.
func kindOf(err error) error {
	for _, kind := range []error{
		context.DeadlineExceeded, context.Canceled, cerrdefs.ErrNotFound, cerrdefs.ErrConflict, cerrdefs.ErrUnavailable,
		cerrdefs.ErrInvalidArgument, cerrdefs.ErrInternal,
	} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return cerrdefs.ErrUnknown
}

// mayHold reports whether words hold a token or a good part of it. Escapes within escapes differ in what stands
// between letters and digits, so that only these are compared.
func mayHold(words, token string) bool {
	if token == "" {
		return false
	}
	bare := squeeze(words)
	for _, form := range writings(token) {
		if strings.Contains(words, form) {
			return true
		}
		form = squeeze(form)
		size := min(len(form), telling)
		for i := 0; size > 0 && i+size <= len(form); i++ {
			if strings.Contains(bare, form[i:i+size]) {
				return true
			}
		}
	}
	return false
}

// writings are the ways in which programs write a text.
func writings(text string) []string {
	asJSON, _ := json.Marshal(text) // a string always has one
	forms := []string{
		text, inside(strconv.Quote(text)), inside(strconv.QuoteToASCII(text)), inside(string(asJSON)),
		url.QueryEscape(text), url.PathEscape(text), hex.EncodeToString([]byte(text)),
	}
	// Base64 of something that holds the text depends on where in it the text stands; its ends depend on what is next to it.
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + text))
		if from, to := (before*8+5)/6, len(encoded)-1; from < to {
			forms = append(forms, encoded[from:to])
		}
	}
	return forms
}

// inside is a quoted text without its quotes.
func inside(quoted string) string { return quoted[1 : len(quoted)-1] }

// squeeze leaves the letters and digits of a text, the letters small.
func squeeze(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}
