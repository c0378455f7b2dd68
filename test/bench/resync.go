package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// measureResync runs the benchmark beside the loop.
func measureResync(ctx context.Context, _ *bed) ([]row, error) {
	const name = "BenchmarkResync1000Settled"
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchmem", "./pkg/reconcile")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	var rows []row
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, name) || len(fields) < 4 {
			continue
		}
		// After the name and the number of runs come pairs of a value and its unit.
		for i := 2; i+1 < len(fields); i += 2 {
			var v float64
			if _, err := fmt.Sscan(fields[i], &v); err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			rows = append(rows, resyncRow(v, fields[i+1]))
		}
	}
	if rows == nil {
		return nil, fmt.Errorf("there is no %s in:\n%s", name, out)
	}
	return rows, nil
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
