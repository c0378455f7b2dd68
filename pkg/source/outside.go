package source

import (
	"fmt"
	"path/filepath"
)

// Passes reports whether a path lies in a directory, or leads through it by a link: then whoever may write in the directory
// decides what is found at the path. Either may be missing.
func Passes(path, dir string) (bool, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return false, fmt.Errorf("%s: %w", dir, err)
	}
	inside, _, err := resolve(string(filepath.Separator), abs)
	if leadsNowhere(err) {
		inside = abs
	} else if err != nil {
		return false, fmt.Errorf("%s: %w", dir, err)
	}
	if abs, err = filepath.Abs(path); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	final, hops, err := resolve(string(filepath.Separator), abs)
	if err != nil && !leadsNowhere(err) {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	for _, h := range hops {
		if below(h.dir, inside) {
			return true, nil
		}
	}
	return err == nil && below(final, inside), nil
}

// below reports whether a path is that of a directory, or of something in it; neither has links.
func below(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
