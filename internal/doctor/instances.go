package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// mostInstances is how many instances are written out.
const mostInstances = 10

// instances tells whose sidecars are there: a controller with a wrong --instance sees none of those that it was to keep.
func instances(f Facts) verdict {
	e := f.Engine
	switch {
	case e.Err != nil:
		return unknown(noAnswer)
	case e.SidecarsErr != nil:
		return unknown("the engine does not tell its containers: %v", e.SidecarsErr)
	}
	own := fmt.Sprintf("%d sidecars of this instance, %q", e.Sidecars[f.Instance], f.Instance)
	if e.Sidecars[f.Instance] == 1 {
		own = fmt.Sprintf("1 sidecar of this instance, %q", f.Instance)
	}
	var others []string
	for _, name := range slices.Sorted(maps.Keys(e.Sidecars)) {
		if name != f.Instance {
			others = append(others, fmt.Sprintf("%d of %q", e.Sidecars[name], name))
		}
	}
	switch {
	case len(others) == 0:
		return ok("%s, and none of others", own)
	case len(others) > mostInstances:
		others = append(others[:mostInstances], fmt.Sprintf("and of %d more instances", len(others)-mostInstances))
	}
	found := own + "; others are not touched: " + strings.Join(others, ", ")
	if e.Sidecars[f.Instance] > 0 {
		return ok("%s", found)
	}
	return warning(found, "give the --instance of those if they are what this controller is to keep; otherwise all is well")
}
