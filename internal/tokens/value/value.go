// Package value says what a token may be, whatever its source: one line that a header of a request can carry.
package value

import (
	"errors"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
)

// MaxBytes is the length in bytes of the longest token.
const MaxBytes = 64 << 10

var errControl = errors.New("it holds a line break or another control character: a token is one line; one line end after it is dropped")

// Check drops one final line end and refuses what no request header can carry (RFC 9110, section 5.5). What is left may be
// empty: its source says what that means.
//
// A private key in PEM is the exception: it is many lines, goes into no header, and is written as one line.
func Check(text string) (string, error) {
	if key, is, err := routetable.FoldKey(text); is {
		return key, err
	}
	if line, ended := strings.CutSuffix(text, "\n"); ended {
		text = strings.TrimSuffix(line, "\r")
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] == 0x7f {
			return "", errControl
		}
	}
	return text, nil
}
