// Package plainfile reads files that somebody else may have put there: never what is not a regular file, never more than is
// wanted, and without waiting for anybody.
package plainfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Flags are those with which such a file is opened. Opening never waits for a writer, as it would at a FIFO, and no terminal
// becomes the process's own.
const Flags = os.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOCTTY

var (
	// ErrIrregular: it is a directory, a FIFO, a device or a socket.
	ErrIrregular = errors.New("it is not a regular file")
	// ErrTooLarge: it has more bytes than are wanted.
	ErrTooLarge = errors.New("it is too large")
)

// Read reads a regular file of at most limit bytes. What it was is told as it was before it was read, so that whoever writes
// meanwhile shows; it is nil where that could not be found out.
func Read(file *os.File, limit int64) (data []byte, is fs.FileInfo, err error) {
	if is, err = file.Stat(); err != nil {
		return nil, nil, err
	}
	if !is.Mode().IsRegular() {
		return nil, is, ErrIrregular
	}
	data, err = io.ReadAll(io.LimitReader(file, limit+1))
	if int64(len(data)) > limit {
		return nil, is, ErrTooLarge
	}
	return data, is, err
}
