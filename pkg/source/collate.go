package source

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/spec"
)

// claim is one declaration of a name.
type claim struct {
	view *view
	obj  spec.DecodedObject
}

func (c claim) place() string { return fmt.Sprintf("%s:%d", c.view.path, c.obj.NameLine) }

// collate says what the files declare together. The views are in order of paths; names that are declared twice
// are added to their problems.
func collate(views []view) Snapshot {
	claims := claimsOf(views)
	snap := Snapshot{KeepNames: sets.New[string]()}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		all := claims[name]
		if len(all) > 1 {
			snap.Duplicates = append(snap.Duplicates, duplicate(name, all))
			snap.KeepNames.Insert(name)
			continue
		}
		v, obj := all[0].view, all[0].obj
		snap.Specs = append(snap.Specs, Object{CredProxy: obj.CredProxy, File: v.path, Folder: v.folder, Line: obj.NameLine, Stale: v.stale})
	}
	for i := range views {
		v := &views[i]
		snap.KeepAll = snap.KeepAll || v.keepAll
		snap.Files = append(snap.Files, v.status())
		snap.Invalid = append(snap.Invalid, v.invalid(claims)...)
		for _, name := range v.keep {
			if len(claims[name]) == 0 {
				snap.KeepNames.Insert(name)
			}
		}
	}
	slices.SortStableFunc(snap.Invalid, func(a, b InvalidObject) int { return cmp.Compare(a.Name, b.Name) })
	return snap
}

// claimsOf lists the declarations of each name, in order of files and lines. What is out of sight claims nothing
// that a file in sight declares: it may be the same file under its new name.
func claimsOf(views []view) map[string][]claim {
	claims := map[string][]claim{}
	for _, missing := range []bool{false, true} {
		seen := sets.KeySet(claims)
		for i := range views {
			if views[i].missing != missing {
				continue
			}
			for _, obj := range views[i].objects {
				if name := obj.CredProxy.Name; !seen.Has(name) {
					claims[name] = append(claims[name], claim{&views[i], obj})
				}
			}
		}
	}
	return claims
}

// duplicate describes a name with several declarations, and tells each of their files about the others.
func duplicate(name string, all []claim) Duplicate {
	d := Duplicate{Name: name}
	for _, c := range all {
		d.Places = append(d.Places, c.place())
	}
	for i, c := range all {
		c.view.add(spec.Problem{
			File: c.view.path, Line: c.obj.NameLine, Field: "metadata.name",
			Message: fmt.Sprintf("the name %q is declared at %s too: give each spec a name of its own; until then none of them is used",
				name, others(d.Places, i)),
		})
	}
	return d
}

// maxOthers bounds how many other places of a name each of its files is told of.
const maxOthers = 5

// others names the places but for one, and counts what would be too many.
func others(places []string, but int) string {
	var out []string
	for i, place := range places {
		switch {
		case i == but:
		case len(out) == maxOthers:
			return fmt.Sprintf("%s and %d more", strings.Join(out, ", "), len(places)-1-maxOthers)
		default:
			out = append(out, place)
		}
	}
	return strings.Join(out, ", ")
}

// add puts a problem among the others of the file, in order of lines.
func (v *view) add(p spec.Problem) {
	v.state = FileInvalid
	v.problems = append(slices.Clip(v.problems), p) // the rest may be shared with the memory
	slices.SortStableFunc(v.problems, func(a, b spec.Problem) int { return cmp.Compare(a.Line, b.Line) })
}

func (v *view) status() FileStatus {
	return FileStatus{
		Path: v.path, State: v.state, LastGood: v.stale && len(v.objects) > 0,
		Errors: append([]spec.Problem{}, v.problems...), Declares: v.names(),
		Keeps: v.state != FileValid && (v.keepAll || len(v.keep) > 0),
	}
}

// names are those that the file declares, as it is and as it is in force.
func (v *view) names() []string {
	names := sets.New[string]()
	for _, good := range slices.Concat(v.objects, v.decoded.Objects) {
		names.Insert(good.CredProxy.Name)
	}
	for _, bad := range v.decoded.Invalid {
		names.Insert(bad.Name)
	}
	return sets.List(names)
}

// invalid lists the names of the file's documents that nothing good declares, each with what is wrong with it.
func (v *view) invalid(claims map[string][]claim) []InvalidObject {
	if v.state == FileValid {
		return nil
	}
	var all []InvalidObject
	known := sets.New[string]()
	add := func(name string, problems []spec.Problem) {
		if len(claims[name]) == 0 && !known.Has(name) {
			known.Insert(name)
			all = append(all, InvalidObject{Name: name, File: v.path, Problems: problems})
		}
	}
	for _, bad := range v.decoded.Invalid {
		add(bad.Name, bad.Problems)
	}
	for _, good := range v.decoded.Objects {
		add(good.CredProxy.Name, []spec.Problem{v.waiting()})
	}
	return all
}

// waiting is what keeps a good object of a bad file out of force, while that of a good version is in force.
func (v *view) waiting() spec.Problem {
	first := v.problems[0]
	first.Message += "; until that is mended, what is new in this file waits"
	return first
}

// shown is how people are shown these paths.
func shown(paths []string) []string {
	var out []string
	for _, path := range paths {
		out = append(out, spec.ShownPath(path))
	}
	return out
}
