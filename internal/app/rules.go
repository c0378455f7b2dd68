package app

import (
	"credproxy.dev/controller/internal/policyfile"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
)

// rules are what the operator decides about specs in files of his own, beside the policy: which authorities there are, and what
// is revoked.
type rules struct {
	// specs is the directory of the specs.
	specs    string
	roots    *roots
	revoked  *revoked
	outlived outlived
}

func newRules(o Options) (*rules, error) {
	revoked, err := newRevoked(o)
	if err != nil {
		return nil, err
	}
	return &rules{specs: o.Specs, roots: newRoots(o), revoked: revoked, outlived: outlived{}}, nil
}

// declare turns what the files say into the desired side of a plan, without what is withheld of it. left reports whether
// anything is left of a name.
func (r *rules) declare(s source.Snapshot, policy policyfile.State, left func(name string) bool) reconcile.Declared {
	d := declared(r.specs, s)
	r.outlived.permit(&d, s, permit(&d, s, policy), policy, left)
	r.roots.add(&d)
	r.revoked.withhold(&d, r.outlived.specs())
	return d
}
