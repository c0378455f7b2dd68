// Command bench prints this project's figures beside their floors, all from one run on this machine: the same work
// by bare calls, interleaved with ours, so that whatever else the machine does weighs on both. It judges nothing:
// it fails only when something could not be measured.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	rounds  = 20 // sidecars of which the median is taken
	burst   = 40 // specs dropped at once
	workers = 8  // at a time, in the burst
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	b, err := newBed(ctx)
	if err != nil {
		return err
	}
	// What was made goes even when the benchmark was interrupted.
	defer func() { b.cleanUp(context.WithoutCancel(ctx)) }()

	var t table
	for _, part := range []struct {
		what    string
		measure func(context.Context, *bed) ([]row, error)
	}{
		{"a sidecar at rest", measureAtRest},
		{fmt.Sprintf("spec to ready, %d times, beside bare calls and the docker command", rounds), measureOne},
		{fmt.Sprintf("%d specs at once, beside bare calls", burst), measureBurst},
		{"CPU a request, beside a bare ReverseProxy", measureProxy},
		{"a resync of 1,000 settled sidecars, on the fake driver", measureResync},
	} {
		begin := time.Now()
		fmt.Fprintf(os.Stderr, "bench: %s …", part.what)
		rows, err := part.measure(ctx, b)
		fmt.Fprintf(os.Stderr, " %.0fs\n", time.Since(begin).Seconds())
		if err != nil {
			return fmt.Errorf("%s: %w", part.what, err)
		}
		t = append(t, rows...)
	}
	fmt.Println()
	t.print(os.Stdout, b.title)
	return nil
}
