package page

import (
	"slices"
	"time"

	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// problem is one kind of trouble, of however many environments.
type problem struct {
	Mark mark
	// Title names it; Reason is true when that is the reason of a condition.
	Title  string
	Reason bool
	// Scope says what it is about.
	Scope string
	// Words say what it is, and Advice what to do.
	Words, Advice string
	Since         moment
	// Of are the first environments that have it, and More how many others; URL lists all.
	Of   []link
	More string
	URL  string

	first time.Time
	count int
}

type link struct{ Name, URL string }

// mostNamed is how many environments, or files, a problem names.
const mostNamed = 5

// overall are the problems that are not one environment's.
func overall(k known) (found []problem) {
	if k.notReady != nil {
		found = append(found, problem{
			Mark: mark{unknown, "Unknown"}, Title: "The controller cannot tell how things are", Words: k.notReady.Error(),
			Advice: "What is shown is what was known last. The controller goes on by itself.",
		})
	}
	if k.scanErr != nil {
		found = append(found, problem{
			Mark: mark{bad, "Problem"}, Title: "Not every file could be read", Words: k.scanErr.Error(),
			Advice: "Nothing is removed until that is mended.", URL: "/files",
		})
	}
	return append(found, badFiles(k.files)...)
}

func badFiles(files []source.FileStatus) []problem {
	var wrong []link
	for _, f := range files {
		if f.State == source.FileInvalid {
			wrong = append(wrong, link{f.Path, listURL("/files", "q", f.Path)})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	p := problem{
		Mark: mark{bad, "Problem"}, Title: many(len(wrong), "file has errors", "files have errors"),
		Advice: "Mend them, as their messages say.", URL: listURL("/files", "state", string(source.FileInvalid)),
	}
	p.Of, p.More = named(wrong)
	return []problem{p}
}

// named are the first of many, and how many more there are.
func named(all []link) (first []link, more string) {
	if len(all) <= mostNamed {
		return all, ""
	}
	return all[:mostNamed], "and " + many(len(all)-mostNamed, "other", "others")
}

// grouped puts the troubles that have the same reason together, the gravest and most frequent first. What somebody wants so is none.
func grouped(troubles []trouble, now time.Time) []problem {
	type key struct {
		kind, reason string
		level        level
	}
	groups := map[key][]trouble{}
	var keys []key
	for _, t := range troubles {
		k := key{t.kind, t.reason, t.level}
		switch {
		case t.level == held:
			continue
		case groups[k] == nil:
			keys = append(keys, k)
		}
		groups[k] = append(groups[k], t)
	}
	found := make([]problem, 0, len(keys))
	for _, k := range keys {
		found = append(found, problemOf(groups[k], now))
	}
	slices.SortStableFunc(found, func(a, b problem) int {
		if by := a.Mark.Level.rank() - b.Mark.Level.rank(); by != 0 {
			return by
		}
		return b.count - a.count
	})
	return found
}

// problemOf is the problem of troubles that are alike.
func problemOf(alike []trouble, now time.Time) problem {
	t := alike[0]
	p := problem{
		Mark: mark{t.level, wordOf(t.level)}, Title: t.reason, Reason: true, Advice: advice(t.reason), Words: short(t.message, mostSaid),
		URL: listURL("/", "condition", t.kind, "q", t.reason), count: len(alike),
		Scope: many(len(alike), "environment", "environments") + " " + scopeOf(t.kind),
	}
	var names []link
	for _, t := range alike {
		names = append(names, link{t.environment, environmentURL(t.environment)})
		if !t.since.IsZero() && (p.first.IsZero() || t.since.Before(p.first)) {
			p.first = t.since
		}
	}
	p.Of, p.More = named(names)
	p.Since = momentOf(p.first, now)
	return p
}

// wordOf names the level of a problem.
func wordOf(l level) string {
	switch l {
	case bad:
		return "Problem"
	case warning:
		return "Warning"
	case waiting:
		return "In progress"
	}
	return "Unknown"
}

// scopeOf says what a condition that does not hold means.
func scopeOf(kind string) string {
	switch kind {
	case spec.ConditionReady:
		return "not ready"
	case spec.ConditionCurrent:
		return "not as the file says now"
	case spec.ConditionTokensResolved:
		return "with a token in question"
	case spec.ConditionNetworksReady:
		return "with a network in question"
	case spec.ConditionIsolated:
		return "not fully isolated"
	}
	return "not permitted as declared"
}
