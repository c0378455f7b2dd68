package page

import (
	"cmp"
	"slices"
	"time"

	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// fleet is the list of environments, with what is to be said of all of them.
type fleet struct {
	Verdict verdict
	Tallies []tally
	Filter  filter
	// Shown are those that the filter takes, and All is how many there are.
	Shown []environment
	All   int
	// Meant is the environment whose name is nearest to what is searched for, where nothing is found.
	Meant []link
}

// tally is how many environments are in a state.
type tally struct {
	Mark  mark
	Count string
	URL   string
	// Chosen is true when the filter asks for just these.
	Chosen bool
}

// known is all that the page goes by, as it was at one moment.
type known struct {
	now          time.Time
	environments []spec.CredProxy
	files        []source.FileStatus
	// scanErr says why not every file could be read, and notReady why the controller cannot tell how things are; nil when all is well.
	scanErr, notReady error
}

// fleetOf judges everything, and lists what the filter takes: the gravest first, and those alike by name.
func fleetOf(k known, f filter) fleet {
	all := fleet{Filter: f, All: len(k.environments)}
	people := census{len(k.environments), map[level]int{}}
	var troubles []trouble
	planned, steps := 0, 0
	var changed time.Time
	for i := range k.environments {
		cp := withStatus(&k.environments[i])
		e := environmentOf(cp, k.now)
		people.of[e.State.Level]++
		troubles = append(troubles, e.troubles...)
		if e.Planned != "" {
			planned, steps = planned+1, steps+len(cp.Status.PlannedSteps)
		}
		if t := cp.Status.LastTransitionTime; t != nil && t.After(changed) {
			changed = t.Time
		}
		if f.takes(cp, e) {
			all.Shown = append(all.Shown, e)
		}
	}
	slices.SortStableFunc(all.Shown, func(a, b environment) int {
		return cmp.Or(a.State.Level.rank()-b.State.Level.rank(), cmp.Compare(a.Name, b.Name))
	})
	if f.Query != "" && len(all.Shown) == 0 {
		all.Meant = meant(f.Query, namesOf(k.environments), environmentURL)
	}
	all.Verdict = judge(k, people, troubles, changed)
	all.Tallies = tallies(people, planned, f)
	all.Verdict.Plan = planWords(planned, steps)
	return all
}

func namesOf(environments []spec.CredProxy) (names []string) {
	for i := range environments {
		names = append(names, environments[i].Name)
	}
	return names
}

// tallies are the states of which there are any, the gravest first, and how many wait for steps.
func tallies(people census, planned int, f filter) (all []tally) {
	for i, s := range states() {
		l := levels()[i]
		if n := people.of[l]; n > 0 {
			all = append(all, tally{mark{l, s.Word}, count(int64(n)), listURL("/", "state", s.Value), f.State == s.Value})
		}
	}
	if planned > 0 {
		all = append(all, tally{mark{waiting, "with steps to take"}, count(int64(planned)), listURL("/", "plan", "steps"), f.Planned})
	}
	return all
}

func planWords(environments, steps int) string {
	if steps == 0 {
		return "The next plan has nothing to do."
	}
	return "The next plan has " + many(steps, "step", "steps") + " to take, for " + many(environments, "environment", "environments") + "."
}
