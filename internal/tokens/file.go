package tokens

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"credproxy.dev/controller/internal/tokens/value"
	"credproxy.dev/controller/pkg/reconcile"
)

var (
	errIrregular = errors.New("it is not a regular file: put the token into one")
	errTooLarge  = errors.New("it is larger than 64 KiB: a token file holds one token and nothing else")
)

// filePermitted refuses a path that is not beneath the permitted directory, whether or not it exists.
func (r *Resolver) filePermitted(name string) error {
	switch {
	case r.opts.Dir == "":
		return fmt.Errorf("%w: add --token-dir DIR to permit the files beneath a directory", reconcile.ErrTokenDenied)
	case !filepath.IsLocal(name), slices.Contains(strings.Split(name, "/"), ".."):
		return fmt.Errorf("%w: only files beneath --token-dir are permitted: write the path relative to it, without any '..'",
			reconcile.ErrTokenDenied)
	}
	return nil
}

// look reads a file beneath a directory, and says which it was; nil where none could be opened. Links may lead anywhere
// within the directory, as those of mounted secrets do, and nowhere else.
func look(dir, name string) (text string, is fs.FileInfo, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", nil, fmt.Errorf("%w: the directory of --token-dir cannot be opened (%w): make it, and let the user that runs the controller read it",
			reconcile.ErrTokenUnknown, reason(err))
	}
	defer root.Close()
	file, err := open(root, name)
	if err != nil {
		return "", nil, explain(err)
	}
	defer file.Close()
	data, is, err := read(file)
	if err != nil {
		return "", is, explain(err)
	}
	return string(data), is, nil
}

// open never waits, so that a FIFO in a file's place cannot hold the caller up.
func open(root *os.Root, name string) (*os.File, error) {
	return root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
}

// read reads a regular file. What it was is told as it was before it was read, so that whoever writes meanwhile shows.
func read(file *os.File) ([]byte, fs.FileInfo, error) {
	is, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !is.Mode().IsRegular() {
		return nil, is, errIrregular
	}
	data, err := io.ReadAll(io.LimitReader(file, value.MaxBytes+1))
	if len(data) > value.MaxBytes {
		return nil, is, errTooLarge
	}
	return data, is, err
}

// explain turns a failure to read into one of the kinds, with what to do.
func explain(err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, errIrregular), errors.Is(err, errTooLarge):
		return fmt.Errorf("%w: %w", reconcile.ErrTokenInvalid, err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: write the token into that file beneath --token-dir", reconcile.ErrTokenMissing)
	case errors.Is(err, syscall.ENXIO): // A socket, or a device without a driver.
		return fmt.Errorf("%w: %w", reconcile.ErrTokenInvalid, errIrregular)
	case errors.As(err, &errno):
		return fmt.Errorf("%w: it cannot be read (%w): let the user that runs the controller read it", reconcile.ErrTokenUnknown, errno)
	}
	// What is left is os.Root's refusal.
	return fmt.Errorf("%w: a link leads out of --token-dir, or is absolute: put the file itself there, or link to it relatively",
		reconcile.ErrTokenDenied)
}

// reason is the system's word for an error, without the path.
func reason(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
