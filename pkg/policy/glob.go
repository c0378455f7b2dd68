package policy

import (
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/glob"
)

// globs reports whether a text matches any of some patterns in which * stands for any characters.
func globs(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob.Match(p, text) })
}

// pathGlobs reports whether a path matches any of some patterns.
func pathGlobs(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return pathGlob(p, path) })
}

// pathGlob reports whether all of a path matches a pattern: ** stands for any number of segments, and * for any
// characters of one. The root is "", "/" or ".". A path that is not clean matches nothing: where it leads is another matter.
func pathGlob(pattern, path string) bool {
	want, have := segments(pattern), segments(path)
	return !slices.ContainsFunc(have, leads) && glob.MatchPath(want, have)
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
