package reconcile

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/spec"
)

// Resolver finds the value of a token reference. Its errors are ErrTokenMissing, ErrTokenDenied or
// ErrTokenInvalid, wrapped with words that name the reference and what to do, and never hold a value.
type Resolver interface {
	Resolve(ctx context.Context, ref spec.TokenRef) (Token, error)
}

// Declared is what the files say: the desired side of a plan.
type Declared struct {
	// At is when the scan began that found it.
	At time.Time
	// Complete is false when something could not be read; nothing is removed then.
	Complete bool
	// Err says in words why it is not complete.
	Err error
	// Root is the directory that was read.
	Root Root
	// Specs are valid, unique by name, in order of names, with their defaults set. They are never changed.
	Specs []*spec.CredProxy
	// Rejected are the names that are declared and not usable: duplicates and invalid objects.
	Rejected []Rejected
	// Withheld is what may not be used, by name; it need not have every name, and may have others.
	Withheld map[string]Withholding
	// Roots are the certificates in PEM of the files that routes name as caFile and certFile; of a route for which there are none, the
	// credential is withheld.
	Roots map[string]string
	// Stale says of each spec that is the last good version of a bad file what is wrong with that, by name.
	Stale map[string]string
	// Policy is what the operator's policy says of Specs.
	Policy Policy
	// KeepNames and KeepAll protect the sidecars of names that a broken file may hold.
	KeepNames sets.Set[string]
	KeepAll   bool
	// BadFiles are the files that KeepNames and KeepAll come from, for people.
	BadFiles []string

	// revision counts declarations, so that two can be told apart cheaply.
	revision int
	// users lists the specs that use a reference; it is computed when a token changes.
	users func() map[spec.TokenRef][]string
}

// Rejected is a name that files declare in a way that cannot be used.
type Rejected struct {
	Name string
	// Reason is ReasonDuplicateName or ReasonInvalidSpec.
	Reason  string
	Message string
}

// Root tells directories apart. The zero Root is one that is not known.
type Root struct {
	Device, Inode uint64
	// Linked is true when the path leads through a symbolic link, so that another directory may stand behind it at
	// any time.
	Linked bool
}

// rootsAnew are the names of specs for which other certificates count than before.
func (d *Declared) rootsAnew(before map[string]string) (names []string) {
	for _, cp := range d.Specs {
		if slices.ContainsFunc(cp.Spec.Routes, func(r spec.Route) bool {
			return slices.ContainsFunc(r.CertificateFiles(), func(file string) bool { return d.Roots[file] != before[file] })
		}) {
			names = append(names, cp.Name)
		}
	}
	return names
}
