// Package operatorfile reads files by which the operator decides, such as what may run as the controller: nobody else may
// have had a say in them.
package operatorfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"credproxy.dev/controller/internal/plainfile"
	"credproxy.dev/controller/pkg/dirwatch"
)

// maxBytes is the size of the largest such file.
const maxBytes = 1 << 20

// othersWrite is what the group and everybody else may not do.
const othersWrite fs.FileMode = 0o022

// ErrExposed marks the errors of a file that others than the operator could have written.
var ErrExposed = errors.New("others could have written it")

// Read reads a regular file of at most 1 MiB. It refuses one that lies beneath a directory of specs, or is reached through
// one, since their authors would write it, and one that users besides its owner may write. Errors say what to do, and do not
// name the file.
func Read(path string, specs ...string) ([]byte, error) {
	for _, dir := range specs {
		if Beneath(path, dir) {
			return nil, fmt.Errorf("%w: it lies beneath --specs %s, where authors of specs write: keep it elsewhere", ErrExposed, dir)
		}
	}
	file, err := os.OpenFile(path, plainfile.Flags, 0) //nolint:gosec // the operator's own choice
	if err != nil {
		return nil, fmt.Errorf("it cannot be opened: %w: write it, and let the user that runs the controller read it", bare(err))
	}
	defer file.Close()
	data, is, err := plainfile.Read(file, maxBytes)
	switch {
	case is != nil && is.Mode().IsRegular() && is.Mode()&othersWrite != 0:
		return nil, fmt.Errorf("%w: users besides its owner may write it (%v): chmod go-w it, and look at what it says", ErrExposed, is.Mode())
	case errors.Is(err, plainfile.ErrTooLarge):
		return nil, errors.New("it is larger than 1 MiB")
	case err != nil:
		return nil, bare(err)
	}
	return data, nil
}

// Beneath reports whether a path lies in a directory, or leads through it by a link: then whoever writes in the directory
// decides what is found at the path. Either may be missing; nothing lies beneath an empty dir.
func Beneath(path, dir string) bool {
	if dir == "" {
		return false
	}
	inside, _ := resolve(dir)
	final, hops := resolve(path)
	return dirwatch.Within(final, inside) || slices.ContainsFunc(hops, func(h dirwatch.Hop) bool { return dirwatch.Within(h.Dir, inside) })
}

// resolve is where a path leads, with the links on its way; of one that leads nowhere, where it says. One that may not be
// looked at cannot be used either.
func resolve(path string) (final string, hops []dirwatch.Hop) {
	full, err := filepath.Abs(path)
	if err != nil {
		full = filepath.Clean(path)
	}
	final, hops, err = dirwatch.Resolve(string(filepath.Separator), full)
	if err != nil {
		final = full
	}
	return final, hops
}

// bare is an error of a file without its path, which the caller names.
func bare(err error) error {
	if wrapped := (*fs.PathError)(nil); errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
