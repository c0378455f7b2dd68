package reconcile

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/sets"
)

// Each case bends a clearance that permits the removal.
func TestBrake(t *testing.T) {
	for _, tc := range []struct {
		name string
		bend func(*clearance)
		want string // part of the refusal; empty when the removal is permitted
	}{
		{"an orphan goes", func(*clearance) {}, ""},
		{"not without --prune", func(c *clearance) { c.opts.Prune = false }, "--prune"},
		{"not on an incomplete scan", func(c *clearance) { c.declared.Complete, c.declared.Err = false, errNotRead }, "read whole"},
		{"not while a file might declare anything", func(c *clearance) {
			c.declared.KeepAll, c.declared.BadFiles = true, []string{"bad.yaml"}
		}, "mend or remove bad.yaml"},
		{"not while a file is being written", func(c *clearance) { c.declared.KeepAll = true }, "middle of its writing"},
		{"not while a bad file might declare it", func(c *clearance) {
			c.declared.KeepNames, c.declared.BadFiles = sets.New("web"), []string{"bad.yaml"}
		}, "not valid might declare it; mend or remove bad.yaml"},
		{"not while a good file may have lost it for a moment", func(c *clearance) { c.declared.KeepNames = sets.New("web") }, "middle of its writing"},
		{"another name that a bad file might declare does not matter", func(c *clearance) { c.declared.KeepNames = sets.New("api") }, ""},
		{"not if there never was a spec", func(c *clearance) { c.everDeclared = false }, "remove web"},
		{"not from another directory", func(c *clearance) { c.moved = true }, "another one than before"},
		{"three may go at once", func(c *clearance) { c.orphans, c.all = sidecars(3), 3 }, ""},
		{"half may go at once", func(c *clearance) { c.orphans, c.all = sidecars(5), 10 }, ""},
		{"more than half and more than three may not", func(c *clearance) { c.orphans, c.all = sidecars(4), 7 }, "4 of 7"},
		{"what would go is named", func(c *clearance) { c.orphans, c.all = append(sidecars(12), "web"), 13 }, "s-9 and 3 more"},
		{"what to type is said", func(c *clearance) { c.moved, c.opts.PruneCommand = true, "controller apply --prune --specs /specs" },
			"run `controller apply --prune --specs /specs`, with the other flags of this one, to remove web"},
		{"what has no sidecar any more is named", func(c *clearance) { c.moved, c.orphans = true, nil }, "to remove web"},
		{"a person may remove all", func(c *clearance) {
			c.orphans, c.all, c.moved, c.everDeclared, c.opts.Deliberate = sidecars(9), 9, true, false, true
		}, ""},
		{"but not on an incomplete scan", func(c *clearance) { c.declared.Complete, c.opts.Deliberate = false, true }, "read whole"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &clearance{
				declared: Declared{Complete: true}, everDeclared: true, orphans: []string{"web"}, all: 8, opts: Options{Prune: true},
			}
			tc.bend(c)
			blocked := c.brake("web")
			switch {
			case tc.want == "" && blocked != nil:
				t.Errorf("refused: %s", blocked.Message)
			case tc.want != "" && (blocked == nil || blocked.Reason != ReasonPruneBlocked || !strings.Contains(blocked.Message, tc.want)):
				t.Errorf("got %v, want a refusal that says %q", blocked, tc.want)
			}
		})
	}
}

func sidecars(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("s-%d", i)
	}
	return names
}

func TestMoved(t *testing.T) {
	here := Root{Device: 1, Inode: 2}
	for name, tc := range map[string]struct {
		before, now Root
		want        bool
	}{
		"the same directory":        {here, here, false},
		"another inode":             {here, Root{Device: 1, Inode: 3}, true},
		"another device":            {here, Root{Device: 9, Inode: 2}, true},
		"another one behind a link": {Root{1, 2, true}, Root{1, 3, true}, false},
		"a link in its place":       {here, Root{1, 3, true}, true},
		"the same behind a link":    {here, Root{1, 2, true}, false},
		"a directory for a link":    {Root{1, 2, true}, Root{1, 3, false}, true},
		"the first one":             {Root{}, here, false},
		"one that is not known":     {here, Root{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (history{root: tc.before}).moved(tc.now); got != tc.want {
				t.Errorf("moved: %v", got)
			}
		})
	}
}
