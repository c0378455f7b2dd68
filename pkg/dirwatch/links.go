package dirwatch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxLinks is how many links one path may pass through, as in Linux's path_resolution(7).
const maxLinks = 40

// Hop is a directory and a name in it that decides where a path leads: a link, or a name that is missing.
type Hop struct{ Dir, Name string }

// Resolve follows every link of a path below base, which has no links itself. Besides the path without links it
// returns the hops, whose change would make the path lead elsewhere; they are right on failure too. It only
// computes: what is opened later is opened beneath an os.Root.
func Resolve(base, path string) (final string, hops []Hop, err error) {
	final = base
	rest := split(path)
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			final = filepath.Dir(final)
			continue
		}
		next := filepath.Join(final, name)
		info, err := os.Lstat(next)
		if err != nil {
			return "", append(hops, Hop{final, name}), err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			final = next
			continue
		}
		if hops = append(hops, Hop{final, name}); len(hops) > maxLinks {
			return "", hops, &fs.PathError{Op: "resolve", Path: path, Err: syscall.ELOOP}
		}
		target, err := os.Readlink(next)
		if err != nil {
			return "", hops, err
		}
		if filepath.IsAbs(target) {
			final = string(filepath.Separator)
		}
		rest = append(split(target), rest...)
	}
	return final, hops, nil
}

// split cuts a path into its names, without the empty ones and single dots.
func split(path string) []string {
	var names []string
	for name := range strings.SplitSeq(path, string(filepath.Separator)) {
		if name != "" && name != "." {
			names = append(names, name)
		}
	}
	return names
}

// Within reports whether a path is that of a directory, or of something in it. Both are absolute, and neither has links.
func Within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// LeadsNowhere reports whether Resolve failed because nothing is there, and not because looking was refused.
func LeadsNowhere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}
