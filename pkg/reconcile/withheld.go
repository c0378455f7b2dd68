package reconcile

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// Withheld is why a token may not be used, though a spec declares its use.
type Withheld struct {
	// Word is what the sidecar is told, and by which it answers the route's clients.
	Word routetable.Withheld
	// Reason is that of conditions and events.
	Reason string
	// Message says it to the operator: what is withheld, by whom, and what to do. Never a token.
	Message string
}

// Withholding is what may not be used of one spec. The zero Withholding withholds nothing.
type Withholding struct {
	// All withholds every route; nil does not.
	All *Withheld
	// Refused is true when the spec may not be in force either: then no step is taken for it but to take its tokens away.
	Refused bool
	// Routes are the routes that are withheld one by one, by path.
	Routes map[string]Withheld
}

// of returns what is withheld of a spec's routes, by path; nil for nothing.
func (w Withholding) of(s *spec.CredProxySpec) map[string]Withheld {
	found := map[string]Withheld{}
	for _, r := range s.Routes {
		if one, ok := w.Routes[r.Path]; ok {
			found[r.Path] = one
		}
		if w.All != nil {
			found[r.Path] = *w.All
		}
	}
	return found
}

// Withhold adds a route to what is withheld of a spec, unless it is already.
func (d *Declared) Withhold(name, path string, why Withheld) {
	if d.Withheld == nil {
		d.Withheld = map[string]Withholding{}
	}
	w := d.Withheld[name]
	if _, already := w.Routes[path]; already {
		return
	}
	w.Routes = merged(w.Routes, map[string]Withheld{path: why})
	d.Withheld[name] = w
}

// withholding is all that is withheld of a spec by declaration: by the operator, and by its own annotation.
func (d *Declared) withholding(cp *spec.CredProxy) Withholding {
	w := d.Withheld[cp.Name]
	if w.All == nil && cp.Suspended() {
		w.All = &Withheld{
			Word: routetable.WithheldSuspended, Reason: ReasonSuspended,
			Message: "annotation " + spec.AnnotationSuspended + " is \"true\"",
		}
	}
	return w
}

// withheldAnew are the names of which something else is withheld than before.
func (d *Declared) withheldAnew(before map[string]Withholding) (names []string) {
	for name := range merged(d.Withheld, before) {
		if !reflect.DeepEqual(d.Withheld[name], before[name]) {
			names = append(names, name)
		}
	}
	return names
}

// inForce returns a spec as it is in force while some of its routes are withheld: these have no credential any more, so
// that nothing after this knows of their tokens. Without any route left, there is nothing that a caller key would protect.
func inForce(cp *spec.CredProxy, withheld map[string]Withheld) *spec.CredProxy {
	if len(withheld) == 0 {
		return cp
	}
	cp = cp.DeepCopy()
	for i := range cp.Spec.Routes {
		if _, ok := withheld[cp.Spec.Routes[i].Path]; ok {
			cp.Spec.Routes[i].Auth, cp.Spec.Routes[i].ClientCertificate = nil, nil
		}
	}
	if len(withheld) == len(cp.Spec.Routes) {
		cp.Spec.CallerAuth = nil
	}
	return cp
}

// merged is both; of a path in both, the first's.
func merged[T any](a, b map[string]T) map[string]T {
	all := map[string]T{}
	maps.Copy(all, b)
	maps.Copy(all, a)
	return all
}

// wordsOfWithheld says which routes are withheld, and why: each reason once, with its routes.
func wordsOfWithheld(withheld map[string]Withheld, all int) string {
	var messages []string
	routes := map[string][]string{}
	for _, path := range slices.Sorted(maps.Keys(withheld)) {
		message := withheld[path].Message
		if routes[message] == nil {
			messages = append(messages, message)
		}
		routes[message] = append(routes[message], path)
	}
	for i, message := range messages {
		if on := routes[message]; len(on) < all {
			messages[i] = "route " + strings.Join(on, ", ") + ": " + message
		}
	}
	return strings.Join(messages, "; ")
}

// reasonOfWithheld is the reason to show for several: what the operator has said just now, then what he rules, then what the
// spec says; what is only missing comes last.
func reasonOfWithheld(withheld map[string]Withheld) string {
	var reasons []string
	for _, w := range withheld {
		reasons = append(reasons, w.Reason)
	}
	slices.Sort(reasons)
	for _, first := range []string{ReasonRevoked, ReasonPolicyDenied, ReasonSuspended} {
		if slices.Contains(reasons, first) {
			return first
		}
	}
	return reasons[0]
}
