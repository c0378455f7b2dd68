package source

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"credproxy.dev/controller/pkg/dirwatch"
	"credproxy.dev/controller/pkg/spec"
)

const (
	// staleAfter is the age at which what git leaves while it works counts as left behind by an interrupted git.
	staleAfter = 5 * time.Minute
	// maxPointer is the size in bytes of the largest .git file that is read; it holds one path.
	maxPointer = 8 << 10

	indexFile = "index"
	indexLock = "index.lock"
)

// checkout is a git work tree at one moment. Git makes index.lock, replaces the files one by one, and then renames
// the lock to index. So a checkout that is the same before and after a reading, and not busy, was at rest between.
type checkout struct {
	// tree is the work tree, and dir the git directory that belongs to it alone. It need not exist: in a worktree that
	// was made in a container, it is a path of that container.
	tree, dir string
	// index is zero when there is none.
	index stamp
	// busy is the path of what git leaves in dir while the tree is between two states, since when; empty at rest.
	busy  string
	since time.Time
}

// stamp tells one version of a file from the next.
type stamp struct {
	inode          uint64
	size, modified int64
}

// checkoutsOf looks at the git work trees that hold the specs: the one around the root, and those beneath it. The
// error says where it cannot be seen whether git is at work.
func checkoutsOf(l listing) ([]checkout, error) {
	trees := l.trees
	if tree, ok := treeAround(l.root); ok {
		trees = append([]string{tree}, trees...)
	}
	var all []checkout
	var failures []error
	for _, tree := range trees {
		c, err := lookAt(tree)
		all = append(all, c)
		failures = append(failures, err)
	}
	return all, errors.Join(failures...)
}

// treeAround finds the work tree that a directory is in, as git does: the nearest one that has a .git.
func treeAround(dir string) (tree string, ok bool) {
	for {
		if _, err := os.Lstat(filepath.Join(dir, dotGit)); err == nil {
			return dir, true
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", false
		}
		dir = above
	}
}

// lookAt looks at one work tree. Of its git directory only names and sizes are looked at.
func lookAt(tree string) (checkout, error) {
	c := checkout{tree: tree}
	var err error
	if c.dir, err = gitDir(tree); err != nil {
		return c, blind(tree, filepath.Join(tree, dotGit), err)
	}
	if c.dir == "" {
		return c, nil
	}
	// A rebase passes through states in which the commits that it moves are missing.
	for _, name := range []string{indexLock, "rebase-merge", "rebase-apply"} {
		path := filepath.Join(c.dir, name)
		info, err := os.Lstat(path)
		if err == nil {
			c.busy, c.since = path, info.ModTime()
			break
		}
		if !dirwatch.LeadsNowhere(err) {
			return c, blind(tree, c.dir, err)
		}
	}
	if info, err := os.Lstat(filepath.Join(c.dir, indexFile)); err == nil {
		_, inode := identity(info)
		c.index = stamp{inode, info.Size(), info.ModTime().UnixNano()}
	}
	return c, nil
}

// gitDir finds the git directory of a work tree: its .git, or where the file of that name points, as in worktrees and
// submodules (gitrepository-layout(5)). It is empty when that is neither.
func gitDir(tree string) (string, error) {
	path := filepath.Join(tree, dotGit)
	switch info, err := os.Stat(path); {
	case err != nil && dirwatch.LeadsNowhere(err):
		return "", nil
	case err != nil:
		return "", err
	case info.IsDir():
		return path, nil
	case !info.Mode().IsRegular():
		return "", nil
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // of the operator's directory; only the path in it is used
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxPointer))
	if err != nil {
		return "", err
	}
	dir, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
	switch {
	case !ok:
		return "", nil
	case !filepath.IsAbs(dir):
		dir = filepath.Join(tree, dir)
	}
	return dir, nil
}

func blind(tree, path string, err error) error {
	return fmt.Errorf("whether git is writing in %s cannot be seen, so nothing is removed: %s %s",
		spec.ShownPath(tree), spec.ShownPath(path), unreadable(err))
}

// left reports whether an interrupted git left the tree as it is.
func (c checkout) left(now time.Time) bool {
	return c.busy != "" && now.Sub(c.since) > staleAfter
}

// writing says where git is at work; nil when it is nowhere.
func writing(all []checkout, now time.Time) error {
	var where []error
	for _, c := range all {
		if c.busy != "" && !c.left(now) {
			where = append(where, fmt.Errorf(gitWrites, spec.ShownPath(c.tree), spec.ShownPath(c.busy)))
		}
	}
	return errors.Join(where...)
}

// interrupted says which trees an interrupted git has left as they are, and what to do; nil when there are none.
func interrupted(all []checkout, now time.Time) error {
	var where []error
	for _, c := range all {
		if !c.left(now) {
			continue
		}
		tree, busy := spec.ShownPath(c.tree), spec.ShownPath(c.busy)
		advice := fmt.Sprintf(rebaseLeft, tree)
		if filepath.Base(c.busy) == indexLock {
			advice = fmt.Sprintf(lockLeft, busy, tree)
		}
		where = append(where, fmt.Errorf(gitLeft, tree, busy, c.since.Format(time.RFC3339), advice))
	}
	return errors.Join(where...)
}

// git adds what tells that git begins and ends its work. Where that cannot be watched, the next look finds it.
func (p places) git(all []checkout) places {
	for _, c := range all {
		if c.dir == "" {
			continue
		}
		_, known := p[c.dir]
		for _, name := range []string{indexFile, indexLock, "rebase-merge", "rebase-apply"} {
			p.add(c.dir, name)
		}
		if at := p[c.dir]; !known {
			at.optional = true
			p[c.dir] = at
		}
	}
	return p
}

// rested reports whether no git has been at work from one look to the next.
func rested(before, after []checkout) bool { return slices.Equal(before, after) }
