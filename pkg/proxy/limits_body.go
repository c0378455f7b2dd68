package proxy

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// boundBody returns the request with a body of bounded size that has to arrive in time. The size that a request announces has
// been judged already; this is for the one that it really has.
func (l *limits) boundBody(e *exchange, r *http.Request) *http.Request {
	if r.Body == nil || r.Body == http.NoBody || l.bodyBytes == 0 && l.bodyTimeout == 0 && e.idle == nil {
		return r
	}
	bounded := *r
	if l.bodyBytes > 0 {
		bounded.Body = http.MaxBytesReader(e.ResponseWriter, bounded.Body, l.bodyBytes)
	}
	body := &timedBody{ReadCloser: bounded.Body, idle: e.idle}
	if l.bodyTimeout > 0 {
		body.control = http.NewResponseController(e.ResponseWriter)
		// It fails for writers of tests only, which have no connection.
		_ = body.control.SetReadDeadline(time.Now().Add(l.bodyTimeout))
	}
	bounded.Body = body
	return &bounded
}

// timedBody is a body that is read under a deadline, or whose bytes are watched for.
type timedBody struct {
	io.ReadCloser
	idle *idleWatch
	// control is nil without a deadline.
	control *http.ResponseController
}

// Read lifts the deadline at the body's end: net/http goes on reading then, to notice when the client leaves.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.idle.touch()
	}
	if err == io.EOF && b.control != nil {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// bodyRefusal words why a body could not be read to its end.
func bodyRefusal(rt *route, why error) *refusal {
	var over *http.MaxBytesError
	switch {
	case errors.As(why, &over):
		return tooLarge(http.StatusRequestEntityTooLarge, "body", over.Limit)
	case rt.limits != nil && errors.Is(why, os.ErrDeadlineExceeded):
		return bodyTimedOut(rt)
	}
	return badRequest("the request's body could not be read: its chunks are not as they should be (RFC 9112 section 7.1)")
}
