package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// report is all that was measured.
type report struct {
	workers, turns int
	results        []result
}

func (r report) print(w io.Writer) error {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s, %d cores, %s/%s, %s; load average at the end %s\n", time.Now().Format(time.DateOnly), runtime.NumCPU(),
		runtime.GOOS, runtime.GOARCH, runtime.Version(), strings.Join(strings.Fields(string(load))[:3], " "))
	fmt.Fprintf(w, "Each proxy has %d threads or processes and adds the same header; medians of %d turns. Each writes a line for each request to a\n"+
		"file in memory, but for the bare ReverseProxy, which writes none. The sidecar has every protection of a default spec on.\n", r.workers, r.turns)
	for _, found := range r.results {
		fmt.Fprintf(w, "\n%s\n\n", found.scenario.what)
		found.print(w)
	}
	if err := printStill(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "\ngoals\n\n")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, found := range r.results {
		found.judge(tw)
	}
	return tw.Flush()
}

// print writes the figures, and below them how ours compare.
func (r result) print(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "\t")
	for _, c := range r.scenario.columns {
		fmt.Fprintf(tw, "%s\t", c.what)
	}
	fmt.Fprintln(tw)
	for _, name := range r.order {
		fmt.Fprintf(tw, "%s\t", name)
		for i, c := range r.scenario.columns {
			text := number(r.rows[name][i]) + " " + c.unit
			if name == nameDirect && !c.added {
				text = ""
			}
			fmt.Fprintf(tw, "%s\t", text)
		}
		fmt.Fprintln(tw)
	}
	for _, name := range r.order {
		if name == nameOurs || name == nameDirect {
			continue
		}
		fmt.Fprintf(tw, "ours ÷ %s\t", name)
		for i := range r.scenario.columns {
			fmt.Fprintf(tw, "%.2f\t", r.ratio(i, name))
		}
		fmt.Fprintln(tw)
	}
	_ = tw.Flush()
}

// ratio is ours to another's, the median of those of the turns, since what else the machine does weighs on both of a turn alike.
// Where nothing was added that could be told from nothing there is none.
func (r result) ratio(column int, against string) float64 {
	var ratios []float64
	for i, ours := range r.turns[nameOurs] {
		if mine, others := ours[column], r.turns[against][i][column]; mine > 0 && others > 0 {
			ratios = append(ratios, mine/others)
		}
	}
	if len(ratios) == 0 {
		return math.NaN()
	}
	return median(ratios)
}

// judge writes a line for each goal.
func (r result) judge(w io.Writer) {
	for _, g := range r.scenario.goals {
		if g.against != "" && r.rows[g.against] == nil {
			continue
		}
		column := r.scenario.columns[g.column]
		is, unit := r.rows[nameOurs][g.column], column.unit
		if g.against != "" {
			is, unit = r.ratio(g.column, g.against), "× "+g.against
		}
		fmt.Fprintf(w, "%s: %s\t%s %s\t≤ %s\t%s\n", r.scenario.what, column.what, number(is), unit, number(g.most), verdict(!(is > g.most)))
	}
}

// number writes three digits, more where the whole part has more.
func number(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
