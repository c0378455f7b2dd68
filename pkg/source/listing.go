package source

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"credproxy.dev/controller/pkg/dirwatch"
)

// dotGit marks a git work tree. Like all names that begin with a dot, nothing is read beneath it.
const dotGit = ".git"

// entry is one file to read, or one thing that stands where a file or a directory should.
type entry struct {
	// path is how people name it: relative to the root, through visible links.
	path string
	// real is the same without links.
	real string
	// fault says what is wrong with it and what to do; empty for what can be read.
	fault string
	// unread: it was this look that failed, so that nothing can be concluded from it.
	unread bool
	// tree: it stands for a whole directory, about which nothing is known.
	tree bool
	// barren: whatever it is, no spec is in it.
	barren bool
	// quiet: it is worth a word only if files beneath it were known.
	quiet bool
}

// listing is what there is to read, before anything was read. Two equal listings enclose a moment in which no
// file came or went.
type listing struct {
	// root is the directory without links.
	root  string
	files []entry
	// dirs are the directories that were listed, without links, relative to the root.
	dirs []string
	// ignored are the paths of what would be read if its name were not in capitals.
	ignored []string
	// trees are the git work trees beneath the root.
	trees []string
	hops  []dirwatch.Hop
}

func (l listing) equal(m listing) bool {
	return l.root == m.root && slices.Equal(l.dirs, m.dirs) && slices.Equal(l.trees, m.trees) && slices.Equal(l.files, m.files)
}

// ErrRoot means that the directory of specs itself cannot be read. The error that wraps it names the directory and says
// what to do.
var ErrRoot = errors.New("cannot be read")

// openRoot opens a directory that may be reached through links. The listing has its root and hops.
func openRoot(path string) (*os.Root, listing, error) {
	final, hops, err := dirwatch.Resolve(string(filepath.Separator), path)
	l := listing{root: final, hops: hops}
	if err != nil {
		return nil, l, rootError(path, err)
	}
	if info, err := os.Lstat(final); err == nil && !info.IsDir() {
		return nil, l, rootError(path, syscall.ENOTDIR)
	}
	root, err := os.OpenRoot(final)
	if err != nil {
		return nil, l, rootError(path, err)
	}
	return root, l, nil
}

func rootError(path string, err error) error {
	advice := permit
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		advice = "give the directory that holds the spec files"
	case dirwatch.LeadsNowhere(err):
		advice = "make the directory, or mend the link to it"
	}
	return fmt.Errorf("directory of specs %s %w: %s: %w", path, ErrRoot, advice, err)
}

// walker makes a listing. Real directories come first and links after them, so that what is reachable in both
// ways has its real path, and nothing is listed twice.
type walker struct {
	root      *os.Root
	out       listing
	seen      map[string]bool // real paths of directories and files
	dirLinks  []entry
	fileLinks []entry
}

// list lists all that is beneath the root.
func list(root *os.Root, l listing) listing {
	w := &walker{root: root, out: l, seen: map[string]bool{}}
	w.walk(entry{path: ".", real: "."})
	for len(w.dirLinks) > 0 {
		next := w.dirLinks[0]
		w.dirLinks = w.dirLinks[1:]
		w.walk(next)
	}
	for _, link := range w.fileLinks {
		w.file(link)
	}
	slices.SortFunc(w.out.files, func(a, b entry) int { return cmp.Compare(a.path, b.path) })
	return w.out
}

func (w *walker) walk(dir entry) {
	if w.seen[dir.real] {
		return
	}
	w.seen[dir.real] = true
	w.out.dirs = append(w.out.dirs, dir.real)
	children, err := readDir(w.root, dir.real)
	if errors.Is(err, fs.ErrNotExist) {
		return // It went after its parent was listed; the next listing differs, and decides.
	}
	if err != nil {
		w.fault(entry{path: dir.path, unread: true, tree: true}, unreadable(err))
		return
	}
	for _, child := range children {
		switch name := child.Name(); {
		case name == dotGit && dir.real != ".":
			w.out.trees = append(w.out.trees, filepath.Join(w.out.root, dir.real))
		case !strings.HasPrefix(name, "."):
			w.visit(dir, child)
		}
	}
}

func (w *walker) visit(dir entry, child fs.DirEntry) {
	name := child.Name()
	e := entry{path: filepath.Join(dir.path, name), real: filepath.Join(dir.real, name)}
	switch mode := child.Type(); {
	case mode&fs.ModeSymlink != 0:
		w.link(e)
	case mode.IsDir() && !specName(name):
		w.walk(e)
	case !specName(name):
		if mode.IsRegular() && specName(strings.ToLower(name)) {
			w.out.ignored = append(w.out.ignored, e.path)
		}
	case mode.IsRegular():
		w.file(e)
	default:
		w.irregular(e, mode)
	}
}

func (w *walker) file(e entry) {
	if !w.seen[e.real] {
		w.seen[e.real] = true
		w.out.files = append(w.out.files, e)
	}
}

// fault notes what cannot be read as it stands.
func (w *walker) fault(e entry, words string) {
	e.real, e.fault = "", words
	w.out.files = append(w.out.files, e)
}

// irregular notes what stands where a regular file should. Of directories it is known that they declare nothing.
func (w *walker) irregular(e entry, mode fs.FileMode) {
	e.barren = mode.IsDir()
	w.fault(e, irregular(mode))
}

// link decides what a link stands for. Only its target's kind matters, and that it is beneath the root.
func (w *walker) link(e entry) {
	named := specName(e.path)
	final, hops, err := dirwatch.Resolve(w.out.root, e.real)
	w.out.hops = append(w.out.hops, hops...)
	if err != nil {
		e.tree, e.quiet = !named, !named && filepath.Ext(e.path) != ""
		e.unread = !e.quiet && !dirwatch.LeadsNowhere(err)
		w.fault(e, brokenLink(err))
		return
	}
	info, err := os.Lstat(final)
	isDir := err == nil && info.IsDir()
	rel, relErr := filepath.Rel(w.out.root, final)
	switch {
	case err != nil:
		e.tree, e.quiet = !named, !named
		w.fault(e, brokenLink(err))
	case relErr != nil || !filepath.IsLocal(rel):
		if named || isDir {
			e.tree = isDir
			w.fault(e, "is a link that leads outside the directory of specs: put the target inside, or remove the link")
		}
	case isDir && !named:
		w.dirLinks = append(w.dirLinks, entry{path: e.path, real: rel})
	case !named:
	case info.Mode().IsRegular():
		w.fileLinks = append(w.fileLinks, entry{path: e.path, real: rel})
	default:
		w.irregular(e, info.Mode())
	}
}

// readDir lists a directory beneath the root in order of names.
func readDir(root *os.Root, name string) ([]fs.DirEntry, error) {
	dir, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	children, err := dir.ReadDir(-1)
	slices.SortFunc(children, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return children, err
}

// specName reports whether files of that name are read.
func specName(name string) bool {
	switch filepath.Ext(name) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}
