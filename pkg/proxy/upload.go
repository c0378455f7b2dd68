package proxy

import (
	"io"
	"sync/atomic"
)

// upload is the body of a request on its way to the upstream. It remembers whether it was the client's fault that the
// request could not be sent.
type upload struct {
	io.ReadCloser
	failed, closed atomic.Bool
	// why is the error, once it has failed.
	why error
}

// Read notes an error, unless it only says that the transport has closed the body.
func (u *upload) Read(b []byte) (int, error) {
	n, err := u.ReadCloser.Read(b)
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
