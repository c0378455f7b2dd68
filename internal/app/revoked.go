package app

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"credproxy.dev/controller/internal/revocation"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// revokedPoll is how often the file of revocations is looked at: one that is written has to count at once.
const revokedPoll = 500 * time.Millisecond

// revoked is what the operator has revoked.
type revoked struct {
	dir, instance string

	mu   sync.Mutex
	list revocation.List
}

// newRevoked reads what is revoked. Without a directory of state nothing is.
func newRevoked(o Options) (*revoked, error) {
	r := &revoked{dir: o.StateDir, instance: o.Instance}
	_, err := r.read()
	return r, err
}

// read reads it anew, and reports whether it is something else than before. What cannot be read changes nothing, and neither
// does a file that has gone, as with a directory that is not mounted any more: who undoes a revocation leaves one.
func (r *revoked) read() (changed bool, err error) {
	if r.dir == "" {
		return false, nil
	}
	list, err := revocation.Read(r.dir, r.instance)
	if err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.list.Empty() && !revocation.Written(r.dir, r.instance) {
		return false, fmt.Errorf("%s is not there any more; 'controller revoke --undo' is how tokens are used again",
			revocation.Path(r.dir, r.instance))
	}
	changed = !reflect.DeepEqual(list, r.list)
	r.list = list
	return changed, nil
}

// follow calls changed whenever something else is revoked, and failed when that begins to be unknown, until ctx ends.
func (r *revoked) follow(ctx context.Context, changed func(), failed func(error)) {
	ticker := time.NewTicker(revokedPoll)
	defer ticker.Stop()
	var last error
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		news, err := r.read()
		if err != nil && (last == nil || last.Error() != err.Error()) {
			failed(err)
		}
		if last = err; news {
			changed()
		}
	}
}

// withhold adds what is revoked to what a declaration withholds. Of what is not declared any more in a way that can be used,
// last are the specs that were in force last: their sidecars go on, with the tokens that these name.
func (r *revoked) withhold(d *reconcile.Declared, last []*spec.CredProxy) {
	r.mu.Lock()
	list := r.list
	r.mu.Unlock()
	if list.Empty() {
		return
	}
	for _, name := range list.Names {
		w := d.Withheld[name]
		w.All = ofRevoked("the spec is revoked; 'controller revoke --undo " + name + "' ends that")
		d.Withheld[name] = w
	}
	current := map[string]bool{}
	for _, cp := range d.Specs {
		current[cp.Name] = true
		revokeTokens(d, cp, list.Tokens)
	}
	for _, cp := range last {
		if !current[cp.Name] {
			revokeOutlived(d, cp, list.Tokens)
		}
	}
}

// revokeOutlived withholds everything of a name whose sidecar has one of the references: without a spec, nothing can be
// delivered to it in the place of what it has.
func revokeOutlived(d *reconcile.Declared, cp *spec.CredProxy, refs []spec.TokenRef) {
	for _, slot := range cp.Spec.Slots() {
		if slices.Contains(refs, slot.Ref) {
			w := d.Withheld[cp.Name]
			w.All = ofRevoked(wordsOfRevoked(slot.Ref))
			d.Withheld[cp.Name] = w
		}
	}
}

func wordsOfRevoked(ref spec.TokenRef) string {
	typed := ref.Typed()
	if strings.Contains(typed, " ") { // as the name of a file may
		typed = strconv.Quote(typed)
	}
	return "token " + ref.String() + " is revoked; 'controller revoke --undo --token " + typed + "' ends that"
}

// revokeTokens withholds the routes of a spec that use one of the references, or all when it is the caller key.
func revokeTokens(d *reconcile.Declared, cp *spec.CredProxy, refs []spec.TokenRef) {
	w := d.Withheld[cp.Name]
	if c := cp.Spec.CallerAuth; c != nil && slices.Contains(refs, c.KeyRef) {
		w.All = ofRevoked(wordsOfRevoked(c.KeyRef))
	}
	for _, route := range cp.Spec.Routes {
		used := route.Refs()
		first := slices.IndexFunc(used, func(ref spec.TokenRef) bool { return slices.Contains(refs, ref) })
		if first < 0 {
			continue
		}
		if w.Routes == nil {
			w.Routes = map[string]reconcile.Withheld{}
		}
		w.Routes[route.Path] = *ofRevoked(wordsOfRevoked(used[first]))
	}
	if w.All != nil || len(w.Routes) > 0 {
		d.Withheld[cp.Name] = w
	}
}

func ofRevoked(message string) *reconcile.Withheld {
	return &reconcile.Withheld{Word: routetable.WithheldRevoked, Reason: reconcile.ReasonRevoked, Message: message}
}
