package proxy

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// maxFields is how many lines a request's header may have. Each takes some hundred bytes of memory, however short it
// is, so that the bytes of a header do not bound what it costs.
const maxFields = 100

var errTooManyFields = errors.New("the header has too many fields")

// header follows one request's header as it is read from a connection.
type header struct {
	over  bool
	lines int
	// length is that of the line so far; bare is whether it is nothing but a carriage return.
	length int
	bare   bool
	// behind is whether more was read than the header.
	behind bool
}

// after is the state in which the header of the next request is read. Its beginning may have been read along already, up to any
// place in a line, so that the end of that line is not taken for an empty one.
func (h *header) after() header {
	if h.behind {
		return header{length: 1}
	}
	return header{}
}

// read takes note of bytes and fails when the lines are too many. Whatever comes behind the empty line that ends the
// header is not judged: it may be a body, or the beginning of another request.
func (h *header) read(data []byte) error {
	for _, b := range data {
		switch {
		case h.over:
			h.behind = true
			return nil
		case b != '\n':
			h.bare = b == '\r' && h.length == 0
			h.length++
		case h.length == 0 || h.bare:
			h.over = true
		default:
			// The first line is the request's own.
			if h.lines++; h.lines > 1+maxFields {
				return errTooManyFields
			}
			h.length, h.bare = 0, false
		}
	}
	return nil
}

// malformed says why a request is none, although net/http took it; empty where it is one. Over HTTP/1.1 the lines of its header were
// counted as they came, but for those that were read along with the body before it.
func malformed(r *http.Request) string {
	n := len(r.Header)
	if r.ProtoMajor == 2 {
		n = 0
		for _, values := range r.Header {
			n += len(values)
		}
		if why := malformedInFrames(r); why != "" {
			return why
		}
	}
	if n > maxFields {
		return "the header has more than " + strconv.Itoa(maxFields) + " fields"
	}
	return ""
}

// notInToken tells what no method or name of a field has (RFC 9110 section 5.6.2).
func notInToken(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}
