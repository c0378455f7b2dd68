package reconcile

import (
	"slices"
	"sync"

	"credproxy.dev/controller/pkg/spec"
)

// scene is one declaration beside one view, with what follows from the two as a whole. It is never changed.
type scene struct {
	declared  Declared
	view      *view
	specs     map[string]*spec.CredProxy
	rejected  map[string]Rejected
	conflicts map[string]Blocked
	// orphans are the names that have sidecars and that no file mentions, sorted.
	orphans []string
}

func newScene(d Declared, v *view) *scene {
	s := &scene{
		declared: d, view: v,
		specs:    make(map[string]*spec.CredProxy, len(d.Specs)),
		rejected: make(map[string]Rejected, len(d.Rejected)),
	}
	for _, cp := range d.Specs {
		s.specs[cp.Name] = cp
	}
	for _, r := range d.Rejected {
		s.rejected[r.Name] = r
	}
	for _, name := range v.served() {
		if !s.mentions(name) {
			s.orphans = append(s.orphans, name)
		}
	}
	standing := d.standing(v)
	s.conflicts = conflicts(standing, v.holds)
	claim(standing, v, s.conflicts)
	d.Policy.refuse(standing, v, s.conflicts)
	return s
}

// mentions reports whether the files declare a name, usably or not.
func (s *scene) mentions(name string) bool {
	_, rejected := s.rejected[name]
	return rejected || s.specs[name] != nil
}

// names are all names that a plan has to say something about, sorted.
func (s *scene) names() []string {
	names := s.view.names()
	for name := range s.specs {
		names = append(names, name)
	}
	for name := range s.rejected {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// inputs gathers what the plan of one name needs from the scene; the caller adds what it alone knows.
func (s *scene) inputs(name string, history history, opts Options) inputs {
	in := inputs{name: name, view: s.view, policy: &s.declared.Policy, world: reach{s.declared.Roots, s.view.hosts()}, opts: opts}
	if declared := s.specs[name]; declared != nil {
		in.withholding = s.declared.withholding(declared)
		in.withheld = in.withholding.of(&declared.Spec)
		in.spec = inForce(declared, in.withheld)
		in.bounds = s.view.bounds(in.spec)
		if internal, ok := s.view.internalOf(in.spec); ok {
			in.rival = s.against(s.view.rivalry(in.spec, internal, opts.containerName(name)), history, opts)
		}
		if in.rival != nil && in.rival.Reason == ReasonAliasConflict {
			in.bounds.rival = in.rival.Message
		}
		if opts.RequireIsolation || in.spec.Spec.RequireIsolation {
			in.bounds.require()
		}
	}
	if conflict, ok := s.conflicts[name]; ok {
		in.refused = &conflict
	}
	if in.spec == nil {
		in.withholding = s.declared.Withheld[name]
	}
	if in.withholding.Refused && in.refused == nil {
		in.refused = &Blocked{Name: name, Reason: in.withholding.All.Reason, Message: in.withholding.All.Message}
	}
	if r, ok := s.rejected[name]; ok && in.spec == nil {
		in.refused = &Blocked{Name: name, Reason: r.Reason, Message: r.Message}
	}
	if s.view.has(name) && !s.mentions(name) {
		in.refused = s.refusal(name, history, opts)
	}
	return in
}

// refusal says why what is left of an undeclared name is not removed; nil when it is. What somebody else is removing is not
// held back any more.
func (s *scene) refusal(name string, history history, opts Options) *Blocked {
	held := s.clearance(history, opts).brake(name)
	if held != nil && s.view.leaving(name) {
		return &Blocked{Name: name, Reason: ReasonProgressing, Message: "no file declares it; its sidecar is being removed"}
	}
	return held
}

func (s *scene) clearance(h history, opts Options) *clearance {
	return &clearance{
		declared: s.declared, everDeclared: h.everDeclared, moved: h.moved(s.declared.Root),
		orphans: s.orphans, all: len(s.view.served()), opts: opts,
	}
}

// history is what a process remembers of earlier declarations.
type history struct {
	// everDeclared is true once there was a usable spec.
	everDeclared bool
	// root is the directory of the specs that are in force; zero until there were any.
	root Root
}

// moved reports whether a directory is another one than that of the specs in force. Behind a link that was there before,
// directories are swapped as a matter of course.
func (h history) moved(now Root) bool {
	same := now.Device == h.root.Device && now.Inode == h.root.Inode
	swapped := now.Linked && h.root.Linked
	return h.root != Root{} && now != Root{} && !same && !swapped
}

// sceneKeeper makes each scene once, however many workers ask for it.
type sceneKeeper struct {
	mu   sync.Mutex
	last *scene
}

// scene returns the scene of a declaration and a view. Declarations are told apart by their revision.
func (k *sceneKeeper) scene(d Declared, v *view) *scene {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last == nil || k.last.view != v || k.last.declared.revision != d.revision {
		k.last = newScene(d, v)
	}
	return k.last
}
