package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// row is one figure. A floor or a goal of zero is none.
type row struct {
	what string
	unit string
	ours float64
	// floor is what it is compared with, and against names it.
	floor   float64
	against string
	// goal is the most that the ratio to the floor should be, or where there is no floor, the figure.
	goal float64
}

type table []row

func (t table) print(w io.Writer, title string) {
	fmt.Fprintln(w, title)
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "FIGURE\tOURS\tBESIDE\tRATIO\tGOAL\t")
	for _, r := range t {
		beside, ratio, goal, verdict := "", "", "", ""
		judged := r.ours
		if r.floor > 0 {
			judged = r.ours / r.floor
			beside = fmt.Sprintf("%s %s (%s)", number(r.floor), r.unit, r.against)
			ratio = fmt.Sprintf("%.2f", judged)
		}
		if r.goal > 0 {
			goal = "≤ " + number(r.goal)
			if r.floor == 0 {
				goal += " " + r.unit
			}
			verdict = "holds"
			if judged > r.goal {
				verdict = "MISSED"
			}
		}
		fmt.Fprintf(tw, "%s\t%s %s\t%s\t%s\t%s\t%s\n", r.what, number(r.ours), r.unit, beside, ratio, goal, verdict)
	}
	_ = tw.Flush()
}

// number writes three digits, more where the whole part has more.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
