package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Few removals at once are taken at their word; more than half of all, and more than this many, are not.
const fewRemovals = 3

// clearance is what decides whether undeclared sidecars may be removed. It is pure.
type clearance struct {
	declared Declared
	// everDeclared tells whether this process has ever seen a usable spec: an empty directory right after the start is
	// more often a wrong path or a volume that was not mounted than a wish to remove everything.
	everDeclared bool
	// moved tells that the directory is another one than that of the specs that were in force.
	moved bool
	// orphans are the undeclared names that have sidecars, of all that have some.
	orphans []string
	all     int
	opts    Options
}

// brake returns nil when what is left of an undeclared name may be removed, otherwise why not.
func (c *clearance) brake(name string) *Blocked {
	refuse := func(format string, args ...any) *Blocked {
		return &Blocked{Name: name, Reason: ReasonPruneBlocked, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case !c.opts.Prune:
		return refuse("no file declares it; it would be removed with --prune")
	case !c.declared.Complete:
		return refuse("nothing is removed until the directory has been read whole: %v", c.declared.Err)
	case c.settling(name):
		return refuse("nothing is removed while a file may be in the middle of its writing; that is looked at again in a moment")
	case c.declared.KeepAll:
		return refuse("a file that cannot be read as specs might declare it; mend or remove %s", c.files())
	case c.declared.KeepNames.Has(name):
		return refuse("a file that is not valid might declare it; mend or remove %s", c.files())
	case c.opts.Deliberate:
		return nil
	case !c.everDeclared:
		return refuse("there is no usable spec at all, which looks like a wrong path or a missing mount; restore them, or %s", c.advice(name))
	case c.moved:
		return refuse("the directory of specs is another one than before; restore it, or %s", c.advice(name))
	case len(c.orphans) > fewRemovals && 2*len(c.orphans) > c.all:
		return refuse("%d of %d sidecars would go at once; restore their files, or %s", len(c.orphans), c.all, c.advice(name))
	}
	return nil
}

// settling reports whether a name is kept for a moment only, because a file that is not bad has just lost it, or is empty.
func (c *clearance) settling(name string) bool {
	return c.declared.Complete && len(c.declared.BadFiles) == 0 && (c.declared.KeepAll || c.declared.KeepNames.Has(name))
}

// listed is how many names are written out.
const listed = 10

// advice is what to do if the removal of a name, and of all like it, is meant.
func (c *clearance) advice(name string) string {
	orphans := c.orphans
	if !slices.Contains(orphans, name) { // there is no sidecar any more, but a network or a volume
		orphans = []string{name}
	}
	return fmt.Sprintf("run `%s`, with the other flags of this one, to remove %s",
		cmp.Or(c.opts.PruneCommand, "controller apply --prune"), some(orphans))
}

func (c *clearance) files() string { return some(c.declared.BadFiles) }

// some writes out the first few names.
func some(names []string) string {
	if len(names) <= listed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:listed], ", "), len(names)-listed)
}
