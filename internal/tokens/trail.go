package tokens

import (
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/dirwatch"
)

// places are directories, the names in each that decide what a token reads as, and the token files that they decide on.
type places map[string]map[string][]string

// placesOf lists where a change can change what files beneath a directory read as: every name on the way to each of them,
// beneath the directory and at each link, which may be the directory itself. The directory above all of that is optional:
// without it, only that the directory comes back would be missed, until the next look.
func placesOf(dir string, names []string) (p places, optional sets.Set[string]) {
	p, optional = places{}, sets.New[string]()
	base, above, err := dirwatch.Resolve(string(filepath.Separator), dir)
	if err == nil {
		above = append(above, dirwatch.Hop{Dir: filepath.Dir(base), Name: filepath.Base(base)})
	}
	for _, name := range names {
		for _, hop := range above {
			p.add(hop, name)
		}
		if err == nil {
			for _, hop := range trail(base, name) {
				p.add(hop, name)
			}
		}
	}
	if last := len(above) - 1; err == nil && !slices.ContainsFunc(above[:last], func(h dirwatch.Hop) bool { return h.Dir == above[last].Dir }) {
		optional.Insert(above[last].Dir)
	}
	return p, optional
}

// trail lists the names on the way to a file beneath a directory that has no links itself. It ends where a link leads out
// of the directory, since nothing is read there.
func trail(base, name string) (hops []dirwatch.Hop) {
	end, links, err := dirwatch.Resolve(base, name)
	for _, hop := range links {
		if !dirwatch.Within(hop.Dir, base) {
			return hops
		}
		hops = append(hops, hop)
	}
	if err != nil {
		end = links[len(links)-1].Dir
	}
	for ; end != base && dirwatch.Within(end, base); end = filepath.Dir(end) {
		hops = append(hops, dirwatch.Hop{Dir: filepath.Dir(end), Name: filepath.Base(end)})
	}
	return hops
}

func (p places) add(at dirwatch.Hop, file string) {
	if p[at.Dir] == nil {
		p[at.Dir] = map[string][]string{}
	}
	p[at.Dir][at.Name] = append(p[at.Dir][at.Name], file)
}

// through lists the files on whose way a path lies.
func (p places) through(path string) []string {
	var all []string
	for _, files := range p[path] { // It is one of the directories itself.
		all = append(all, files...)
	}
	return append(all, p[filepath.Dir(path)][filepath.Base(path)]...)
}
