package proxy

import "errors"

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
}

// read takes note of bytes and fails when the lines are too many. Whatever comes behind the empty line that ends the
// header is not judged: it may be a body, or the beginning of another request.
func (h *header) read(data []byte) error {
	for _, b := range data {
		switch {
		case h.over:
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
