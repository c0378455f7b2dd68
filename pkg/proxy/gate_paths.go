package proxy

import (
	"iter"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/glob"
	"credproxy.dev/controller/pkg/routetable"
)

// pathRules are the patterns of a route. A path passes if, however a server behind us may read it, some pattern of allow
// has it and none of deny.
type pathRules struct {
	// allowed and denied are the patterns as they were written, for people.
	allowed, denied []string
	// allow is empty where everything passes that deny does not have. deny is in small letters: many servers do not tell
	// capitals from them.
	allow []pattern
	deny  []pattern
}

// pattern is one written pattern in each way to read it: a slash that it has encoded is part of its segment, or parts two.
type pattern [2][]string

func newPathRules(p *routetable.Paths) *pathRules {
	if p == nil {
		return nil
	}
	rules := &pathRules{allowed: p.Allow, denied: p.Deny}
	for _, text := range p.Allow {
		rules.allow = append(rules.allow, newPattern(text))
	}
	for _, text := range p.Deny {
		rules.deny = append(rules.deny, newPattern(strings.ToLower(text)))
	}
	return rules
}

func newPattern(text string) pattern {
	within := segmentsOf(text)
	for i := range within {
		within[i] = decodeOnce(within[i])
	}
	return pattern{within, segmentsOf(decodeOnce(text))}
}

func (p pattern) matches(path []string) bool {
	return glob.MatchPath(p[0], path) || glob.MatchPath(p[1], path)
}

// judge decides by what follows the route's prefix in an escaped path. Without rules all pass.
func (rules *pathRules) judge(route, rest string) *refusal {
	if rules == nil {
		return nil
	}
	if why := ambiguousPath(rest); why != "" {
		return badPathRefusal("route " + route + " permits some paths only, and servers differ in what they make of this one: " + why)
	}
	for path := range readings(rest) {
		if i := rules.denies(path); i >= 0 {
			return denied("route " + route + " does not permit this path: it denies " + rules.denied[i])
		}
		if !rules.allows(path) {
			return denied("route " + route + " does not permit this path; behind " + route + " it permits " + listed(rules.allowed))
		}
	}
	return nil
}

// denies returns the index of the first pattern that denies a path; below zero when none does.
func (rules *pathRules) denies(path []string) int {
	if len(rules.deny) == 0 {
		return -1
	}
	small := make([]string, len(path))
	for i, segment := range path {
		small[i] = strings.ToLower(segment)
	}
	return slices.IndexFunc(rules.deny, func(p pattern) bool { return p.matches(small) })
}

func (rules *pathRules) allows(path []string) bool {
	return len(rules.allow) == 0 || slices.ContainsFunc(rules.allow, func(p pattern) bool { return p.matches(path) })
}

// ambiguousPath says what in a path makes servers differ in which resource it names: empty segments, which some drop;
// parameters, a query and a fragment, which some cut off, the latter two when they were encoded; and spaces at the end of a
// segment, which some trim. It looks behind every percent-encoding. badPath has refused all that could lead elsewhere.
func ambiguousPath(escaped string) string {
	for range maxEncodings + 1 {
		switch {
		case strings.Contains(escaped, "//"):
			return "it has two slashes in a row"
		case strings.Contains(escaped, ";"):
			return "it has a semicolon"
		case strings.ContainsAny(escaped, "?#"):
			return "it has an encoded ? or #"
		case strings.Contains(escaped, " /"), strings.HasSuffix(escaped, " "):
			return "a part of it ends in a space"
		}
		decoded := decodeOnce(escaped)
		if decoded == escaped {
			return ""
		}
		escaped = decoded
	}
	return "it is percent-encoded over and over"
}

// readings yields the segments of an escaped path in each way that a server may read it: it undoes percent-encoding once or
// more often, and cuts the path at its slashes before that, after that or in between. A path without percent signs has one
// reading. A slash at the end makes no difference.
func readings(escaped string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		texts := decodings(escaped)
		for i, text := range texts {
			segments := segmentsOf(text)
			// Nobody takes a path for what it is with its percent-encoding.
			if (i > 0 || len(texts) == 1) && !yield(segments) {
				return
			}
			for decoded := decodedEach(segments); !slices.Equal(decoded, segments); decoded = decodedEach(segments) {
				if segments = decoded; !yield(segments) {
					return
				}
			}
		}
	}
}

func decodedEach(segments []string) []string {
	decoded := make([]string, len(segments))
	for i, segment := range segments {
		decoded[i] = decodeOnce(segment)
	}
	return decoded
}

// decodings are a text, and what it is after each undoing of its percent-encoding, of which badPath has bounded the number.
func decodings(text string) []string {
	all := []string{text}
	for {
		decoded := decodeOnce(text)
		if decoded == text {
			return all
		}
		text = decoded
		all = append(all, text)
	}
}

// segmentsOf cuts what follows a prefix at its slashes; none for the prefix itself, and none for a slash at the end.
func segmentsOf(path string) []string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}
