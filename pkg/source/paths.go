package source

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"credproxy.dev/controller/pkg/dirwatch"
	"credproxy.dev/controller/pkg/spec"
)

// ReadPaths reads files and directories once, by the rules of a Source, and returns what they declare together, with
// every problem of every file, names that are declared twice among them. Paths in the answer begin as they were given;
// a file that is reached in two ways counts once.
func ReadPaths(paths []string, opts spec.Options) Snapshot {
	return readPaths(paths, func(file string, data []byte) spec.Decoded { return spec.Decode(file, data, opts) })
}

func readPaths(paths []string, decode decoder) Snapshot {
	var all []found
	var ignored []string
	seen := map[string]bool{}
	for _, path := range paths {
		read, not := readPath(path, decode)
		ignored = append(ignored, not...)
		for _, f := range read {
			if id := cmp.Or(f.real, f.path); !seen[id] {
				seen[id] = true
				all = append(all, f)
			}
		}
	}
	now := time.Now()
	views, _ := memory{}.merge(now, 0, all, true)
	snap := collate(views)
	slices.Sort(ignored)
	snap.At, snap.Complete, snap.Ignored = now, true, shown(slices.Compact(ignored))
	return snap
}

// readPath reads one file or directory, and names what it ignores there. The real paths of what it finds are absolute.
func readPath(path string, decode decoder) (read []found, ignored []string) {
	bad := func(words string) ([]found, []string) {
		return []found{{entry: entry{path: path, fault: words}}}, nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return bad(unreadable(err))
	}
	final, _, err := dirwatch.Resolve(string(filepath.Separator), abs)
	if err != nil {
		return bad(notThere(err))
	}
	info, err := os.Lstat(final)
	switch {
	case err != nil:
		return bad(notThere(err))
	case !info.IsDir() && strings.HasPrefix(filepath.Base(path), "."):
		return bad(hiddenName)
	case !info.IsDir() && !specName(path):
		return bad(wrongName)
	case !info.IsDir() && !info.Mode().IsRegular():
		return bad(irregular(info.Mode()))
	}
	base := final
	if !info.IsDir() {
		base = filepath.Dir(final)
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return bad(unreadable(err))
	}
	defer root.Close()
	if !info.IsDir() {
		return loadAll(root, base, []entry{{path: path, real: filepath.Base(final)}}, decode), nil
	}
	all := list(root, listing{root: base})
	for i := range all.files {
		all.files[i].path = filepath.Join(path, all.files[i].path)
	}
	for _, name := range all.ignored {
		ignored = append(ignored, filepath.Join(path, name))
	}
	return loadAll(root, base, all.files, decode), ignored
}

// loadAll loads what was listed beneath base.
func loadAll(root *os.Root, base string, files []entry, decode decoder) []found {
	var all []found
	for _, e := range files {
		f, _, err := load(root, e, nil, decode)
		if err != nil { // It went while we looked.
			f = found{entry: entry{path: e.path, fault: notThere(fs.ErrNotExist)}}
		}
		if f.real != "" {
			f.real = filepath.Join(base, f.real)
		}
		all = append(all, f)
	}
	return all
}

// notThere describes a path that was given and does not lead to anything.
func notThere(err error) string {
	if dirwatch.LeadsNowhere(err) {
		return "does not exist, or is a link that leads nowhere: check the path"
	}
	return unreadable(err)
}
