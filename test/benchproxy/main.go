// Command benchproxy prints what the sidecar costs beside other proxies, all from one run on this machine: nginx, HAProxy, Caddy
// and the barest proxy that Go has, each set to add the same header to the same requests. They take turns, so that
// whatever else the machine does weighs on all, and medians of turns are compared. It judges nothing: it fails only
// when something could not be measured.
//
// It wants namespaces of its own, which hack/proxies.sh makes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are what the command line says.
type options struct {
	// proxies is where those proxies are that the machine has not installed.
	proxies string
	turns   int
	// workers is how many threads or processes each proxy works with.
	workers int
	// before is another build of the sidecar, to compare with; empty for none.
	before string
	// among are the names of the proxies that are measured; empty for all.
	among []string
	// only are the keys of the scenarios that are wanted; empty for all.
	only []string
}

func main() {
	var o options
	flag.StringVar(&o.proxies, "proxies", os.Getenv("PROXIES"), "directory below which other proxies were unpacked")
	flag.IntVar(&o.turns, "turns", 15, "turns of each proxy in each scenario")
	flag.IntVar(&o.workers, "workers", 2, "threads or processes of each proxy")
	flag.StringVar(&o.before, "before", "", "another build of the sidecar, to measure beside this one")
	flag.Func("among", "names of the proxies to measure, separated by commas, ours and (no proxy) always among them", func(names string) error {
		o.among = strings.Split(names, ",")
		return nil
	})
	flag.Parse()
	o.only = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchproxy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	wanted := slices.DeleteFunc(scenarios(), func(s scenario) bool { return len(o.only) > 0 && !slices.Contains(o.only, s.key) })
	if len(wanted) == 0 {
		return fmt.Errorf("the scenarios are: %s", strings.Join(keys(), " "))
	}
	l, err := newLab(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	r := report{workers: o.workers, turns: o.turns}
	for _, s := range wanted {
		begin := time.Now()
		fmt.Fprintf(os.Stderr, "benchproxy: %s …", s.what)
		found, err := s.measure(ctx, l)
		fmt.Fprintf(os.Stderr, " %.0fs\n", time.Since(begin).Seconds())
		if err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		r.results = append(r.results, found)
	}
	return r.print(os.Stdout)
}
