package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// pageGoal is how many milliseconds a page of the status page may take, for whoever waits for it.
const pageGoal = 300

// measureResync runs the benchmark beside the loop.
func measureResync(ctx context.Context, _ *bed) ([]row, error) {
	figures, err := goBench(ctx, "BenchmarkResync1000Settled", "./pkg/reconcile")
	var rows []row
	for _, f := range figures {
		rows = append(rows, resyncRow(f.value, f.unit))
	}
	return rows, err
}

func resyncRow(v float64, unit string) row {
	switch unit {
	case "ns/op":
		v, unit = v/1e6, "ms"
	case "B/op":
		v, unit = v/1e6, "MB allocated"
	case "allocs/op":
		unit = "allocations"
	}
	return row{what: "resync of 1,000 settled sidecars", unit: unit, ours: v}
}

// measurePage runs the benchmark of the status page.
func measurePage(ctx context.Context, _ *bed) ([]row, error) {
	figures, err := goBench(ctx, "BenchmarkPage2000", "./internal/page")
	if err != nil {
		return nil, err
	}
	return pageRows(figures)
}

// pageRows are the times of the list, of a search in it and of one environment.
func pageRows(figures []figure) ([]row, error) {
	var rows []row
	for _, page := range []struct{ key, what string }{{"all", "the list"}, {"search", "a search"}, {"one", "one of them"}} {
		at := len(rows)
		for _, f := range figures {
			if f.unit == "ns/op" && strings.HasPrefix(f.name, "BenchmarkPage2000/"+page.key) {
				rows = append(rows, row{what: "page of 2,000 environments, " + page.what, unit: "ms", ours: f.value / 1e6, goal: pageGoal})
			}
		}
		if len(rows) != at+1 {
			return nil, fmt.Errorf("there are %d times of %s", len(rows)-at, page.what)
		}
	}
	return rows, nil
}

// figure is one that go test prints of a benchmark.
type figure struct {
	name  string
	value float64
	unit  string
}

// goBench runs a benchmark of a package.
func goBench(ctx context.Context, name, pkg string) ([]figure, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchmem", pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	figures, err := figuresOf(name, string(out))
	if err == nil && figures == nil {
		err = fmt.Errorf("there is no %s in:\n%s", name, out)
	}
	return figures, err
}

// figuresOf reads what go test printed: after a name and the number of runs come pairs of a value and its unit
// (https://go.dev/design/14313-benchmark-format).
func figuresOf(name, out string) (figures []figure, err error) {
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, name) || len(fields) < 4 {
			continue
		}
		for i := 2; i+1 < len(fields); i += 2 {
			f := figure{name: fields[0], unit: fields[i+1]}
			if _, err := fmt.Sscan(fields[i], &f.value); err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			figures = append(figures, f)
		}
	}
	return figures, nil
}
