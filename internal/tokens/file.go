package tokens

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"credproxy.dev/controller/internal/plainfile"
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
	file, err := root.OpenFile(name, plainfile.Flags, 0)
	if err != nil {
		return "", nil, explain(err)
	}
	defer file.Close()
	data, is, err := plainfile.Read(file, value.MaxBytes)
	if err != nil {
		return "", is, explain(err)
	}
	return string(data), is, nil
}

// explain turns a failure to read into one of the kinds, with what to do.
func explain(err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, plainfile.ErrIrregular), errors.Is(err, syscall.ENXIO): // ENXIO: a socket, or a device without a driver.
		return fmt.Errorf("%w: %w", reconcile.ErrTokenInvalid, errIrregular)
	case errors.Is(err, plainfile.ErrTooLarge):
		return fmt.Errorf("%w: %w", reconcile.ErrTokenInvalid, errTooLarge)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: there is no such file beneath --token-dir: write the token into one", reconcile.ErrTokenMissing)
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
