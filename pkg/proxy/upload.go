package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// upload is the body of a request on its way to the upstream. It remembers whether it was the client's fault that the
// request could not be sent, whether it is over, and how much was read.
type upload struct {
	from                 io.Reader
	failed, over, closed atomic.Bool
	read                 atomic.Int64
	// why is the error, once it has failed.
	why error
	// atEnd is called when all of it was read; nil when nobody needs to know.
	atEnd func()
}

// of is the body of a client's request for its upstream; nil where there is none, so that the transport may send the request again.
func (u *upload) of(in *http.Request) io.ReadCloser {
	if !hasBody(in) || in.ContentLength == 0 {
		return nil
	}
	u.from = in.Body
	return u
}

// errUploadOver is what the transport gets that goes on to read.
var errUploadOver = errors.New("the body is not wanted any more")

// Read counts, and notes an error.
func (u *upload) Read(b []byte) (int, error) {
	if u.over.Load() {
		// The transport asks once more for a body whose length it has read, and net/http may have closed that.
		return 0, io.EOF
	}
	if u.closed.Load() {
		return 0, errUploadOver
	}
	n, err := u.from.Read(b)
	u.read.Add(int64(n))
	if err == io.EOF {
		u.over.Store(true)
		if u.atEnd != nil {
			u.atEnd()
		}
		return n, err
	}
	if err != nil && !u.closed.Load() {
		u.why = err
		u.failed.Store(true)
	}
	return n, err
}

// Close is the transport's, once it needs no more. It leaves the client's body open: net/http knows how much of that there is to
// read, and whether to wait for it.
func (u *upload) Close() error {
	u.end()
	return nil
}

// underway reports whether there is a body of which the end was not read.
func (u *upload) underway() bool { return u.from != nil && !u.over.Load() }

// end is the exchange's, after which nobody may read from its client.
func (u *upload) end() { u.closed.Store(true) }

// endUpload ends the request's side of an exchange that has its answer. A body that is still underway is that of the connection's last
// request.
func (e *exchange) endUpload() {
	if g := guestOf(e.in.Context()); g != nil && e.in.ProtoMajor == 1 && e.upload.underway() {
		g.leaveBy(time.Now().Add(bodyGrace))
	}
	e.upload.end()
}

// bodyGrace is how long a client that has its answer may take for a body that nobody waits for.
const bodyGrace = 5 * time.Second

// hurryBody bounds how long net/http waits for the body of a request that is refused, before it sends the refusal. The next request sets a
// deadline of its own.
func (e *exchange) hurryBody() {
	if e.in.ProtoMajor == 1 {
		_ = http.NewResponseController(e.ResponseWriter).SetReadDeadline(time.Now().Add(bodyGrace))
	}
}
