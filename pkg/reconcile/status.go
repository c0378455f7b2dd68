package reconcile

import (
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/spec"
)

// statuses is the status of every declared name.
type statuses struct {
	// changed is called, under the lock, when something else is to be shown.
	changed func()

	mu      sync.Mutex
	entries map[string]*entry
}

type entry struct {
	object spec.CredProxy
	// seen is when the scan began that first saw the spec as it is now.
	seen time.Time
	// awaited is true from a declaration until its sidecar is first ready.
	awaited bool
	// rejected is true while the files declare the name in a way that cannot be used: that is known without an engine.
	rejected bool
	// held is true for a name that no file declares any more, until nothing is left of it.
	held bool
	// edited is true until the declaration, as it is now, was brought into force.
	edited bool
	// withdrawn is true from a breach that keeps the sidecar off its internal network until it is ready again.
	withdrawn bool
	// bounds is what the last look saw of its environment.
	bounds bounds
	// trouble is the reason for which it was not Ready, where that ends without a step; empty once it is Ready.
	trouble string
	// wasReady is true once the name was ready in this process, so that a missing sidecar is drift.
	wasReady bool
	// rejections are of the tokens that upstreams took and then answered with 401.
	rejections rejectionRecord
	// sighted is what became of its references at the last look, withheld are the routes that were withheld then, and planned
	// is what of the last plan is not done yet. None is changed once it is here.
	sighted  sighted
	withheld map[string]Withheld
	planned  Item
}

func newStatuses(changed func()) *statuses {
	return &statuses{changed: changed, entries: map[string]*entry{}}
}

// noting makes a change to an entry, and tells if it made a difference to its status.
func (s *statuses) noting(e *entry, change func(*spec.CredProxyStatus)) {
	before := e.object.Status.DeepCopy()
	change(e.object.Status)
	if !reflect.DeepEqual(before, e.object.Status) {
		s.changed()
	}
}

// declare takes over a declaration, and returns the names that it adds, changes or removes.
func (s *statuses) declare(d Declared) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changed []string
	gone := maps.Clone(s.entries)
	for _, cp := range d.Specs {
		delete(gone, cp.Name)
		if s.declareSpec(cp, d.At) {
			changed = append(changed, cp.Name)
		}
	}
	for _, r := range d.Rejected {
		delete(gone, r.Name)
		if s.declareRejected(r, d.At) {
			changed = append(changed, r.Name)
		}
	}
	for name, e := range gone {
		if !e.held {
			e.leave()
			changed = append(changed, name)
		}
	}
	if len(changed) > 0 {
		s.changed()
	}
	slices.Sort(changed)
	return changed
}

func (s *statuses) declareSpec(cp *spec.CredProxy, at time.Time) bool {
	e, ok := s.entries[cp.Name]
	if ok && !e.rejected && !e.held && sameDeclaration(&e.object, cp) {
		return false
	}
	if !ok {
		e = &entry{awaited: true}
		s.entries[cp.Name] = e
	}
	status := e.object.Status
	e.object = *cp.DeepCopy()
	e.object.Status = status
	e.seen, e.rejected, e.held, e.edited = at, false, false, true
	e.rejections.keep(cp)
	e.init()
	if ok {
		status.WithheldRoutes = nil
		setCondition(status, condition(spec.ConditionReady, metav1.ConditionFalse, ReasonProgressing, "the declaration changed"))
	}
	return true
}

func (s *statuses) declareRejected(r Rejected, at time.Time) bool {
	e, ok := s.entries[r.Name]
	if ok {
		c := meta.FindStatusCondition(e.object.Status.Conditions, spec.ConditionReady)
		if c != nil && c.Reason == r.Reason && c.Message == r.Message {
			return false
		}
	}
	if !ok {
		e = &entry{seen: at}
		s.entries[r.Name] = e
	}
	e.rejected, e.held = true, false
	e.object.TypeMeta = metav1.TypeMeta{APIVersion: spec.APIVersion, Kind: spec.Kind}
	e.object.Name = r.Name
	e.init()
	was, now := *e.object.Status, e.object.Status
	verdict{blocked: &Blocked{Name: r.Name, Reason: r.Reason, Message: r.Message}}.apply(now)
	// What runs goes on, and is not unknown for a moment: whoever takes its tokens away looks here.
	now.ContainerID, now.ContainerName, now.SpecHash, now.RoutesDigest = was.ContainerID, was.ContainerName, was.SpecHash, was.RoutesDigest
	return true
}

// leave begins to let go of a name that no file declares any more.
func (e *entry) leave() {
	e.held, e.rejected = true, false
	e.object.Status.LastError = "" // what held it back does so no more
	setCondition(e.object.Status, condition(spec.ConditionReady, metav1.ConditionFalse, ReasonProgressing,
		"no file declares it any more; its sidecar is being removed"))
}

// hold shows a name that no file declares while anything is left of it, and lets go of it then. It reports whether it lets
// go of one that had a sidecar.
func (s *statuses) hold(name string, v verdict) (gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[name]
	switch {
	case ok && !e.held:
		return false // it is declared by now
	case !v.left:
		delete(s.entries, name)
		s.changed()
		return ok && e.object.Status.ContainerID != ""
	case v.blocked == nil && v.err == nil:
		if ok {
			s.noting(e, func(*spec.CredProxyStatus) { e.leave() })
		}
		return false
	case !ok:
		e = &entry{held: true}
		e.object.TypeMeta = metav1.TypeMeta{APIVersion: spec.APIVersion, Kind: spec.Kind}
		e.object.Name = name
		e.object.Status = &spec.CredProxyStatus{}
		s.entries[name] = e
	}
	s.noting(e, v.apply)
	return false
}

func (e *entry) init() {
	if e.object.Status != nil {
		return
	}
	e.object.Status = &spec.CredProxyStatus{}
	verdict{spec: &e.object}.apply(e.object.Status)
	setCondition(e.object.Status, condition(spec.ConditionReady, metav1.ConditionUnknown, ReasonProgressing, "it was not looked at yet"))
}

// sameDeclaration compares what a file can say.
func sameDeclaration(a, b *spec.CredProxy) bool {
	return maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations) && reflect.DeepEqual(a.Spec, b.Spec)
}

// settled is what a verdict put an end to.
type settled struct {
	// ready is true when it ended the wait for a new sidecar, which took that long from the first scan.
	ready  bool
	waited time.Duration
	// trouble is the reason that it ended without a new container; empty when there was none.
	trouble string
}

// settle applies a verdict.
func (s *statuses) settle(name string, v verdict, made bool) (end settled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[name]
	if !ok {
		return settled{}
	}
	s.noting(e, v.apply)
	ready := meta.FindStatusCondition(e.object.Status.Conditions, spec.ConditionReady)
	if ready.Status != metav1.ConditionTrue {
		e.suffer(ready.Reason)
		return settled{}
	}
	end = settled{ready: e.awaited && made, waited: time.Since(e.seen)}
	if !made {
		end.trouble = e.trouble
	}
	e.wasReady, e.edited, e.withdrawn, e.awaited, e.trouble = true, false, false, false, ""
	return end
}

// suffer notes why a name is not Ready, if that can end without a step.
func (e *entry) suffer(reason string) {
	switch reason {
	case ReasonCrashLooping, ReasonEngineUnavailable, ReasonAliasConflict:
		e.trouble = reason
	}
}

// unavailable notes that the engine could not be asked; what is known of the sidecar stays. It reports whether that is new.
func (s *statuses) unavailable(name string, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[name]
	if !ok || e.rejected {
		return false
	}
	before := ""
	if ready := meta.FindStatusCondition(e.object.Status.Conditions, spec.ConditionReady); ready != nil {
		before = ready.Reason
	}
	s.noting(e, func(status *spec.CredProxyStatus) {
		setCondition(status, condition(spec.ConditionReady, statusOf(err), reasonOf(err), err.Error()))
		status.LastError = cut(err.Error())
	})
	e.suffer(reasonOf(err))
	return before != reasonOf(err)
}

// each calls f with every name's status, in order of names, under the lock.
func (s *statuses) each(f func(name string, status *spec.CredProxyStatus)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.entries)) {
		f(name, s.entries[name].object.Status)
	}
}

// bound notes what was seen of a name's environment, and returns what was seen before; false for a name that is not known.
func (s *statuses) bound(name string, now bounds) (before bounds, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[name]
	if !ok {
		return bounds{}, false
	}
	before, e.bounds = e.bounds, now
	e.withdrawn = e.withdrawn || now.shut != ""
	return before, true
}

// bounded returns what was last seen of a name's environment.
func (s *statuses) bounded(name string) bounds {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[name]; ok {
		return e.bounds
	}
	return bounds{}
}

// eachBounds calls f with what was last seen of each name's environment, in order of names, under the lock.
func (s *statuses) eachBounds(f func(name string, b bounds)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.entries)) {
		f(name, s.entries[name].bounds)
	}
}

// past reports whether the name was ready before in this process, whether its declaration is newer than that, and whether
// a breach has kept its sidecar off since.
func (s *statuses) past(name string) (wasReady, edited, withdrawn bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[name]
	return ok && e.wasReady, ok && e.edited, ok && e.withdrawn
}

// failing reports whether the last attempt for a name failed.
func (s *statuses) failing(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[name]
	return ok && e.object.Status.LastError != ""
}

// crashing counts the names whose sidecars end before they serve, so that there is no container of theirs to count.
func (s *statuses) crashing() (n int) {
	s.each(func(_ string, status *spec.CredProxyStatus) {
		ready := meta.FindStatusCondition(status.Conditions, spec.ConditionReady)
		if status.ContainerID == "" && ready != nil && ready.Reason == ReasonCrashLooping {
			n++
		}
	})
	return n
}

// names returns the declared names; with notReady only those that are not ready.
func (s *statuses) names(notReady bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name, e := range s.entries {
		if !notReady || !meta.IsStatusConditionTrue(e.object.Status.Conditions, spec.ConditionReady) {
			names = append(names, name)
		}
	}
	return names
}

// onNetwork returns the names whose specs refer to a network.
func (s *statuses) onNetwork(network string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name, e := range s.entries {
		if e.object.Spec.InternalNetwork == network || e.object.Spec.EgressNetwork == network {
			names = append(names, name)
		}
	}
	return names
}

func (s *statuses) list() []spec.CredProxy {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]spec.CredProxy, 0, len(s.entries))
	for _, name := range slices.Sorted(maps.Keys(s.entries)) {
		out = append(out, s.entries[name].shown())
	}
	return out
}

func (s *statuses) get(name string) (spec.CredProxy, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[name]
	if !ok {
		return spec.CredProxy{}, false
	}
	return e.shown(), true
}

// setCondition sets one condition, and the status's own transition time when its value changes.
func setCondition(status *spec.CredProxyStatus, c metav1.Condition) {
	old := meta.FindStatusCondition(status.Conditions, c.Type)
	if old == nil || old.Status != c.Status {
		now := metav1.Now()
		status.LastTransitionTime = &now
	}
	meta.SetStatusCondition(&status.Conditions, c)
}
