package glob

// AnyDepth as a segment of a pattern stands for any number of segments, none included.
const AnyDepth = "**"

// Match reports whether all of a text matches a pattern in which * stands for any characters, none included.
func Match(pattern, text string) bool {
	return walk(len(pattern), len(text),
		func(p int) bool { return pattern[p] == '*' },
		func(p, t int) bool { return pattern[p] == text[t] })
}

// MatchPath reports whether all segments of a path match those of a pattern: AnyDepth any number of them, and each other as
// Match does.
func MatchPath(pattern, path []string) bool {
	return walk(len(pattern), len(path),
		func(p int) bool { return pattern[p] == AnyDepth },
		func(p, t int) bool { return Match(pattern[p], path[t]) })
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
