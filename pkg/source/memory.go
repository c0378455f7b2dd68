package source

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/spec"
)

// memory is what earlier scans found, by path. It lives as long as the process: nothing of it is stored.
type memory map[string]*record

// record is one file over time.
type record struct {
	// sum and decoded are of the last content, once loaded.
	sum     [sha256.Size]byte
	decoded spec.Decoded
	loaded  bool
	// objects are in force. They are of the last version without a problem when there was one (whole), and
	// otherwise the good objects of the last version that had any.
	objects []spec.DecodedObject
	whole   bool
	// folder is where the file really was when it had them.
	folder string
	// held are names that the file has lost, each until it has kept still for long enough.
	held map[string]time.Time
}

// view is one file as it counts in one scan.
type view struct {
	path     string // as it is shown
	folder   string // in which the file with the objects really is
	objects  []spec.DecodedObject
	stale    bool // the objects are of an earlier version
	missing  bool // it was not found by a scan that is not complete, so it yields to files that were
	state    FileState
	problems []spec.Problem
	// decoded is what it says now, although not all of that may be in force.
	decoded spec.Decoded
	// keep are names whose sidecars stay on account of this file; keepAll that it might hold any.
	keep    []string
	keepAll bool
}

// merge takes in what a scan found, and returns what is now in force, in order of paths. It reports whether names
// are held that time alone will release.
func (m memory) merge(now time.Time, settle time.Duration, all []found, complete bool) (views []view, unsettled bool) {
	present := sets.New[string]()
	var trees []string
	for _, f := range all {
		known := f.tree && m.beneath(f.path)
		if f.quiet && !known {
			continue
		}
		if f.tree {
			trees = append(trees, f.path)
		}
		present.Insert(f.path)
		rec := m.at(f.path)
		views = append(views, rec.update(f, now, settle))
		unsettled = unsettled || len(rec.held) > 0
	}
	views = append(views, m.absent(present, trees, complete)...)
	slices.SortFunc(views, func(a, b view) int { return strings.Compare(a.path, b.path) })
	return views, unsettled
}

func (m memory) at(path string) *record {
	rec, ok := m[path]
	if !ok {
		rec = &record{}
		m[path] = rec
	}
	return rec
}

// beneath reports whether files below that path are known.
func (m memory) beneath(path string) bool {
	for known := range m {
		if within(known, []string{path}) {
			return true
		}
	}
	return false
}

// absent forgets the files that are gone, and returns those that may only be out of sight.
func (m memory) absent(present sets.Set[string], trees []string, complete bool) (views []view) {
	for path, rec := range m {
		switch {
		case present.Has(path):
		case complete && !within(path, trees):
			delete(m, path)
		case len(rec.objects) > 0:
			v := view{path: spec.ShownPath(path), folder: rec.folder, objects: rec.objects, stale: true, missing: true, state: FileInvalid}
			v.problems = []spec.Problem{{File: v.path, Message: lookedAway}}
			views = append(views, v)
		}
	}
	return views
}

// within reports whether the path lies below one of the trees.
func within(path string, trees []string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool {
		return tree == "." || strings.HasPrefix(path, tree+"/")
	})
}

// update takes in one look at the file.
func (r *record) update(f found, now time.Time, settle time.Duration) view {
	v := view{path: spec.ShownPath(f.path), state: FileInvalid, decoded: f.decoded}
	before, changed := r.declared(), !r.loaded || r.sum != f.sum
	switch {
	case f.fault != "":
		v.stale, v.keepAll = true, !r.whole && !f.barren
		v.problems = []spec.Problem{{File: v.path, Message: f.fault}}
	case len(f.decoded.Problems) > 0:
		v.problems = f.decoded.Problems
		v.stale, v.keepAll = r.bad(f), !r.whole && !f.decoded.Parsed
	case len(f.decoded.Objects) == 0:
		v.state, v.stale, v.keepAll = FileEmpty, true, !r.whole && f.blank
		v.problems = []spec.Problem{{File: v.path, Message: noObjects}}
	default:
		v.state, r.objects, r.whole, r.folder = FileValid, f.decoded.Objects, true, f.folder
	}
	if f.fault == "" {
		r.sum, r.decoded, r.loaded = f.sum, f.decoded, true
	}
	r.hold(before, changed, v.state != FileValid, now.Add(settle), now)
	v.objects, v.folder = r.objects, r.folder
	v.keep = slices.Sorted(maps.Keys(r.held))
	if v.state != FileValid {
		v.keep = append(v.keep, v.decoded.Names...)
	}
	return v
}

// bad takes in a version with problems, and reports whether the objects in force are of an earlier one. A file
// that never was without a problem gives the good objects that it has.
func (r *record) bad(f found) (stale bool) {
	if r.whole || len(f.decoded.Objects) == 0 {
		return true
	}
	r.objects, r.folder = f.decoded.Objects, f.folder
	return false
}

// declared are the names that the file last held, in force or not.
func (r *record) declared() sets.Set[string] {
	names := sets.New(r.decoded.Names...)
	for _, o := range r.objects {
		names.Insert(o.CredProxy.Name)
	}
	return names
}

// hold keeps the names that this version has lost: a file that is being written passes through versions that are
// valid and shorter. Each change of the file begins the time anew, and a bad file holds them until it is mended.
func (r *record) hold(before sets.Set[string], changed, bad bool, until, now time.Time) {
	holds := r.declared()
	if r.held == nil {
		r.held = map[string]time.Time{}
	}
	for name := range before.Difference(holds) {
		r.held[name] = until
	}
	for name, end := range r.held {
		switch {
		case holds.Has(name), !bad && !changed && !now.Before(end):
			delete(r.held, name)
		case bad, changed:
			r.held[name] = until
		}
	}
}
