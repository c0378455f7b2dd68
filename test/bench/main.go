// Command bench prints this project's figures beside their floors, all from one run on this machine: the same work
// by bare calls, interleaved with ours, so that whatever else the machine does weighs on both. It judges nothing:
// it fails only when something could not be measured.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	rounds  = 20 // sidecars of which the median is taken
	burst   = 40 // specs dropped at once
	workers = 8  // at a time, in the burst
)

// part is one thing to measure; its key is what the command line takes.
type part struct {
	key, what string
	measure   func(context.Context, *bed) ([]row, error)
}

func parts() []part {
	return []part{
		{"rest", "a sidecar at rest", measureAtRest},
		{"one", fmt.Sprintf("spec to ready, %d times, beside bare calls and the docker command", rounds), measureOne},
		{"follow", fmt.Sprintf("an edited route, %d times", rounds), measureFollow},
		{"rotate", fmt.Sprintf("a rotated token, %d times", rounds), measureRotate},
		{"burst", fmt.Sprintf("%d specs at once, beside bare calls", burst), measureBurst},
		{"proxy", "CPU a request, beside a bare ReverseProxy", measureProxy},
		{"resync", "a resync of 1,000 settled sidecars, on the fake driver", measureResync},
		{"page", "the status page of 2,000 environments", measurePage},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures the parts of these keys, or all of them.
func run(ctx context.Context, keys []string) (err error) {
	wanted := slices.DeleteFunc(parts(), func(p part) bool { return len(keys) > 0 && !slices.Contains(keys, p.key) })
	if len(wanted) == 0 {
		var known []string
		for _, p := range parts() {
			known = append(known, p.key)
		}
		return fmt.Errorf("the parts are: %s", strings.Join(known, " "))
	}
	b, err := newBed(ctx)
	if err != nil {
		return err
	}
	// What was made goes even when the benchmark was interrupted.
	defer func() { b.cleanUp(context.WithoutCancel(ctx)) }()

	var t table
	for _, p := range wanted {
		begin := time.Now()
		fmt.Fprintf(os.Stderr, "bench: %s …", p.what)
		rows, err := p.measure(ctx, b)
		fmt.Fprintf(os.Stderr, " %.0fs\n", time.Since(begin).Seconds())
		if err != nil {
			return fmt.Errorf("%s: %w", p.what, err)
		}
		t = append(t, rows...)
	}
	fmt.Println()
	t.print(os.Stdout, b.title)
	return nil
}
