// Command mutate switches each protection of the sidecar off, one at a time, and lets the attacks have it: a protection that no
// attack and no other test misses is either none, or held by nothing. It prints which tests catch each, and fails where none does.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

func main() {
	only := flag.String("run", "", "switch off only the protections whose names match this regular expression")
	workers := flag.Int("p", 2, "how many at a time")
	flag.Parse()
	if err := run(*only, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(only string, workers int) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bench := &bench{root: ".", dir: dir, progress: os.Stderr}
	var chosen []protection
	for _, p := range protections() {
		if wanted.MatchString(p.name) {
			chosen = append(chosen, p)
		}
	}
	begun := time.Now()
	if err := bench.compile(ctx, chosen); err != nil {
		return err
	}
	if err := bench.mustPassAsItIs(ctx); err != nil {
		return err
	}
	rows := bench.switchOff(ctx, chosen, workers)
	if err := ctx.Err(); err != nil {
		return err
	}
	fmt.Println(table(rows))
	fmt.Printf("%d protections, in %v\n", len(rows), time.Since(begun).Round(time.Second))
	return judge(rows)
}
