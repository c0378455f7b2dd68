package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"credproxy.dev/controller/pkg/spec"
)

// Quota bounds the specs of a folder, and of those below it, together. A bound of 0 is none.
type Quota struct {
	// Folder is relative to the directory of specs, with slashes; "." is that itself.
	Folder string
	// Specs is how many there may be.
	Specs int64
	// Limits bounds the sums of what their sidecars may use.
	Limits Limits
}

// member is a spec as it counts in quotas.
type member struct {
	name, folder string
	// wants are the limits that it declares; has those of its sidecar, if it serves.
	wants, has Limits
	serves     bool
}

// overQuota says, by name, which specs ask for more than quotas leave them, and in which numbers. Who serves and asks for no
// more than it has keeps its place first; what is left goes to those that serve and ask for more, and then to those that are
// new, each in order of names. Who is refused and serves goes on as it is, and counts as that.
func overQuota(quotas []Quota, members []member) map[string]string {
	l := ledger{quotas: quotas, used: make([]usage, len(quotas)), refused: map[string]string{}}
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.name, b.name) })
	var growing, fresh []member
	for _, m := range members {
		switch {
		case !m.serves:
			fresh = append(fresh, m)
		case !m.wants.within(m.has):
			growing = append(growing, m)
		default:
			l.enter(m)
		}
	}
	for _, m := range growing { // What they have is not there for others.
		l.count(m.folder, m.has, 1)
	}
	for _, m := range growing {
		l.count(m.folder, m.has, -1)
		l.enter(m)
	}
	for _, m := range fresh {
		l.enter(m)
	}
	return l.refused
}

// usage is what is taken of a quota.
type usage struct {
	specs int64
	Limits
}

// ledger adds up what members take of quotas.
type ledger struct {
	quotas  []Quota
	used    []usage
	refused map[string]string
}

// enter counts a member as what it wants, if that fits into every quota of its folder, and otherwise as what it has.
func (l *ledger) enter(m member) {
	for i, q := range l.quotas {
		if !isWithin(m.folder, q.Folder) {
			continue
		}
		if lack := l.used[i].lack(q, m.wants); lack != "" {
			l.refused[m.name] = fmt.Sprintf("quota of folder %s: %s", spec.ShownPath(q.Folder), lack)
			if m.serves {
				l.count(m.folder, m.has, 1)
			}
			return
		}
	}
	l.count(m.folder, m.wants, 1)
}

// count adds, or with -1 takes away, one spec in a folder with its limits.
func (l *ledger) count(folder string, limits Limits, times int64) {
	for i, q := range l.quotas {
		if isWithin(folder, q.Folder) {
			u := &l.used[i]
			u.specs += times
			u.Memory += times * limits.Memory
			u.NanoCPUs += times * limits.NanoCPUs
			u.Pids += times * limits.Pids
		}
	}
}

// lack says what of a quota is too little for one spec more; "" if it fits.
func (u usage) lack(q Quota, wants Limits) string {
	for _, of := range []struct {
		what              string
		bound, used, asks int64
		show              func(int64) string
	}{
		{"specs", q.Specs, u.specs, 1, decimal},
		{"memory", q.Limits.Memory, u.Memory, wants.Memory, bytesShown},
		{"cpus", q.Limits.NanoCPUs, u.NanoCPUs, wants.NanoCPUs, cpusShown},
		{"pids", q.Limits.Pids, u.Pids, wants.Pids, decimal},
	} {
		if of.bound > 0 && of.used+of.asks > of.bound {
			return fmt.Sprintf("%s: %s of %s are taken, and this one asks for %s; remove or shrink others there, or have the quota raised",
				of.what, of.show(of.used), of.show(of.bound), of.show(of.asks))
		}
	}
	return ""
}

func decimal(n int64) string    { return strconv.FormatInt(n, 10) }
func bytesShown(n int64) string { return resource.NewQuantity(n, resource.BinarySI).String() }
func cpusShown(n int64) string  { return resource.NewScaledQuantity(n, resource.Nano).String() }

// within reports whether limits are at most others.
func (l Limits) within(others Limits) bool {
	return l.Memory <= others.Memory && l.NanoCPUs <= others.NanoCPUs && l.Pids <= others.Pids
}

// isWithin reports whether a folder is another, or below it.
func isWithin(folder, other string) bool {
	return other == "." || folder == other || strings.HasPrefix(folder, other+"/")
}
