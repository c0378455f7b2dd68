package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

const prefix = "cred-proxy"

// names are those of all specs that there can be.
func names() []string { return []string{"ant", "bee", "cat", "dog", "elk"} }

// keyRef is the reference of the caller key, which no route has.
const keyRef = "KEY"

// refs are the references of tokens and of the caller key.
func refs() []string { return []string{"RED", "BLUE", "GREEN", keyRef} }

// upstream is where the token of a reference belongs, and nowhere else.
func upstream(ref string) string { return "https://" + ref + ".example.com" }

// Standing of a file.
type standing int

const (
	good standing = iota
	// invalid and duplicated files declare their name, in a way that cannot be used.
	invalid
	duplicated
	// broken files might hold their name.
	broken
)

// file is the file of one spec.
type file struct {
	spec     *spec.CredProxy
	standing standing
}

// files is the directory of specs.
type files struct {
	byName map[string]*file
	// incomplete means that the scan failed: half of the files are not seen.
	incomplete bool
	keepAll    bool
	root       uint64
	// past are the declarations so far, the one in force last. No plan that is in hand follows one before base.
	past []reconcile.Declared
	base int
}

func newFiles() *files {
	f := &files{byName: map[string]*file{}, root: 1}
	f.declare()
	return f
}

// put writes a good file.
func (f *files) put(cp *spec.CredProxy) { f.byName[cp.Name] = &file{spec: cp} }

// edit changes a good file, which is made if there is none.
func (f *files) edit(name string, change func(*spec.CredProxy)) {
	cp := newSpec(name)
	if old := f.byName[name]; old != nil {
		cp = old.spec.DeepCopy()
	}
	change(cp)
	f.put(cp)
}

// heal makes every file good and every scan complete. The specs stay what they are.
func (f *files) heal() {
	f.incomplete, f.keepAll = false, false
	for _, file := range f.byName {
		file.standing = good
	}
}

// declared is the declaration in force.
func (f *files) declared() reconcile.Declared { return f.past[len(f.past)-1] }

// declare reads the files as a scan does.
func (f *files) declare() reconcile.Declared {
	d := reconcile.Declared{
		At: time.Now(), Complete: !f.incomplete, Root: reconcile.Root{Device: 1, Inode: f.root},
		KeepAll: f.keepAll, KeepNames: sets.New[string](),
	}
	if f.incomplete {
		d.Err = errors.New("a directory cannot be read")
	}
	for i, name := range slices.Sorted(maps.Keys(f.byName)) {
		file := f.byName[name]
		switch {
		case f.incomplete && i%2 == 0:
		case file.standing == invalid:
			d.Rejected = append(d.Rejected, reconcile.Rejected{Name: name, Reason: reconcile.ReasonInvalidSpec, Message: "no routes"})
		case file.standing == duplicated:
			d.Rejected = append(d.Rejected, reconcile.Rejected{Name: name, Reason: reconcile.ReasonDuplicateName, Message: "twice"})
		case file.standing == broken:
			d.KeepNames.Insert(name)
		default:
			d.Specs = append(d.Specs, file.spec.DeepCopy())
		}
	}
	f.past = append(f.past, d)
	return d
}

// declares returns the spec of a name in a declaration; nil when it is not there, or not usable.
func declares(d reconcile.Declared, name string) *spec.CredProxy {
	for _, cp := range d.Specs {
		if cp.Name == name {
			return cp
		}
	}
	return nil
}

// mentions reports whether the files declare a name, usably or not.
func mentions(d reconcile.Declared, name string) bool {
	return declares(d, name) != nil || slices.ContainsFunc(d.Rejected, func(r reconcile.Rejected) bool { return r.Name == name })
}

// orphans are the names that have sidecars and that no file mentions, of all that have some.
func orphans(s fakeengine.Snapshot, d reconcile.Declared) (found []string, all int) {
	for _, name := range names() {
		if len(sidecars(s, name)) == 0 {
			continue
		}
		all++
		if !mentions(d, name) {
			found = append(found, name)
		}
	}
	return found, all
}

// tooMany reports whether too many sidecars would go at once to be meant.
func tooMany(s fakeengine.Snapshot, d reconcile.Declared) bool {
	found, all := orphans(s, d)
	return len(found) > 3 && 2*len(found) > all
}

// newSpec is the usual spec of a name.
func newSpec(name string) *spec.CredProxy {
	cp := &spec.CredProxy{}
	cp.Name = name
	cp.Spec.InternalNetwork, cp.Spec.EgressNetwork = name+"-in", name+"-out"
	cp.Spec.Routes = routes(0)
	spec.SetDefaults(cp, spec.Options{})
	return cp
}

// routes are one of a few sets of routes. Which reference has which slot differs between them.
func routes(variant int) []spec.Route {
	route := func(path, ref string) spec.Route {
		r := spec.Route{Path: path, Upstream: upstream(ref)}
		switch ref {
		case "OPEN":
		case "GREEN": // as one of several, though it is the only one
			r.Auth = &spec.Auth{
				Scheme: spec.SchemeCustom, Tokens: map[string]spec.TokenRef{routetable.OnlyToken: {Env: ref}},
				Headers: []spec.Addition{{Name: "X-Green", Value: "{" + routetable.OnlyToken + "}"}},
			}
		default:
			r.Auth = &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: spec.TokenRef{Env: ref}}
		}
		return r
	}
	sets := [][]spec.Route{
		{route("/a", "RED")},
		{route("/a", "BLUE")},
		{route("/a", "RED"), route("/b", "BLUE")},
		{route("/b", "BLUE"), route("/a", "RED"), route("/c", "GREEN")},
		{route("/a", "OPEN")},
		{route("/a", "GREEN"), route("/a/b", "OPEN"), route("/b", "GREEN")},
	}
	return sets[variant%len(sets)]
}

// paths are what agents ask for.
func paths() []string { return []string{"/a", "/a/b/x", "/b/x", "/c", "/other"} }

// The edits that a person makes to a spec. Each has a few variants.

func editRoutes(variant int) func(*spec.CredProxy) {
	return func(cp *spec.CredProxy) { cp.Spec.Routes = routes(variant) }
}

func editHostname(variant int) func(*spec.CredProxy) {
	return func(cp *spec.CredProxy) { cp.Spec.Hostname = []string{"cred-proxy", "other-proxy"}[variant%2] }
}

func editPort(variant int) func(*spec.CredProxy) {
	return func(cp *spec.CredProxy) { cp.Spec.Port = []int32{9099, 9100}[variant%2] }
}

func editDelivery(variant int) func(*spec.CredProxy) {
	return func(cp *spec.CredProxy) {
		cp.Spec.TokenDelivery = []spec.TokenDelivery{spec.DeliverFile, spec.DeliverEnv, spec.DeliverMemory}[variant%3]
	}
}

func editCallers(variant int) func(*spec.CredProxy) {
	return func(cp *spec.CredProxy) {
		asked := &spec.CallerAuth{KeyRef: spec.TokenRef{Env: keyRef}}
		cp.Spec.CallerAuth = []*spec.CallerAuth{nil, asked}[variant%2]
	}
}

func editImage(variant int) func(*spec.CredProxy) {
	return func(cp *spec.CredProxy) { cp.Spec.Image = []string{"", customImage}[variant%2] }
}

func editResources(variant int) func(*spec.CredProxy) {
	return func(cp *spec.CredProxy) { cp.Spec.Resources.Memory = fmt.Sprint(64+variant%3, "Mi") }
}

// editInternal and editEgress choose a spec's own network, one that all share, or one that it has the controller make.
func editInternal(variant int) func(*spec.CredProxy) {
	return func(cp *spec.CredProxy) {
		cp.Spec.InternalNetwork = []string{cp.Name + "-in", "shared-in", cp.Name + "-new-in", "shared-new-in"}[variant%4]
		cp.Spec.CreateNetworks = cp.Spec.CreateNetworks || variant%4 >= 2
	}
}

func editEgress(variant int) func(*spec.CredProxy) {
	return func(cp *spec.CredProxy) {
		cp.Spec.EgressNetwork = []string{cp.Name + "-out", "shared-out", cp.Name + "-new-out", "shared-new-out"}[variant%4]
		cp.Spec.CreateNetworks = cp.Spec.CreateNetworks || variant%4 >= 2
	}
}

func editPaused(variant int) func(*spec.CredProxy) {
	return func(cp *spec.CredProxy) {
		delete(cp.Annotations, spec.AnnotationPaused)
		if variant%2 == 1 {
			cp.Annotations = map[string]string{spec.AnnotationPaused: "true"}
		}
	}
}
