package proxy

import (
	"errors"
	"io"
	"net/http"
)

// hasBody reports whether a request has a body that is still to be read. Over HTTP/2 one of no length has a Body too.
func hasBody(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0
}

// watchedBody is a body whose bytes are watched for, each of them and all together.
type watchedBody struct {
	io.ReadCloser
	idle, whole *watch
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.idle.touch()
	}
	if err == io.EOF {
		b.whole.stop()
	}
	return n, err
}

// bodyRefusal words why a body could not be read to its end.
func bodyRefusal(why error) *refusal {
	var over *http.MaxBytesError
	if errors.As(why, &over) {
		return tooLarge(http.StatusRequestEntityTooLarge, "body", over.Limit)
	}
	return badRequest("the request's body could not be read: its chunks, or its length, are not as they should be (RFC 9112 section 7.1, RFC 9113 section 8.1.1)")
}
