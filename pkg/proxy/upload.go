package proxy

import (
	"io"
	"net/http"
	"sync/atomic"
)

// upload is the body of a request on its way to the upstream. It remembers whether it was the client's fault that the
// request could not be sent, and how much was.
type upload struct {
	io.ReadCloser
	failed, closed atomic.Bool
	read           atomic.Int64
	// why is the error, once it has failed.
	why error
}

// takeIn returns a request whose body, if any, is read through the exchange. net/http goes by the type of the body of its own, which
// stays as it is: otherwise it would take the rest of a broken one for the next request.
func (e *exchange) takeIn(r *http.Request) *http.Request {
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	e.upload.ReadCloser = r.Body
	in := *r
	in.Body = &e.upload
	return &in
}

// Read counts, and notes an error unless it only says that the transport has closed the body.
func (u *upload) Read(b []byte) (int, error) {
	n, err := u.ReadCloser.Read(b)
	u.read.Add(int64(n))
	if err != nil && err != io.EOF && !u.closed.Load() {
		u.why = err
		u.failed.Store(true)
	}
	return n, err
}

// Close is the transport's, once it needs no more.
func (u *upload) Close() error {
	u.closed.Store(true)
	return u.ReadCloser.Close()
}
