package provider

// nearest is the name that somebody most likely meant by a mistyped one; empty when none is near.
func nearest(typed string, names []string) string {
	best, distance := "", 3
	for _, name := range names {
		if d := edits(typed, name); d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	return best
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
