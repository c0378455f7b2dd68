package lock

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// pollInterval is how often a lock that somebody else holds is tried.
const pollInterval = 20 * time.Millisecond

// Names locks names, one at a time each, against other Names of this process or another. Unlike Acquire it waits, and
// it tells whether somebody else had a name in between.
type Names struct {
	// self is what this holder leaves in the files, always as long as any other's: it is written over in one piece.
	self string
}

// NewNames makes a holder that no other is taken for, in whatever process.
func NewNames() *Names {
	return &Names{self: fmt.Sprintf("%-10d %s\n", os.Getpid(), rand.Text())}
}

// Acquire takes the lock of a name. It waits while somebody else has it, until ctx ends, and fails with ctx's cause then.
// The files are in the folder of scope below dir. fresh is true when n was the last to hold the name, or when nobody
// ever did.
func (n *Names) Acquire(ctx context.Context, dir, scope, name string) (held *Lock, fresh bool, err error) {
	folder := filepath.Join(dir, strings.TrimSuffix(fileName(scope), ".lock"))
	file, err := openBelow(dir, folder, fileName(name))
	if err != nil {
		return nil, false, err
	}
	if err := wait(ctx, file, name); err != nil {
		return nil, false, errors.Join(err, file.Close())
	}
	fresh, err = n.enter(file)
	if err != nil {
		return nil, false, errors.Join(fmt.Errorf("write the lock file: %w", err), file.Close())
	}
	return &Lock{file: file}, fresh, nil
}

// wait tries the lock of a file until it has it or ctx ends.
func wait(ctx context.Context, file *os.File, name string) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := flock(file)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EWOULDBLOCK):
			return fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("waited for %s to be done with %q: %w", holder(file), name, context.Cause(ctx))
		}
	}
}

// enter makes n the last holder of a file that it has locked, and reports whether it was so already, or nobody was.
// A process that ends between the lock and this has done nothing yet, so that what it leaves is still true.
func (n *Names) enter(file *os.File) (fresh bool, err error) {
	last := readAll(file)
	if last != n.self {
		_, err = file.WriteAt([]byte(n.self), 0)
	}
	return last == n.self || last == "", err
}

// holder is what people call the process that has a lock. It may not have written yet that it does.
func holder(file *os.File) string {
	if pid, _, ok := strings.Cut(readAll(file), " "); ok {
		return "process " + pid
	}
	return "another process"
}

func readAll(file *os.File) string {
	buf := make([]byte, 64)
	read, _ := file.ReadAt(buf, 0)
	return string(buf[:read])
}

// openBelow opens a lock's file in a folder below dir, and makes all that is missing. What root makes belongs to the
// owner of dir, who is to use it too.
func openBelow(dir, folder, name string) (*os.File, error) {
	if err := makeBelow(dir, folder); err != nil {
		return nil, fmt.Errorf("make the lock directory: %w", err)
	}
	path := filepath.Join(folder, name)
	_, missing := os.Lstat(path)
	file, err := open(path)
	if err != nil || missing == nil {
		return file, err
	}
	if err := Bequeath(path, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("make the lock file: %w", err), file.Close())
	}
	return file, nil
}

func makeBelow(dir, folder string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	err := os.Mkdir(folder, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return Bequeath(folder, dir)
}

// Bequeath gives what root has just made to the owner of a directory, who is to use it too.
func Bequeath(path, dir string) error {
	if os.Getuid() != 0 {
		return nil
	}
	var owner unix.Stat_t
	if err := unix.Stat(dir, &owner); err != nil || owner.Uid == 0 {
		return err
	}
	return os.Lchown(path, int(owner.Uid), int(owner.Gid))
}
