package reconcile

import "fmt"

// brake decides whether the sidecars of a name that nothing declares may be removed. It is pure. It returns nil
// when they may, otherwise why not.
//
// everDeclared tells whether this process has ever seen a usable spec: an empty directory right after the start is
// more often a wrong path or a volume that was not mounted than a wish to remove everything.
func brake(d Declared, name string, everDeclared bool, opts Options) *Blocked {
	refuse := func(format string, args ...any) *Blocked {
		return &Blocked{Name: name, Reason: ReasonPruneBlocked, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case !opts.Prune:
		return refuse("no file declares it; it would be removed with --prune")
	case !d.Complete:
		return refuse("nothing is removed until the directory has been read whole: %v", d.Err)
	case d.KeepAll:
		return refuse("a file that cannot be parsed might declare it; mend or remove that file")
	case d.KeepNames.Has(name):
		return refuse("a file that is not valid might declare it; mend or remove that file")
	case !everDeclared && !opts.Deliberate:
		return refuse("there were no specs at all at the start; restore them, or run `controller apply --prune` to remove it")
	}
	return nil
}
