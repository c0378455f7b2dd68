// Package nearest finds the name that somebody most likely meant by a mistyped one.
package nearest

import "strings"

// maxTyped is the longest text, in bytes, for which anything is near: longer ones are no typing errors.
const maxTyped = 100

// leastTyped is how many letters have to be there before the only name that they begin counts as meant.
const leastTyped = 3

// Name returns the name that is nearest to what was typed: the one that differs least, in at most two letters to put in, take out or
// change, capitals aside; of several the first. Otherwise it is the only name that begins so; empty when none is near.
func Name(typed string, names []string) string {
	if len(typed) > maxTyped {
		return ""
	}
	best, distance := "", 3
	for _, name := range names {
		if d := edits(strings.ToLower(typed), strings.ToLower(name)); d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	if best == "" {
		return begun(typed, names)
	}
	return best
}

// begun is the only name that begins as what was typed.
func begun(typed string, names []string) (found string) {
	for _, name := range names {
		if len(typed) >= leastTyped && len(name) >= len(typed) && strings.EqualFold(name[:len(typed)], typed) {
			if found != "" {
				return ""
			}
			found = name
		}
	}
	return found
}

// Hint asks whether the nearest name was meant: "; do you mean NAME?", or nothing when none is near.
func Hint(typed string, names []string) string {
	if name := Name(typed, names); name != "" {
		return "; do you mean " + name + "?"
	}
	return ""
}

// edits counts the letters to put in, take out or change to make a from b (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
