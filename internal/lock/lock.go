// Package lock lets one process at a time act for a key, by an advisory lock on a file that the kernel gives back
// when the process ends, however it ends. The file stays; only the lock says anything.
package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrHeld is returned by Acquire while another process, or another Lock of this one, holds the key.
var ErrHeld = errors.New("already held")

// Lock is one held key.
type Lock struct{ file *os.File }

// Acquire takes the lock of key in dir, which is made with mode 0700 when it is missing. It does not wait: a key
// that is held fails with ErrHeld, in words that name the holder's process where it is known.
func Acquire(dir, key string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the lock directory: %w", err)
	}
	path := filepath.Join(dir, fileName(key))
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	if err := flock(file); err != nil {
		holder := readHolder(file)
		return nil, errors.Join(describe(err, path, holder), file.Close())
	}
	if err := writeHolder(file); err != nil {
		return nil, errors.Join(fmt.Errorf("write the lock file: %w", err), file.Close())
	}
	return &Lock{file: file}, nil
}

// Release gives the key back.
func (l *Lock) Release() error { return l.file.Close() }

// open opens a lock's file, and makes it when it is missing.
func open(path string) (*os.File, error) {
	// O_NOFOLLOW: in a directory that others can write, a link must not make us write elsewhere.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600) //nolint:gosec // the name is fileName's, in the operator's directory
	if err != nil {
		return nil, fmt.Errorf("open the lock file: %w", err)
	}
	return file, nil
}

func flock(file *os.File) error {
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func describe(err error, path, holder string) error {
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	if holder != "" {
		return fmt.Errorf("%w by process %s (%s)", ErrHeld, holder, path)
	}
	return fmt.Errorf("%w (%s)", ErrHeld, path)
}

// fileName keeps what can be read of the key and adds enough of its hash that two keys never share a file.
func fileName(key string) string {
	readable := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, key)
	sum := sha256.Sum256([]byte(key))
	return readable[:min(len(readable), 40)] + "-" + hex.EncodeToString(sum[:6]) + ".lock"
}

func readHolder(file *os.File) string {
	buf := make([]byte, 16)
	n, _ := file.ReadAt(buf, 0)
	holder := strings.TrimSpace(string(buf[:n]))
	if strings.Trim(holder, "0123456789") != "" {
		return ""
	}
	return holder
}

func writeHolder(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}
