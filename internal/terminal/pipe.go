package terminal

import (
	"errors"
	"io"
	"sync"
	"syscall"
)

// ErrClosed means that nobody reads any more what is written, as when `head` has seen enough.
var ErrClosed = errors.New("nobody reads what is printed any more")

// Pipe is a writer whose reader may go away. It is safe for use by several goroutines.
type Pipe struct {
	to   io.Writer
	gone func()

	mu     sync.Mutex
	closed bool
}

// NewPipe makes one that calls gone once, when the reader has gone. Nothing is written after that.
func NewPipe(to io.Writer, gone func()) *Pipe { return &Pipe{to: to, gone: gone} }

// Write implements io.Writer. It fails with ErrClosed once the reader has gone.
func (p *Pipe) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, ErrClosed
	}
	n, err := p.to.Write(text)
	if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, io.ErrClosedPipe) {
		return n, err
	}
	p.close()
	return n, ErrClosed
}

// Unwrap returns what is written to.
func (p *Pipe) Unwrap() io.Writer { return p.to }

// Look finds out whether the reader has gone, without writing: for who has nothing to write for long.
func (p *Pipe) Look() {
	if file, ok := fd(p.to); ok && readerGone(file) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.close()
	}
}

func (p *Pipe) close() {
	if !p.closed {
		p.closed = true
		p.gone()
	}
}

// Closed reports whether the reader has gone, as far as was noticed.
func (p *Pipe) Closed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}
