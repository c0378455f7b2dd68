package page

import (
	"time"
)

// verdict is the first thing that is seen: whether everything is all right, since when not, and what to do.
type verdict struct {
	Level level
	// Words say it in one sentence, and Short in a few words, for the title of the page.
	Words, Short string
	// Lead is what goes before Since.
	Lead  string
	Since moment
	// Problems are what is not as it should be, the gravest first.
	Problems []problem
	// Plan says what the next plan would do.
	Plan string
}

// census is how many environments there are, in all and of each level.
type census struct {
	all int
	of  map[level]int
}

// judge puts all that is known into one sentence. changed is when anything last did.
func judge(k known, people census, troubles []trouble, changed time.Time) verdict {
	v := verdict{Level: fine, Problems: append(overall(k), grouped(troubles, k.now)...)}
	for _, p := range v.Problems {
		v.Level = graver(v.Level, p.Mark.Level)
	}
	v.Words, v.Short = people.sentence(v.Level)
	var first time.Time
	for _, p := range v.Problems {
		if p.Mark.Level == v.Level && !p.first.IsZero() && (first.IsZero() || p.first.Before(first)) {
			first = p.first
		}
	}
	switch {
	case !first.IsZero():
		v.Lead, v.Since = "For", momentOf(first, k.now)
	case !changed.IsZero() && v.Level == fine:
		v.Lead, v.Since = "Nothing has changed for", momentOf(changed, k.now)
	}
	return v
}

// sentence says how things are when the gravest problem has a level, at length and in short.
func (c census) sentence(worst level) (words, brief string) {
	n := c.of[worst]
	switch {
	case worst == bad && n == 0:
		return "Not everything is all right.", "not all right"
	case worst == bad:
		return c.how(n, "needs", "need") + " attention.", count(int64(n)) + " in need of attention"
	case worst == unknown && n == 0:
		return "Nobody can tell how things are now.", "unknown"
	case worst == unknown:
		return c.how(n, "is", "are") + " in a state that nobody can tell.", count(int64(n)) + " unknown"
	case worst == warning:
		return "Everything serves. " + c.how(n, "deserves", "deserve") + " a look.", count(int64(n)) + " to look at"
	case worst == waiting:
		return c.how(n, "is", "are") + " on the way.", count(int64(n)) + " on the way"
	case c.all == 0:
		return "No environment is declared.", "no environment"
	case c.of[held] > 0:
		return "Everything is as it is meant to be. " + c.how(c.of[held], "is", "are") + " paused or without tokens.", "all right"
	}
	return "Everything is all right.", "all right"
}

// how begins a sentence about some of all environments, with its verb.
func (c census) how(n int, one, more string) string {
	switch {
	case c.all == 1:
		return "The environment " + one
	case n == c.all:
		return "All " + count(int64(n)) + " environments " + more
	case n == 1:
		return "1 of " + count(int64(c.all)) + " environments " + one
	}
	return count(int64(n)) + " of " + count(int64(c.all)) + " environments " + more
}
