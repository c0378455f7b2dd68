package generated

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A part of a page that is made stands between two lines, in Markdown's way to write what is not shown.
const (
	partBegins = "<!-- made from the code: "
	partEnds   = "<!-- end of what is made -->"
)

// Fill puts parts of a page in their places, which the page names, in place of what is there. It fails when a part has no place, a
// place no part, or a place no end.
func Fill(page string, parts map[string]string) (string, error) {
	var b strings.Builder
	left, within := maps.Clone(parts), ""
	for line := range strings.Lines(page) {
		name, begins := strings.CutPrefix(strings.TrimSpace(line), partBegins)
		name = strings.TrimSuffix(name, " -->")
		switch {
		case begins && within != "":
			return "", fmt.Errorf("the place of %s has no end: write %s before that of %s", within, partEnds, name)
		case begins:
			part, ok := left[name]
			if !ok {
				return "", fmt.Errorf("nothing is made for the place of %s, or it has another; there are %q", name, slices.Sorted(maps.Keys(parts)))
			}
			delete(left, name)
			b.WriteString(line + part)
			within = name
		case strings.TrimSpace(line) == partEnds:
			b.WriteString(line)
			within = ""
		case within == "":
			b.WriteString(line)
		}
	}
	if within != "" {
		return "", fmt.Errorf("the place of %s has no end: write %s", within, partEnds)
	}
	for name := range left {
		return "", fmt.Errorf("%s has no place: write %s%s --> and %s", name, partBegins, name, partEnds)
	}
	return b.String(), nil
}
