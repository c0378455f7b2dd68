package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mib(n int64) Limits { return Limits{Memory: n << 20, NanoCPUs: 1e9, Pids: 64} }

func fresh(name, folder string, wants int64) member {
	return member{name: name, folder: folder, wants: mib(wants)}
}

func running(name, folder string, has, wants int64) member {
	return member{name: name, folder: folder, wants: mib(wants), has: mib(has), serves: true}
}

func TestQuotas(t *testing.T) {
	specs := func(folder string, n int64) []Quota { return []Quota{{Folder: folder, Specs: n}} }
	memory := func(folder string, n int64) []Quota {
		return []Quota{{Folder: folder, Limits: Limits{Memory: n << 20}}}
	}
	tests := []struct {
		name    string
		quotas  []Quota
		members []member
		want    []string // who is refused
	}{
		{"without quotas", nil, []member{fresh("a", ".", 1)}, nil},
		{"the first in order of names", specs("x", 2), []member{fresh("c", "x", 1), fresh("a", "x", 1), fresh("b", "x", 1)}, []string{"c"}},
		{"who serves keeps its place", specs("x", 2), []member{fresh("a", "x", 1), running("c", "x", 1, 1), running("b", "x", 1, 1)}, []string{"a"}},
		{"below the folder", specs("x", 1), []member{fresh("a", "x/y/z", 1), fresh("b", "x", 1)}, []string{"b"}},
		{"a folder that begins alike", specs("x", 1), []member{fresh("a", "xy", 1), fresh("b", "x", 1), fresh("c", "xy", 1)}, nil},
		{"the root has all", specs(".", 1), []member{fresh("a", "x", 1), fresh("b", ".", 1)}, []string{"b"}},
		{"the sum of memory", memory("x", 100), []member{fresh("a", "x", 60), fresh("b", "x", 60), fresh("c", "x", 40)}, []string{"b"}},
		{"an edit that asks for more takes no one's place", memory("x", 100),
			[]member{running("a", "x", 50, 80), running("b", "x", 50, 50)}, []string{"a"}},
		{"of two such edits the first is done", memory("x", 120),
			[]member{running("a", "x", 50, 70), running("b", "x", 50, 70)}, []string{"b"}},
		{"who is refused goes on, and counts as it is", memory("x", 100),
			[]member{running("a", "x", 50, 200), fresh("b", "x", 60), fresh("c", "x", 50)}, []string{"a", "b"}},
		{"an edit that asks for less is done", memory("x", 100), []member{running("a", "x", 100, 50), fresh("b", "x", 50)}, nil},
		{"a lowered quota refuses the last", specs("x", 1), []member{running("a", "x", 1, 1), running("b", "x", 1, 1)}, []string{"b"}},
		{"every quota on the way counts", append(specs("x", 5), specs(".", 1)...), []member{fresh("a", "x", 1), fresh("b", "x", 1)}, []string{"b"}},
		{"processes and CPUs", []Quota{{Folder: ".", Limits: Limits{NanoCPUs: 2e9, Pids: 100}}}, []member{fresh("a", "x", 1), fresh("b", "x", 1)}, []string{"b"}},
	}
	for _, tt := range tests {
		got := slices.Sorted(maps.Keys(overQuota(tt.quotas, tt.members)))
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: refused are %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAQuotaSaysItsNumbers(t *testing.T) {
	quotas := []Quota{{Folder: "team-a", Specs: 1}, {Folder: ".", Limits: Limits{Memory: 100 << 20, NanoCPUs: 15e8}}}
	said := overQuota(quotas, []member{fresh("a", "team-a", 64), fresh("b", "team-a", 64), fresh("c", ".", 64), {name: "d", wants: Limits{NanoCPUs: 8e8}}})
	for name, want := range map[string]string{
		"b": "quota of folder team-a: specs: 1 of 1 are taken, and this one asks for 1;",
		"c": "quota of folder .: memory: 64Mi of 100Mi are taken, and this one asks for 64Mi;",
		"d": "quota of folder .: cpus: 1 of 1500m are taken, and this one asks for 800m;",
	} {
		if !strings.HasPrefix(said[name], want) {
			t.Errorf("%s: %s", name, said[name])
		}
	}
}

func TestWhatIsGrantedStaysWithinEveryQuota(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		folder := rapid.SampledFrom([]string{".", "x", "x/y", "z"})
		limit := rapid.Int64Range(0, 5)
		var quotas []Quota
		for _, f := range rapid.SliceOfNDistinct(folder, 0, 4, rapid.ID).Draw(t, "quotas") {
			quotas = append(quotas, Quota{Folder: f, Specs: limit.Draw(t, "specs"), Limits: Limits{Memory: limit.Draw(t, "memory")}})
		}
		var members []member
		for i := range rapid.IntRange(0, 8).Draw(t, "members") {
			m := member{name: fmt.Sprint(i), folder: folder.Draw(t, "folder"), wants: Limits{Memory: limit.Draw(t, "wants")}}
			if m.serves = rapid.Bool().Draw(t, "serves"); m.serves {
				m.has.Memory = limit.Draw(t, "has")
			}
			members = append(members, m)
		}
		refused := overQuota(quotas, members)
		for _, q := range quotas {
			checkQuota(t, q, members, refused)
		}
	})
}

// checkQuota holds that what is granted anew fits beside all that serves, whoever was refused.
func checkQuota(t *rapid.T, q Quota, members []member, refused map[string]string) {
	var specs, memory int64
	granted := false
	for _, m := range members {
		if !isWithin(m.folder, q.Folder) {
			continue
		}
		_, no := refused[m.name]
		switch {
		case !no:
			specs, memory = specs+1, memory+m.wants.Memory
			granted = granted || !m.serves || !m.wants.within(m.has)
		case m.serves:
			specs, memory = specs+1, memory+m.has.Memory
		}
	}
	if granted && (q.Specs > 0 && specs > q.Specs || q.Limits.Memory > 0 && memory > q.Limits.Memory) {
		t.Errorf("of %+v are granted %d specs with %d", q, specs, memory)
	}
}
