package policy

import (
	"slices"
	"strings"
)

// anyDepth, alone between slashes, stands for any number of segments, none included.
const anyDepth = "**"

// globs reports whether a text matches any of some patterns in which * stands for any characters.
func globs(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob(p, text) })
}

// glob reports whether all of a text matches a pattern in which * stands for any characters, none included.
func glob(pattern, text string) bool {
	return walk(len(pattern), len(text),
		func(p int) bool { return pattern[p] == '*' },
		func(p, t int) bool { return pattern[p] == text[t] })
}

// pathGlobs reports whether a path matches any of some patterns.
func pathGlobs(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return pathGlob(p, path) })
}

// pathGlob reports whether all of a path matches a pattern: ** stands for any number of segments, and * for any
// characters of one. The root is "", "/" or ".". A path that is not clean matches nothing: where it leads is another matter.
func pathGlob(pattern, path string) bool {
	want, have := segments(pattern), segments(path)
	return !slices.ContainsFunc(have, leads) && walk(len(want), len(have),
		func(p int) bool { return want[p] == anyDepth },
		func(p, t int) bool { return glob(want[p], have[t]) })
}

// leads reports whether a segment leads elsewhere than down.
func leads(segment string) bool { return segment == "" || segment == "." || segment == ".." }

// segments cuts a path.
func segments(path string) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" || path == "." {
		return nil
	}
	return strings.Split(path, "/")
}

// walk compares a pattern with a text, element by element. After a mismatch the last wildcard takes one element more; an
// earlier one need never be tried again. It takes at most the product of both lengths.
func walk(pattern, text int, wild func(p int) bool, same func(p, t int) bool) bool {
	p, t := 0, 0
	star, taken := -1, 0
	for t < text {
		switch {
		case p < pattern && wild(p):
			star, taken = p, t
			p++
		case p < pattern && same(p, t):
			p++
			t++
		case star >= 0:
			taken++
			p, t = star+1, taken
		default:
			return false
		}
	}
	for p < pattern && wild(p) {
		p++
	}
	return p == pattern
}
